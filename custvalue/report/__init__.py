"""Numbers -> one JSON-able dict -> one self-contained page."""

from custvalue.report._funnel import FunnelReport, make_funnel_report
from custvalue.report._read import read_log, read_table
from custvalue.report._report import Report, make_report

__all__ = ["FunnelReport", "Report", "make_funnel_report", "make_report", "read_log", "read_table"]
