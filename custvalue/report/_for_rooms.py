"""What other rooms take from this one and a user has no need of."""

from custvalue.report._read import read_table
from custvalue.report._report import Report

__all__ = [
    "Report",
    "read_table",
]
