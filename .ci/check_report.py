"""Fail unless the demo's report folder has every table, pictures, and a ledger that adds up."""

import csv
import json
import sys
from pathlib import Path


def main() -> int:
    folder = Path(sys.argv[1])
    html = (folder / "report.html").read_text("utf-8")
    assert html.count("<svg") >= 3, "the report has fewer than three pictures"
    assert html.count("<table") >= 4, "the report has fewer than four tables"
    with (folder / "customers.csv").open(encoding="utf-8", newline="") as file:
        customers = list(csv.DictReader(file))
    assert len(customers) == 23_570, len(customers)
    for column in ("segment", "stage", "silence_score", "future_value"):
        assert sum(bool(row[column]) for row in customers) > 1_000, column
    assert sum(float(row["future_value"]) for row in customers) > 0
    ledger = json.loads((folder / "ledger.json").read_text("utf-8"))
    assert ledger["rows_in"] == 69_659, ledger
    assert ledger["rows_in"] == ledger["rows_used"] + sum(d["rows"] for d in ledger["dropped"])
    sys.stdout.write("report: its content is there and its ledger adds up\n")
    return 0


sys.exit(main())
