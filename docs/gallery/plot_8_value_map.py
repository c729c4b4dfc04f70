"""
What customers get for what they give
=====================================

The value map with its line of fair value, and what to mend first.
"""

import numpy as np
import pandas as pd

random = np.random.default_rng(1)
truth = {"us": (3.7, 3.3, 2.9), "Alpha": (3.4, 3.6, 3.2), "Beta": (2.9, 3.0, 3.9)}
ratings = pd.DataFrame(
    [
        (person, brand, *np.clip(np.round(random.normal(means, 0.9)), 1, 5))
        for person in range(120)
        for brand, means in truth.items()
    ],
    columns=["id", "brand", "quality", "service", "price"],
)

# %%
# Right of and below the line a brand gives more than fair value; a bar that crosses it says that
# the two cannot be told apart.
from custvalue.plotting import ImportancePerformanceDisplay, ValueMapDisplay
from custvalue.survey import PerceivedValue

value = PerceivedValue(
    benefits=["quality", "service"],
    sacrifices=["price"],
    scale=(1, 5),
    respondent="id",
    weights={"quality": 0.7, "service": 0.3, "price": 1.0},
    quality_weight=0.6,
).fit(ratings)
ValueMapDisplay.from_estimator(value)

# %%
# What weighs most in value is up, what we are rated best for is right.
ImportancePerformanceDisplay.from_estimator(value, "us")
