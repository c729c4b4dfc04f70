"""Transaction log -> one row a customer, or one row a customer-period."""

from custvalue._row_check import check_rows
from custvalue.data._api import occasions, panel, split_by_date, summarize
from custvalue.data._cohorts import CohortTable, Value
from custvalue.data._compress import compress
from custvalue.data._contribution import Amount, Contribution
from custvalue.data._cutoffs import cutoffs, future_value
from custvalue.data._cutoffs import horizon_end as horizon_end
from custvalue.data._cutoffs import known_at as known_at
from custvalue.data._from_summary import from_summary
from custvalue.data._history import SUMMARY_FEATURES as SUMMARY_FEATURES
from custvalue.data._history import WINDOWS as WINDOWS
from custvalue.data._history import history_frame
from custvalue.data._ledger import Dropped, RowLedger, ledger
from custvalue.data._log import TransactionLog
from custvalue.data._options import LogOptions
from custvalue.data._season import Season, season_of
from custvalue.data._split import DateSplit
from custvalue.data._sql import summary_sql

__all__ = [
    "Amount",
    "CohortTable",
    "Contribution",
    "DateSplit",
    "Dropped",
    "LogOptions",
    "RowLedger",
    "Season",
    "TransactionLog",
    "Value",
    "check_rows",
    "compress",
    "cutoffs",
    "from_summary",
    "future_value",
    "history_frame",
    "ledger",
    "occasions",
    "panel",
    "season_of",
    "split_by_date",
    "summarize",
    "summary_sql",
]
