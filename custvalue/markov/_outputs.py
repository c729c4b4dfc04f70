"""What people read of a fitted chain: tables, intervals, forecasts by period, equity."""

from __future__ import annotations


class MarkovOutputs:
    """Tables and intervals of a fitted estimator."""
