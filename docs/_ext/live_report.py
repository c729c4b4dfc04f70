"""Reports of the CDNOW log, made anew as the manual is built, for readers to scroll through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import custvalue
from custvalue.report import make_report

PAGES = {
    "report.html": ("en", "CDNOW, a tenth of the customers"),
    "report_zh.html": ("zh", "CDNOW 十分之一的客户"),
}


def write(app: Any) -> None:
    """Write the pages below the folder that Sphinx copies as it stands."""
    for name, (language, title) in PAGES.items():
        page = Path(app.srcdir) / "_live" / name
        if page.exists() and page.stat().st_mtime > Path(custvalue.__file__).stat().st_mtime:
            continue
        report = make_report(
            custvalue.datasets.load_cdnow("sample"),
            customer="customer_id",
            time="date",
            amount="amount",
            as_of="1998-06-30",
            margin=0.3,
            currency="USD",
            title=title,
            language=language,
        )
        page.write_text(report.html, encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    (Path(app.srcdir) / "_live").mkdir(exist_ok=True)  # Sphinx asks for it before it builds
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
