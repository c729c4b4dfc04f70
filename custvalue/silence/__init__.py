"""Who has gone quiet, and who is worth winning back."""

from custvalue.silence._activation import activation_plan, plan_totals
from custvalue.silence._gap_prior import GapPrior
from custvalue.silence._learning import learning_set
from custvalue.silence._log import silence_from_log
from custvalue.silence._silence import rank_ratio, silence_score
from custvalue.silence._silence_cuts import choose_threshold
from custvalue.silence._silence_scorer import SilenceScorer

__all__ = [
    "GapPrior",
    "SilenceScorer",
    "activation_plan",
    "choose_threshold",
    "learning_set",
    "plan_totals",
    "rank_ratio",
    "silence_from_log",
    "silence_score",
]
