"""What other rooms take from this one and a user has no need of."""

from custvalue.metrics._errors import mean_absolute_error, root_mean_squared_error
from custvalue.metrics._resampled import resampled_scores
from custvalue.metrics._uplift import (
    Estimate,
    check_propensity,
    gains_of,
    normal_quantile,
    outcome_scores,
    qini_of,
)

__all__ = [
    "Estimate",
    "check_propensity",
    "gains_of",
    "mean_absolute_error",
    "normal_quantile",
    "outcome_scores",
    "qini_of",
    "resampled_scores",
    "root_mean_squared_error",
]
