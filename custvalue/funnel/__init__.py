"""Deals through stages to won or lost, channels, and small tools for accounts and calls."""

from custvalue.funnel._counts import FunnelCounts
from custvalue.funnel._draws import FunnelDraws
from custvalue.funnel._funnel_chain import FunnelChain
from custvalue.funnel._ledger import DroppedDeals, FunnelLedger
from custvalue.funnel._tables import control_table, overdue_table, sales_velocity
from custvalue.funnel._words import PRESETS

__all__ = [
    "PRESETS",
    "DroppedDeals",
    "FunnelChain",
    "FunnelCounts",
    "FunnelDraws",
    "FunnelLedger",
    "control_table",
    "overdue_table",
    "sales_velocity",
]
