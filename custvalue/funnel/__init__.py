"""Deals through stages to won or lost, channels, and small tools for accounts and calls."""

from custvalue.funnel._accounts import (
    account_coverage,
    calls_needed,
    contact_timing,
    need_window,
)
from custvalue.funnel._backtest import backtest_funnel
from custvalue.funnel._channels import channel_attribution, contact_paths
from custvalue.funnel._deals import deal_frame, from_deals
from custvalue.funnel._drivers import win_drivers
from custvalue.funnel._funnel_chain import FunnelChain
from custvalue.funnel._presets import PRESETS
from custvalue.funnel._tables import control_table, early_value, overdue_table

__all__ = [
    "PRESETS",
    "FunnelChain",
    "account_coverage",
    "backtest_funnel",
    "calls_needed",
    "channel_attribution",
    "contact_paths",
    "contact_timing",
    "control_table",
    "deal_frame",
    "early_value",
    "from_deals",
    "need_window",
    "overdue_table",
    "win_drivers",
]
