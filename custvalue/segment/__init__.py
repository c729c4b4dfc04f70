"""RFM, silence, lifecycle stages, grades, matrices."""

from custvalue.segment._drift import DriftReport, population_stability
from custvalue.segment._grades import Concentration, Pareto, ValueGrades, concentration, pareto
from custvalue.segment._lifecycle import LifecycleClassifier
from custvalue.segment._lifecycle_history import StageHistory
from custvalue.segment._matrix import ActivityLoyaltyMatrix, RankLaw, rank_index, rank_law
from custvalue.segment._playbook import playbook
from custvalue.segment._rfm import RFMTransformer
from custvalue.segment._rfm_law import (
    VariableCuts,
    bin_bounds,
    bins_of,
    learned_weights,
    nested_cuts,
    quantile_cuts,
    scores_of,
    stone_score,
)
from custvalue.segment._segment_map import SegmentMap
from custvalue.segment._silence import (
    GapFacts,
    gap_facts,
    population_silence,
    rank_ratio,
    silence_score,
)
from custvalue.segment._silence_scorer import SilenceScorer

__all__ = [
    "ActivityLoyaltyMatrix",
    "Concentration",
    "DriftReport",
    "GapFacts",
    "LifecycleClassifier",
    "Pareto",
    "RFMTransformer",
    "RankLaw",
    "SegmentMap",
    "SilenceScorer",
    "StageHistory",
    "ValueGrades",
    "VariableCuts",
    "bin_bounds",
    "bins_of",
    "concentration",
    "gap_facts",
    "learned_weights",
    "nested_cuts",
    "pareto",
    "playbook",
    "population_silence",
    "population_stability",
    "quantile_cuts",
    "rank_index",
    "rank_law",
    "rank_ratio",
    "scores_of",
    "silence_score",
    "stone_score",
]
