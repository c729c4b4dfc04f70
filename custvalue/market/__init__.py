"""Markets and segments: which markets first, who is alike, where trade and growth come from."""

from custvalue.grades import profile_table
from custvalue.market._blocks import Stability
from custvalue.market._growth import PARTS as PARTS
from custvalue.market._growth import growth_table
from custvalue.market._market_table import herfindahl, market_table
from custvalue.market._mixed import MixedSegments
from custvalue.market._presets import (
    INDUSTRY_FOUR,
    REACH_FOUR,
    SizeCuts,
    behaviour_three,
    classes_of,
    learn_size_cuts,
)
from custvalue.market._ranker import TargetMarketRanker
from custvalue.market._ranking import PairWeights, pair_weights
from custvalue.market._segments import MarketSegments
from custvalue.market._trade import TradeProfile, trade_profile
from custvalue.market._variance import Variance, variance_of

__all__ = [
    "INDUSTRY_FOUR",
    "REACH_FOUR",
    "MarketSegments",
    "MixedSegments",
    "PairWeights",
    "SizeCuts",
    "Stability",
    "TargetMarketRanker",
    "TradeProfile",
    "Variance",
    "behaviour_three",
    "classes_of",
    "growth_table",
    "herfindahl",
    "learn_size_cuts",
    "market_table",
    "pair_weights",
    "profile_table",
    "trade_profile",
    "variance_of",
]
