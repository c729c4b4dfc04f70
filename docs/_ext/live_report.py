"""A report of the CDNOW log, made anew as the manual is built, for readers to scroll through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import custvalue
from custvalue.report import make_report


def write(app: Any) -> None:
    """Write the page below the folder that Sphinx copies as it stands."""
    page = Path(app.srcdir) / "_live" / "report.html"
    if page.exists() and page.stat().st_mtime > Path(custvalue.__file__).stat().st_mtime:
        return
    report = make_report(
        custvalue.datasets.load_cdnow("sample"),
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1998-06-30",
        margin=0.3,
        currency="USD",
        title="CDNOW, a tenth of the customers",
    )
    page.write_text(report.html, encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    (Path(app.srcdir) / "_live").mkdir(exist_ok=True)  # Sphinx asks for it before it builds
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
