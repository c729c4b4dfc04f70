"""Plain functions: arrays in, number out."""

from custvalue.metrics._calibration import calibration_table, decile_calibration_error
from custvalue.metrics._errors import (
    brier_error,
    interval_coverage,
    interval_error,
    mean_tweedie_error,
    total_bias,
)
from custvalue.metrics._ranking import (
    gain_curve,
    normalized_gini_score,
    spearman_score,
    top_share_score,
)
from custvalue.metrics._scorers import value_scorer
from custvalue.metrics._uplift import effect_scores, qini_score, qini_table, uplift_at_k

__all__ = [
    "brier_error",
    "calibration_table",
    "decile_calibration_error",
    "effect_scores",
    "gain_curve",
    "interval_coverage",
    "interval_error",
    "mean_tweedie_error",
    "normalized_gini_score",
    "qini_score",
    "qini_table",
    "spearman_score",
    "top_share_score",
    "total_bias",
    "uplift_at_k",
    "value_scorer",
]
