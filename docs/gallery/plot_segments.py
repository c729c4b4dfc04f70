"""
Segments by size and worth
==========================

Area is the number of customers, colour what one of them has spent.
"""

import numpy as np

from custvalue.plotting import SegmentTreemapDisplay

rng = np.random.default_rng(0)
segments = rng.choice(
    ["champion", "loyal", "new", "at risk", "lost"], 2000, p=[0.1, 0.2, 0.2, 0.2, 0.3]
)
spend = rng.gamma(2.0, 50.0, 2000)
display = SegmentTreemapDisplay.from_predictions(segments, spend)
