"""What other rooms take from this one and a user has no need of."""

from custvalue.data._cohorts import CohortTable, Value
from custvalue.data._contribution import Amount, Contribution
from custvalue.data._cutoffs import cutoffs, future_value, horizon_end, known_at
from custvalue.data._examination import Examination
from custvalue.data._examine import look_at
from custvalue.data._history import SUMMARY_FEATURES, WINDOWS, history_frame
from custvalue.data._loose import currency_of, money_text
from custvalue.data._numbered import numbered
from custvalue.data._season import NO_SEASON, Season, known_season, operational
from custvalue.data._walks import Walk, Walks

__all__ = [
    "NO_SEASON",
    "SUMMARY_FEATURES",
    "WINDOWS",
    "Amount",
    "CohortTable",
    "Contribution",
    "Examination",
    "Season",
    "Value",
    "Walk",
    "Walks",
    "currency_of",
    "cutoffs",
    "future_value",
    "history_frame",
    "horizon_end",
    "known_at",
    "known_season",
    "look_at",
    "money_text",
    "numbered",
    "operational",
]
