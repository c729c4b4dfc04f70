"""Transaction log -> one row a customer, or one row a customer-period."""

from custvalue.data._api import panel, split_by_date, summarize
from custvalue.data._ledger import Dropped, RowLedger, ledger
from custvalue.data._split import DateSplit

__all__ = ["DateSplit", "Dropped", "RowLedger", "ledger", "panel", "split_by_date", "summarize"]
