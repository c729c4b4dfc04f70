"""One report and one browser for all tests of the page."""

from __future__ import annotations

import shutil

import pytest

from custvalue.report import make_report

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="session")
def report(cdnow_sample):
    return make_report(
        cdnow_sample, **NAMES, as_of="1998-06-30", margin=0.3, currency="USD", source="CDNOW"
    )


@pytest.fixture(scope="session")
def chinese_report(cdnow_sample):
    return make_report(
        cdnow_sample, **NAMES, as_of="1998-06-30", margin=0.3, currency="$", language="zh"
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
