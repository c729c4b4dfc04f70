"""What other rooms take from this one and a user has no need of."""

from custvalue.funnel._backtest import FunnelBacktest
from custvalue.funnel._ledger import REASONS
from custvalue.funnel._settings import columns_by

__all__ = [
    "REASONS",
    "FunnelBacktest",
    "columns_by",
]
