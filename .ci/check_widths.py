"""Does every page fit its window, at 1200 and at 390 px, and is what is on it seen?

``python .ci/check_widths.py HTML [--all] [--pictures FOLDER]``. Told are pages that scroll
sideways, blocks that stick out of their column without a bar of their own, pictures that do not
load, and text on too faint a ground, by day and by night. Pages of single names of the reference
are alike, so that every tenth is looked at unless ``--all`` is said. Where there is no browser
nothing is, and why.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from browser import browser, missing, resize

WIDTHS = (1200, 390)
LIVE = ("report.html", "report_zh.html")  # pages of their own, with tests of their own
LOOK = (Path(__file__).parent / "look.js").read_text("utf-8")


def ask(driver: Any, function: str) -> list[str]:
    """What one of the functions of ``look.js`` says of the page that is open."""
    return driver.execute_script(f"{LOOK} return {function}()")


def wanted(html: Path, everything: bool) -> list[Path]:
    """Pages to look at."""
    pages = [
        page
        for page in sorted(html.rglob("*.html"))
        if page.relative_to(html).parts[0]
        not in ("_modules", "_static", "report.html", "report_zh.html")
    ]
    single = [page for page in pages if page.name.startswith("custvalue.")]
    left = set() if everything else set(single) - set(single[::10])
    return [page for page in pages if page not in left]


def look(driver: Any, page: Path, pictures: Path | None, name: str) -> list[str]:
    """What is wrong with one page, at each width, by day and by night."""
    told: list[str] = []
    driver.get(page.resolve().as_uri())
    for width in WIDTHS:
        resize(driver, width)
        told += [f"{width} px: {wrong}" for wrong in ask(driver, "misfits")]
        if pictures:
            height = min(int(driver.execute_script("return document.body.scrollHeight")), 9000)
            resize(driver, width, height)
            driver.save_screenshot(str(pictures / f"{name}_{width}.png"))
    for mode in ("light", "dark"):
        driver.execute_script("document.documentElement.dataset.theme = arguments[0]", mode)
        told += [f"{mode}: faint {wrong}" for wrong in ask(driver, "faint")]
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("html", type=Path)
    parser.add_argument("--all", action="store_true", help="every page of the reference, too")
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each page and width")
    chosen = parser.parse_args()
    if why := missing():
        sys.stdout.write(f"widths skipped: {why}\n")
        return
    if chosen.pictures:
        chosen.pictures.mkdir(parents=True, exist_ok=True)
    pages = wanted(chosen.html, chosen.all)
    told = []
    with browser() as driver:
        for page in pages:
            place = page.relative_to(chosen.html).with_suffix("").as_posix()
            found = look(driver, page, chosen.pictures, place.replace("/", "__"))
            told += [f"{place} at {wrong}" for wrong in found]
    sys.stdout.write(f"{len(pages)} pages at {len(WIDTHS)} widths; {len(told)} faults\n")
    if told:
        sys.exit("\n".join(told))


if __name__ == "__main__":
    main()
