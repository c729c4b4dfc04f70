"""What other rooms take from this one and a user has no need of."""

from custvalue.report._cells import COUNTED
from custvalue.report._explained import as_the_report_advises
from custvalue.report._playbooks import playbook_of
from custvalue.report._read import begins_with_rows, read_as_written, read_table
from custvalue.report._report import Report
from custvalue.report._sources import FileWords, source_name
from custvalue.report._story import cuts_of_text

__all__ = [
    "COUNTED",
    "FileWords",
    "Report",
    "as_the_report_advises",
    "begins_with_rows",
    "cuts_of_text",
    "playbook_of",
    "read_as_written",
    "read_table",
    "source_name",
]
