"""Deals through stages to won or lost, channels, and small tools for accounts and calls."""

from custvalue.funnel._backtest import FunnelBacktest, backtest_funnel
from custvalue.funnel._counts import FunnelCounts
from custvalue.funnel._deals import deal_frame, from_deals
from custvalue.funnel._draws import FunnelDraws
from custvalue.funnel._drivers import win_drivers
from custvalue.funnel._funnel_chain import FunnelChain
from custvalue.funnel._ledger import DroppedDeals, FunnelLedger
from custvalue.funnel._tables import control_table, overdue_table, sales_velocity
from custvalue.funnel._words import PRESETS

__all__ = [
    "PRESETS",
    "DroppedDeals",
    "FunnelBacktest",
    "FunnelChain",
    "FunnelCounts",
    "FunnelDraws",
    "FunnelLedger",
    "backtest_funnel",
    "control_table",
    "deal_frame",
    "from_deals",
    "overdue_table",
    "sales_velocity",
    "win_drivers",
]
