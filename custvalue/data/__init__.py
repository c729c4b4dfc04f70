"""Transaction log -> one row a customer, or one row a customer-period."""

from custvalue.data._ledger import Dropped, RowLedger, ledger
from custvalue.data._panel import panel
from custvalue.data._split import DateSplit, split_by_date
from custvalue.data._summary import summarize

__all__ = ["DateSplit", "Dropped", "RowLedger", "ledger", "panel", "split_by_date", "summarize"]
