"""Numbers -> one JSON-able dict -> one self-contained page."""

from custvalue.report._read import read_log
from custvalue.report._report import Report, make_report

__all__ = ["Report", "make_report", "read_log"]
