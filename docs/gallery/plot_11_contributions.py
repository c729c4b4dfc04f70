"""
What a change is due to
=======================

A waterfall from one year's profit to the next one's: steps that add up, whatever their order.
"""

import pandas as pd

from custvalue.plotting import ContributionDisplay
from custvalue.value import IndicatorTree

leaves = pd.DataFrame(
    {
        "year": [2024, 2025],
        "customers": [1000, 1100],
        "orders": [2.0, 1.9],
        "size": [50, 54],
        "margin": [0.30, 0.28],
    }
)
tree = IndicatorTree({"profit": "customers * orders * size * margin"})
tree = tree.with_leaves(leaves, period="year")

# %%
# More customers and larger orders brought more than rarer orders and a thinner margin took.
ContributionDisplay.from_estimator(tree, "profit", 2024, 2025)

# %%
# The numbers behind it.
tree.contributions("profit", 2024, 2025)[["name", "contribution"]].round(2)
