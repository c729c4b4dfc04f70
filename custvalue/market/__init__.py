"""Markets and segments: which markets first, who is alike, where trade and growth come from."""

from custvalue.grades._for_rooms import profile_table
from custvalue.market._growth import growth_table
from custvalue.market._market_table import market_table
from custvalue.market._mixed import MixedSegments
from custvalue.market._presets import (
    INDUSTRY_FOUR,
    REACH_FOUR,
    SizeCuts,
    behaviour_three,
    classes_of,
)
from custvalue.market._ranker import TargetMarketRanker
from custvalue.market._ranking import pair_weights
from custvalue.market._segments import MarketSegments
from custvalue.market._trade import trade_profile
from custvalue.market._variance import variance_of

__all__ = [
    "INDUSTRY_FOUR",
    "REACH_FOUR",
    "MarketSegments",
    "MixedSegments",
    "SizeCuts",
    "TargetMarketRanker",
    "behaviour_three",
    "classes_of",
    "growth_table",
    "market_table",
    "pair_weights",
    "profile_table",
    "trade_profile",
    "variance_of",
]
