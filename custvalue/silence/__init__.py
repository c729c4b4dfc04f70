"""Who has gone quiet, who is worth winning back, and whether a campaign won them."""

from custvalue.campaign import CampaignEffect, campaign_effect, detectable_response
from custvalue.silence._activation import activation_plan
from custvalue.silence._gap_prior import GapPrior
from custvalue.silence._learning import LearningSet, learning_set
from custvalue.silence._log import silence_from_log
from custvalue.silence._return_chance import reliability_table
from custvalue.silence._silence import rank_ratio, silence_score
from custvalue.silence._silence_cuts import ThresholdChoice, choose_threshold
from custvalue.silence._silence_scorer import SilenceScorer

__all__ = [
    "CampaignEffect",
    "GapPrior",
    "LearningSet",
    "SilenceScorer",
    "ThresholdChoice",
    "activation_plan",
    "campaign_effect",
    "choose_threshold",
    "detectable_response",
    "learning_set",
    "rank_ratio",
    "reliability_table",
    "silence_from_log",
    "silence_score",
]
