"""RFM, silence, lifecycle stages, grades, matrices."""

from custvalue.segment._activation import activation_plan
from custvalue.segment._drift import DriftReport, drift_report, population_stability
from custvalue.segment._effect import CampaignEffect, campaign_effect, detectable_response
from custvalue.segment._gap_prior import (
    GapPrior,
    choose_regularity,
    fit_gap_prior,
    gap_log_likelihood,
    prob_longer_gap,
    prob_order_if_customer,
)
from custvalue.segment._grades import Concentration, Pareto, ValueGrades, concentration, pareto
from custvalue.segment._learned_silence import LearnedSilence, learn_silence, typical_gap
from custvalue.segment._learning import LearningSet, has_ordered, learning_set, ordered_between
from custvalue.segment._lifecycle import LifecycleClassifier
from custvalue.segment._lifecycle_history import StageHistory
from custvalue.segment._log import silence_from_log
from custvalue.segment._matrix import ActivityLoyaltyMatrix, RankLaw, rank_index, rank_law
from custvalue.segment._playbook import playbook
from custvalue.segment._portrait import Portrait, portrait
from custvalue.segment._profile import benjamini_hochberg, profile_table
from custvalue.segment._return_chance import (
    Alike,
    ReturnChance,
    learn_return_chance,
    reliability_table,
    return_measures,
)
from custvalue.segment._rfm import RFMTransformer
from custvalue.segment._rfm_law import (
    VariableCuts,
    bin_bounds,
    bins_of,
    learned_weights,
    nested_cuts,
    quantile_cuts,
    reachable_cells,
    scores_of,
    stone_score,
)
from custvalue.segment._segment_map import SegmentMap
from custvalue.segment._silence import (
    GapFacts,
    gap_digest,
    gap_facts,
    pooled_survival,
    population_silence,
    rank_ratio,
    silence_score,
)
from custvalue.segment._silence_cuts import ThresholdChoice, choose_threshold
from custvalue.segment._silence_scorer import SilenceScorer
from custvalue.segment._stages import problem_share

__all__ = [
    "ActivityLoyaltyMatrix",
    "Alike",
    "CampaignEffect",
    "Concentration",
    "DriftReport",
    "GapFacts",
    "GapPrior",
    "LearnedSilence",
    "LearningSet",
    "LifecycleClassifier",
    "Pareto",
    "Portrait",
    "RFMTransformer",
    "RankLaw",
    "ReturnChance",
    "SegmentMap",
    "SilenceScorer",
    "StageHistory",
    "ThresholdChoice",
    "ValueGrades",
    "VariableCuts",
    "activation_plan",
    "benjamini_hochberg",
    "bin_bounds",
    "bins_of",
    "campaign_effect",
    "choose_regularity",
    "choose_threshold",
    "concentration",
    "detectable_response",
    "drift_report",
    "fit_gap_prior",
    "gap_digest",
    "gap_facts",
    "gap_log_likelihood",
    "has_ordered",
    "learn_return_chance",
    "learn_silence",
    "learned_weights",
    "learning_set",
    "nested_cuts",
    "ordered_between",
    "pareto",
    "playbook",
    "pooled_survival",
    "population_silence",
    "population_stability",
    "portrait",
    "prob_longer_gap",
    "prob_order_if_customer",
    "problem_share",
    "profile_table",
    "quantile_cuts",
    "rank_index",
    "rank_law",
    "rank_ratio",
    "reachable_cells",
    "reliability_table",
    "return_measures",
    "scores_of",
    "silence_from_log",
    "silence_score",
    "stone_score",
    "typical_gap",
]
