"""Is what a newcomer looks for found: within three clicks from the first page, and by one search?

``python .ci/check_tasks.py HTML [--write PAGE]``. Clicks are counted on the built pages: the links
that a reader sees at 1200 px, followed breadth first. Searches are made by the manual's own script
in a browser; where there is none, that half is skipped and says why. ``--write`` renews the table
of the page that shows the result.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import deque
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from browser import browser, missing

CLICKS, FIRST = 3, 3
PAGE = "develop/tasks"  # lists every task itself, so that it counts for nothing
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Task:
    """What somebody wants, the pages that answer it, the words that may be typed for it."""

    wanted: str
    pages: tuple[str, ...]
    searches: tuple[str, ...]


TASKS = (
    Task(
        "install it",
        ("start/install",),
        ("installation", "install", "pip install", "requirements", "python version"),
    ),
    Task(
        "know what columns my file must have",
        ("howto/read_any_file", "howto/summarize_a_log"),
        ("required columns", "csv columns", "excel", "input format", "date format"),
    ),
    Task(
        "get a report without writing code",
        ("howto/make_a_report",),
        ("report", "command line report", "pdf report", "dashboard"),
    ),
    Task(
        "see whether my data are sound",
        ("howto/examine_a_log",),
        ("data quality", "check data", "missing values", "outliers"),
    ),
    Task(
        "name my segments (RFM)",
        ("models/rfm",),
        ("rfm", "rfm segments", "customer segmentation", "rfm score"),
    ),
    Task(
        "find who has gone quiet",
        ("howto/win_back_quiet_customers", "models/silence"),
        (
            "quiet customers",
            "churned customers",
            "win back",
            "inactive customers",
            "churn prediction",
        ),
    ),
    Task(
        "send a campaign list",
        ("howto/win_back_quiet_customers", "tutorial"),
        ("campaign list", "whom to contact", "mailing list"),
    ),
    Task(
        "know whether a campaign worked",
        ("howto/measure_a_campaign",),
        ("control group", "campaign effect", "ab test", "sample size"),
    ),
    Task(
        "say what each customer is worth",
        ("models/customer_value", "models/best_value", "explain/which_clv"),
        ("customer lifetime value", "clv", "ltv", "predict revenue", "discount rate"),
    ),
    Task(
        "choose a model",
        ("howto/choose_a_model",),
        ("which model", "choose a model", "best model"),
    ),
    Task("compare models on my log", ("howto/compare_models",), ("compare models", "backtest")),
    Task(
        "know how far a forecast may be trusted",
        ("models/best_value", "explain/honesty", "explain/backtest"),
        ("verdict", "forecast accuracy", "how accurate", "confidence interval"),
    ),
    Task(
        "save a model and load it again",
        ("howto/every_month",),
        (
            "save a model",
            "load a model",
            "pickle",
            "persist model",
            "store fitted model json",
            "serialize",
        ),
    ),
    Task(
        "score every month",
        ("howto/every_month",),
        ("monthly run", "every month", "batch scoring", "schedule"),
    ),
    Task(
        "bring several currencies together",
        ("howto/read_any_file",),
        ("currency", "currencies", "exchange rates"),
    ),
    Task(
        "let columns of customers count (covariates)",
        ("howto/columns_of_customers",),
        ("covariates", "covariate", "customer attributes", "demographics"),
    ),
    Task(
        "score in the warehouse",
        ("howto/warehouse",),
        ("warehouse", "sql", "database scoring", "bigquery"),
    ),
    Task(
        "have labels and tables in Chinese",
        ("zh/index", "zh/habits", "zh/report", "zh/tutorial"),
        (
            "chinese",
            "language zh",
            "复购率",
            "回购周期",
            "重要价值客户",
            "客户终身价值",
            "营销名单",
            "流失",
        ),
    ),
    Task("cite it", ("start/cite",), ("cite", "citation", "bibliography", "license")),
    Task("add a law of my own", ("howto/add_a_model",), ("add a law", "own model", "custom model")),
    Task(
        "try it without data of my own",
        ("howto/read_any_file", "start/install"),
        ("sample data", "example dataset", "demo data"),
    ),
    Task(
        "understand a warning",
        ("howto/errors_and_warnings",),
        ("error message", "warning", "suppress warnings"),
    ),
    Task(
        "see cohorts and when they pay back",
        ("howto/audit_a_customer_base",),
        ("cohort analysis", "retention rate", "payback", "acquisition cost"),
    ),
    Task(
        "answer for one customer at a time",
        ("howto/serve_single_customers", "howto/serve_over_http"),
        ("rest api", "real time", "fastapi"),
    ),
    Task(
        "explain one forecast",
        ("howto/explain_one_customer",),
        ("explain prediction", "why this customer"),
    ),
    Task(
        "tune parameters without leaks",
        ("howto/search_with_out_of_time_splits",),
        ("grid search", "cross validation", "hyperparameter"),
    ),
    Task("delete a customer, keep data private", ("start/privacy",), ("gdpr", "delete customer")),
    Task(
        "value contracts and subscriptions",
        ("models/contracts", "start/first_hour_subscription"),
        ("subscription", "saas", "mrr"),
    ),
    Task(
        "find groups of customers in columns",
        ("models/markets",),
        ("clustering", "kmeans", "personas"),
    ),
    Task("work with a log that is too large", ("howto/big_data",), ("spark", "out of memory")),
)


class Links(HTMLParser):
    """Addresses of the links of a page that a reader sees; its title."""

    VOID = frozenset(
        ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"]
    ) | {"source", "track", "wbr"}

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}
        self.open: list[bool] = []  # of each open element: is it, or one around it, hidden?
        self.title = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        classes = (of.get("class") or "").split()
        # the dialogs are the menus of a narrow window; headerlinks lead to where one is
        hidden = (
            (self.open and self.open[-1])
            or tag in ("dialog", "head")
            or "headerlink" in classes
            or "toctree-checkbox" in classes
            or "hidden" in of
        )
        self._in_title = tag == "title"
        if tag == "a" and not hidden and of.get("href"):
            self.found[str(of["href"])] = None
        if tag not in self.VOID:
            self.open.append(bool(hidden))

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        if tag not in self.VOID and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data


def links(html: Path, page: str) -> list[str]:
    """Names of the pages that a page links to, in the order of their links."""
    parser = Links()
    parser.feed((html / f"{page}.html").read_text("utf-8"))
    names: dict[str, None] = {}
    for address in parser.found:
        place = unquote(address.split("#")[0])
        if not place or re.match(r"\w+:", place) or not place.endswith(".html"):
            continue
        path = os.path.normpath(Path(page).parent / place).removesuffix(".html")
        if (html / f"{path}.html").exists():
            names[path] = None
    return list(names)


def ways(html: Path) -> dict[str, list[str]]:
    """Shortest way from the first page to each page: the names of the pages on it."""
    found = {"index": []}
    ahead = deque(["index"])
    while ahead:
        here = ahead.popleft()
        for name in links(html, here):
            if name not in found and name != PAGE:
                found[name] = [*found[here], name]
                ahead.append(name)
    return found


# the manual's own search: what its page shows, in its order, a page once
SEARCH = """
const parsed = Search._parseQuery(arguments[0]);
const seen = new Set();
const names = Search._performSearch(...parsed).reverse().map(result => result[0]);
return names.filter(name => name !== arguments[1] && !seen.has(name) && seen.add(name));
"""


def searches(html: Path) -> dict[str, list[str]]:
    """Pages that each search finds, the first first."""
    with browser() as driver:
        driver.get((html / "search.html").resolve().as_uri() + "?q=install")
        from selenium.webdriver.support.ui import WebDriverWait

        def ready(driver: Any) -> bool:
            return bool(driver.execute_script("return Search.hasIndex()"))

        WebDriverWait(driver, 60).until(ready)
        words = [word for task in TASKS for word in task.searches]
        return {word: driver.execute_script(SEARCH, word, PAGE) for word in words}


def rank(found: list[str], pages: tuple[str, ...]) -> int | None:
    """Place of the first of these pages among what was found; None where none is."""
    places = [found.index(page) + 1 for page in pages if page in found]
    return min(places, default=None)


def table(way: dict[str, list[str]], found: dict[str, list[str]]) -> str:
    """Markdown of the result."""
    lines = ["| what a newcomer wants | page | clicks | searches, and the place of the page |"]
    lines.append("|---|---|---|---|")
    for task in TASKS:
        page = min(task.pages, key=lambda name: len(way[name]))
        told = ", ".join(f"{word}: {rank(found[word], task.pages)}" for word in task.searches)
        lines.append(f"| {task.wanted} | [{page}](../{page}.md) | {len(way[page])} | {told} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("html", type=Path)
    parser.add_argument("--write", type=Path, help="page whose table is renewed")
    chosen = parser.parse_args()
    way = ways(chosen.html)
    wrong = []
    for task in TASKS:
        clicks = min(len(way.get(page, [None] * 99)) for page in task.pages)
        if clicks > CLICKS:
            wrong.append(f"{task.wanted}: {clicks} clicks")
    shown = (ROOT / "docs" / f"{PAGE}.md").read_text("utf-8")
    told = f"{len(TASKS)} tasks"
    why = missing()
    if why:
        told += f"; searches skipped: {why}"
    else:
        found = searches(chosen.html)
        for task in TASKS:
            for word in task.searches:
                place = rank(found[word], task.pages)
                if place is None or place > FIRST:
                    wrong.append(f"{task.wanted}: '{word}' finds it at {place}: {found[word][:4]}")
        told += f", {len(found)} searches"
        if chosen.write and not wrong:
            head = shown.split("\n| what a newcomer wants")[0]
            head = re.sub(r"\d{4}-\d\d-\d\d", str(date.today()), head)
            shown = head + "\n" + table(way, found) + "\n"
            chosen.write.write_text(shown, "utf-8")
    wrong += [f"{task.wanted}: not on {PAGE}.md" for task in TASKS if task.wanted not in shown]
    sys.stdout.write(f"{told}; {len(wrong)} not found\n")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
