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

__all__ = [
    "absolute_total_bias_error",
    "brier_error",
    "calibration_table",
    "decile_calibration_error",
    "gain_curve",
    "interval_coverage",
    "interval_error",
    "mean_absolute_error",
    "mean_tweedie_error",
    "normalized_gini_score",
    "resampled_scores",
    "root_mean_squared_error",
    "scorers",
    "spearman_score",
    "top_share_score",
    "total_bias",
    "value_scorer",
]
