"""
Which markets to go for
=======================

Markets by how attractive they are and how well the own resources fit them, as large as their size.
"""

import pandas as pd

from custvalue.market import TargetMarketRanker

markets = pd.DataFrame(
    {
        "market": ["auto", "electronics", "retail", "medical"],
        "size": [120, 80, 300, 40],
        "growth": [0.12, 0.25, 0.03, 0.18],
        "competition": [0.35, 0.20, 0.60, 0.15],
        "margin": [0.30, 0.35, 0.18, 0.40],
        "channel": [4, 3, 5, 2],
        "tech": [5, 4, 3, 2],
    }
)
ranker = TargetMarketRanker(
    attractiveness={"size": 0.3, "growth": 0.3, "competition": -0.2, "margin": 0.2},
    resource_fit={"channel": 0.5, "tech": 0.5},
    anchors={"channel": (1, 5), "tech": (1, 5)},
    market="market",
).fit(markets)

# %%
from custvalue.plotting import MarketMatrixDisplay

MarketMatrixDisplay.from_estimator(ranker, markets, markets["size"])
