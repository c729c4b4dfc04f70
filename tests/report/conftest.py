"""One report and one browser for all tests of the page."""

from __future__ import annotations

import shutil

import pytest

from custvalue.report import make_report

HOSTILE = "<script>alert(1)</script>"
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}


@pytest.fixture(scope="session")
def report(cdnow_sample):
    """What the command line is asked for in test_cli, so that the two can be compared."""
    return make_report(cdnow_sample, **NAMES, margin=0.3, source="orders.csv")


@pytest.fixture(scope="session")
def chinese_report(cdnow_sample):
    """In Chinese, of a log whose every text is an attack; see test_page."""
    return make_report(
        cdnow_sample.assign(customer_id=HOSTILE + cdnow_sample["customer_id"].astype(str)),
        **NAMES,
        margin=0.3,
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
