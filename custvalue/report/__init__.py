"""Numbers -> one JSON-able dict -> one self-contained page."""

from custvalue.report._read import read_log
from custvalue.report._report import Report, make_report
from custvalue.report._survey import SurveyReport, make_survey_report

__all__ = ["Report", "SurveyReport", "make_report", "make_survey_report", "read_log"]
