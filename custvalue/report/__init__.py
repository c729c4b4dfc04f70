"""Numbers -> one JSON-able dict -> one self-contained page."""

from custvalue.report._funnel import FunnelReport, make_funnel_report
from custvalue.report._read import read_log, read_table
from custvalue.report._report import Report, make_report
from custvalue.report._survey import SurveyReport, make_survey_report

__all__ = [
    "FunnelReport",
    "Report",
    "SurveyReport",
    "make_funnel_report",
    "make_report",
    "make_survey_report",
    "read_log",
    "read_table",
]
