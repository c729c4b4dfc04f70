"""
How far deals get, and how long they stay
=========================================

A funnel whose open deals are censored, not lost: reach of each stage, and the median time in it.
"""

import numpy as np
import pandas as pd

from custvalue.funnel import FunnelChain

rng = np.random.default_rng(1)
stages = ["lead", "qualified", "proposal", "negotiation"]
rows = []
for deal in range(1500):
    day = int(rng.integers(0, 500))
    for stage, onward in zip(stages, (0.6, 0.7, 0.6, 0.7), strict=True):
        rows.append((deal, stage, day))
        day += int(rng.integers(8, 70))
        if rng.random() > onward:
            rows.append((deal, "lost", day))
            break
    else:
        rows.append((deal, "won", day))
events = pd.DataFrame(rows, columns=["deal", "stage", "day"])
events["time"] = np.datetime64("2023-01-02") + events["day"].to_numpy()

# %%
from custvalue.plotting import FunnelDisplay

funnel = FunnelChain(stages, age_classes=8).fit(events, as_of="2024-05-01")
FunnelDisplay.from_estimator(funnel)

# %%
# The numbers behind it, and where a gain in conversion wins most.
funnel.bottleneck_table().round(3)
