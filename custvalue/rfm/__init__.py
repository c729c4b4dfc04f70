"""Recency, frequency and money: scores, frozen cut points, named segments."""

from custvalue.rfm._rfm import RFMTransformer
from custvalue.rfm._rfm_law import stone_score
from custvalue.rfm._segment_map import SegmentMap

__all__ = ["RFMTransformer", "SegmentMap", "stone_score"]
