"""Rolling-origin backtests over any estimator, and leak-free tables to learn from."""

from custvalue.evaluation._backtest import backtest
from custvalue.evaluation._baselines import LastPeriodRepeated
from custvalue.evaluation._features import HistoryFeatures, history_frame, supervised_frame
from custvalue.evaluation._log import TransactionLog, cutoffs, future_value
from custvalue.evaluation._reads import Candidate, reads_of
from custvalue.evaluation._result import BacktestResult
from custvalue.evaluation._split import CustomerTimeSplit, OutOfTimeSplit

__all__ = [
    "BacktestResult",
    "Candidate",
    "CustomerTimeSplit",
    "HistoryFeatures",
    "LastPeriodRepeated",
    "OutOfTimeSplit",
    "TransactionLog",
    "backtest",
    "cutoffs",
    "future_value",
    "history_frame",
    "reads_of",
    "supervised_frame",
]
