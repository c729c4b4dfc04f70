"""Transaction log -> one row a customer, or one row a customer-period."""

from custvalue._row_check import check_rows
from custvalue.data._api import panel, split_by_date, summarize
from custvalue.data._compress import compress
from custvalue.data._from_summary import from_summary
from custvalue.data._ledger import Dropped, RowLedger, ledger
from custvalue.data._purchases import occasions
from custvalue.data._split import DateSplit
from custvalue.data._sql import summary_sql

__all__ = [
    "DateSplit",
    "Dropped",
    "RowLedger",
    "check_rows",
    "compress",
    "from_summary",
    "ledger",
    "occasions",
    "panel",
    "split_by_date",
    "summarize",
    "summary_sql",
]
