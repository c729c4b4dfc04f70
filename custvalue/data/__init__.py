"""Transaction log -> one row a customer, or one row a customer-period."""

from custvalue._row_check import check_rows
from custvalue.data._api import occasions, panel, split_by_date, summarize
from custvalue.data._append import update_panel, update_summary
from custvalue.data._append_file import update_file
from custvalue.data._compress import compress
from custvalue.data._examine import examine
from custvalue.data._from_summary import from_summary
from custvalue.data._ledger import ledger
from custvalue.data._log import TransactionLog
from custvalue.data._options import LogOptions
from custvalue.data._season import season_of
from custvalue.data._sql import summary_sql

__all__ = [
    "LogOptions",
    "TransactionLog",
    "check_rows",
    "compress",
    "examine",
    "from_summary",
    "ledger",
    "occasions",
    "panel",
    "season_of",
    "split_by_date",
    "summarize",
    "summary_sql",
    "update_file",
    "update_panel",
    "update_summary",
]
