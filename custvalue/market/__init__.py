"""Markets and segments: which markets first, who is alike, where trade and growth come from."""

from custvalue.market._ranker import TargetMarketRanker
from custvalue.market._ranking import PairWeights, pair_weights

__all__ = [
    "PairWeights",
    "TargetMarketRanker",
    "pair_weights",
]
