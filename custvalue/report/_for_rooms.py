"""What other rooms take from this one and a user has no need of."""

from custvalue.report._playbooks import playbook_of
from custvalue.report._read import read_table
from custvalue.report._report import Report

__all__ = [
    "Report",
    "playbook_of",
    "read_table",
]
