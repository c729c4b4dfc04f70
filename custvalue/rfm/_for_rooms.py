"""What other rooms take from this one and a user has no need of."""

from custvalue.rfm._segment_test import SegmentTest

__all__ = ["SegmentTest"]
