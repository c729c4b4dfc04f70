"""Plain functions: arrays in, number out."""

from custvalue.metrics._calibration import calibration_table, decile_calibration_error
from custvalue.metrics._errors import (
    absolute_total_bias_error,
    brier_error,
    interval_coverage,
    interval_error,
    mean_absolute_error,
    mean_tweedie_error,
    root_mean_squared_error,
    total_bias,
)
from custvalue.metrics._ranking import (
    gain_curve,
    normalized_gini_score,
    spearman_score,
    top_share_score,
)
from custvalue.metrics._resampled import resampled_scores
from custvalue.metrics._scorers import scorers, value_scorer
from custvalue.metrics._uplift import (
    Estimate,
    effect_scores,
    outcome_scores,
    qini_score,
    qini_table,
    uplift_at_k,
)
from custvalue.metrics._uplift import check_propensity as check_propensity
from custvalue.metrics._uplift import gains_of as gains_of
from custvalue.metrics._uplift import normal_quantile as normal_quantile
from custvalue.metrics._uplift import qini_of as qini_of

__all__ = [
    "Estimate",
    "absolute_total_bias_error",
    "brier_error",
    "calibration_table",
    "decile_calibration_error",
    "effect_scores",
    "gain_curve",
    "interval_coverage",
    "interval_error",
    "mean_absolute_error",
    "mean_tweedie_error",
    "normalized_gini_score",
    "outcome_scores",
    "qini_score",
    "qini_table",
    "resampled_scores",
    "root_mean_squared_error",
    "scorers",
    "spearman_score",
    "top_share_score",
    "total_bias",
    "uplift_at_k",
    "value_scorer",
]
