"""Rolling-origin backtests over any estimator, and leak-free tables to learn from."""

from custvalue.data import cutoffs, future_value, history_frame
from custvalue.evaluation._backtest import backtest
from custvalue.evaluation._baselines import LastPeriodRepeated
from custvalue.evaluation._best import BestValue
from custvalue.evaluation._calibrated import CalibratedTotal
from custvalue.evaluation._facts import LogFacts, Regularity, log_facts, regularity
from custvalue.evaluation._features import HistoryFeatures, supervised_frame
from custvalue.evaluation._reads import Candidate, reads_of
from custvalue.evaluation._recommend import Recommendation, recommend, usual_candidates
from custvalue.evaluation._result import BacktestResult
from custvalue.evaluation._split import CustomerTimeSplit, OutOfTimeSplit
from custvalue.evaluation._stacked import StackedValue, usual_parts
from custvalue.evaluation._verdict import Proof, Verdict

__all__ = [
    "BacktestResult",
    "BestValue",
    "CalibratedTotal",
    "Candidate",
    "CustomerTimeSplit",
    "HistoryFeatures",
    "LastPeriodRepeated",
    "LogFacts",
    "OutOfTimeSplit",
    "Proof",
    "Recommendation",
    "Regularity",
    "StackedValue",
    "Verdict",
    "backtest",
    "cutoffs",
    "future_value",
    "history_frame",
    "log_facts",
    "reads_of",
    "recommend",
    "regularity",
    "supervised_frame",
    "usual_candidates",
    "usual_parts",
]
