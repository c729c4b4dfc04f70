"""One report and one browser for all tests of the page."""

from __future__ import annotations

import shutil

import pytest

from custvalue.evaluation import usual_parts
from custvalue.plotting import svg_text
from custvalue.report import _pictures, make_report

HOSTILE = "<script>alert(1)</script>"
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}


@pytest.fixture(scope="session")
def law_alone():
    """What ``--estimator law`` asks for: for pages of which the forecast is not the matter."""
    name = "law x own mean"
    return {name: usual_parts()[name]}


@pytest.fixture(scope="session")
def drawn():
    """Figures of the report by name, before they become SVG."""
    return {}


@pytest.fixture(scope="session")
def report(cdnow_sample, drawn, law_alone):
    """What the command line is asked for in test_cli, so that the two can be compared."""

    def keep(figure, *, name, title):
        drawn[name] = figure
        return svg_text(figure, name=name, title=title)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pictures, "svg_text", keep)
        return make_report(cdnow_sample, **NAMES, margin=0.3, source="orders.csv", models=law_alone)


@pytest.fixture(scope="session")
def chinese_report(cdnow_sample):
    """In Chinese, of a log whose every text is an attack; see test_page."""
    return make_report(
        cdnow_sample.assign(customer_id=HOSTILE + cdnow_sample["customer_id"].astype(str)),
        **NAMES,
        margin=0.3,
        response=0.05,
        contact_cost=0.5,
        budget=40.0,
        currency="<i>$",
        language="zh",
        source=HOSTILE,
        title=HOSTILE,
    )


@pytest.fixture(scope="session")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium-driver)")
    options = Options()
    options.binary_location = chromium
    for flag in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    yield started
    started.quit()
