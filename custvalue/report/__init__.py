"""Numbers -> one JSON-able dict -> one self-contained page."""

from custvalue.report._funnel import make_funnel_report
from custvalue.report._read import read_log
from custvalue.report._report import make_report
from custvalue.report._survey import make_survey_report

__all__ = [
    "make_funnel_report",
    "make_report",
    "make_survey_report",
    "read_log",
]
