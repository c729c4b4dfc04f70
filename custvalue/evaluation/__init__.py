"""Rolling-origin backtests over any estimator, and leak-free tables to learn from."""

from custvalue.data._for_rooms import cutoffs, future_value
from custvalue.evaluation._backtest import backtest
from custvalue.evaluation._baselines import LastPeriodRepeated
from custvalue.evaluation._best import BestValue
from custvalue.evaluation._calibrated import CalibratedTotal
from custvalue.evaluation._features import HistoryFeatures, supervised_frame
from custvalue.evaluation._reads import Candidate
from custvalue.evaluation._recommend import recommend
from custvalue.evaluation._result import BacktestResult
from custvalue.evaluation._split import CustomerTimeSplit, OutOfTimeSplit
from custvalue.evaluation._stacked import StackedValue, usual_parts
from custvalue.evaluation._story import explain_customer

__all__ = [
    "BacktestResult",
    "BestValue",
    "CalibratedTotal",
    "Candidate",
    "CustomerTimeSplit",
    "HistoryFeatures",
    "LastPeriodRepeated",
    "OutOfTimeSplit",
    "StackedValue",
    "backtest",
    "cutoffs",
    "explain_customer",
    "future_value",
    "recommend",
    "supervised_frame",
    "usual_parts",
]
