"""What other rooms take from this one and a user has no need of."""

from custvalue.rfm._segment_test import SegmentTest, earlier_dates

__all__ = ["SegmentTest", "earlier_dates"]
