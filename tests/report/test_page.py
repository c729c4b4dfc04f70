"""The page in a real browser: all there, nothing from elsewhere, for keyboard, phone and paper."""

from __future__ import annotations

import json
import re

import pytest

SIZES = {"desktop": (1280, 900, False), "phone": (390, 844, True)}

CONTRAST = """
const light = (c) => { const v = c.map((x) => { x /= 255;
  return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const behind = (node) => { for (let n = node; n; n = n.parentElement) {
  const c = parse(getComputedStyle(n).backgroundColor);
  if (c.length === 3 || (c.length === 4 && c[3] > 0)) return c.slice(0, 3); }
  return [255, 255, 255]; };
const bad = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || node.closest("svg, script, style")) continue;
  const style = getComputedStyle(node);
  if (node.offsetParent === null) continue;
  const a = light(parse(style.color).slice(0, 3)), b = light(behind(node));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const large = parseFloat(style.fontSize) >= 24;
  if (ratio < (large ? 3 : 4.5)) bad.push([walker.currentNode.data.trim(), ratio]);
}
return bad;
"""


def opened(browser, report, tmp_path_factory, size="desktop"):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report.html, encoding="utf-8")
    width, height, mobile = SIZES[size]
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile},
    )
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri())
    return browser


@pytest.fixture(params=["report", "chinese_report"])
def either(request):
    return request.getfixturevalue(request.param)


def test_tables_and_pictures_are_shown_without_error_or_request(browser, either, tmp_path_factory):
    page = opened(browser, either, tmp_path_factory)
    seen = page.execute_script(
        "const on = (n) => { const b = n.getBoundingClientRect();"
        "  return b.width > 100 && b.height > 50; };"
        "return [[...document.querySelectorAll('svg.picture')].map(on),"
        "        [...document.querySelectorAll('table')].map((t) => t.tBodies[0].rows.length)]"
    )
    assert len(seen[0]) == 9
    assert all(seen[0])
    assert len(seen[1]) >= 7
    assert min(seen[1]) > 0
    assert page.get_log("browser") == []
    events = [json.loads(e["message"])["message"] for e in page.get_log("performance")]
    asked = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    assert [u for u in asked if not u.startswith(("file:", "data:"))] == []


def test_no_id_is_used_twice(browser, report, tmp_path_factory):
    page = opened(browser, report, tmp_path_factory)
    ids = page.execute_script("return [...document.querySelectorAll('[id]')].map((n) => n.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("size", SIZES)
def test_nothing_scrolls_sideways(browser, either, tmp_path_factory, size):
    page = opened(browser, either, tmp_path_factory, size)
    wide = page.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide[0] <= wide[1] == SIZES[size][0]


def test_tables_sort_with_the_keyboard(browser, report, tmp_path_factory):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page = opened(browser, report, tmp_path_factory)
    head = "#segment-table thead th:nth-child(2)"
    button = page.find_element(By.CSS_SELECTOR, head + " button")

    def column():
        return page.execute_script(
            "return [...document.querySelectorAll('#segment-table tbody tr')]"
            ".map((r) => Number(r.cells[1].dataset.v))"
        )

    button.send_keys(Keys.ENTER)
    assert column() == sorted(column(), reverse=True)
    assert page.find_element(By.CSS_SELECTOR, head).get_attribute("aria-sort") == "descending"
    button.send_keys(Keys.SPACE)
    assert column() == sorted(column())
    assert page.find_element(By.CSS_SELECTOR, head).get_attribute("aria-sort") == "ascending"
    assert page.execute_script("return document.activeElement.tagName") == "BUTTON"


@pytest.mark.parametrize("size", SIZES)
def test_texts_have_the_contrast_of_wcag_aa(browser, report, tmp_path_factory, size):
    page = opened(browser, report, tmp_path_factory, size)
    assert page.execute_script(CONTRAST) == []


def test_words_in_the_pictures_have_the_contrast_of_wcag_aa(report, drawn, check_words_can_be_read):
    assert len(drawn) == report.html.count("<svg viewBox") - report.html.count('class="bar"') == 9
    for figure in drawn.values():
        assert check_words_can_be_read(figure) >= 4


def test_on_paper_there_is_no_navigation_and_every_row(browser, report, tmp_path_factory):
    page = opened(browser, report, tmp_path_factory)
    rows = page.execute_script("return document.querySelectorAll('tbody tr').length")
    # A4 between its margins is narrower than a tablet, and still no phone
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 690, "height": 1000, "deviceScaleFactor": 1, "mobile": False},
    )
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        laid_out = page.execute_script(
            "return [document.documentElement.scrollWidth,"
            " ...new Set([...document.querySelectorAll('tbody tr')]"
            ".map((r) => getComputedStyle(r).display))]"
        )
        shown = page.execute_script(
            "const off = (n) => getComputedStyle(n).display === 'none';"
            "return [off(document.querySelector('nav')),"
            " [...document.querySelectorAll('tbody tr')].filter((r) => !off(r)).length]"
        )
        printed = page.execute_cdp_cmd("Page.printToPDF", {})
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == [True, rows]
    assert laid_out[0] <= 690
    assert laid_out[1:] == ["table-row"]
    assert len(printed["data"]) > 10_000


def test_the_page_names_nothing_outside_itself(either):
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", either.html)
    assert "default-src 'none'" in either.html
    assert "@import" not in either.html


def test_letters_of_pictures_stay_text(chinese_report):
    assert "冠军客户</text>" in chinese_report.html.replace("\n", "")


def test_what_the_log_says_cannot_become_markup(chinese_report):
    assert "<script>alert" not in chinese_report.html
    assert chinese_report.html.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 20
    assert "<i>" not in chinese_report.html
    assert "&lt;i&gt;$" in chinese_report.html


def test_problem_customers_are_a_share_of_those_present(report):
    stage = report.customers["stage"]
    present = ~stage.isin(["potential", "target", "exited"])
    share = (stage == "problem").sum() / present.sum()
    assert 0 < report.facts["stages"]["problem_share"] == pytest.approx(share)
