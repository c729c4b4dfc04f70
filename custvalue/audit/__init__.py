"""The customer base, looked at before any model: a period, two, a cohort, all cohorts, the whole.

Every table is made of a `TransactionLog` and counts what it counts: its customers, orders and money
add up to those of the ledger.
"""

from custvalue.audit._bridge import period_bridge
from custvalue.audit._cohort import cohort_audit, cohort_layers, payback
from custvalue.audit._period import base_flow, period_audit
from custvalue.audit._rhythm import activity_grid, reorder_table, repeat_rates

__all__ = [
    "activity_grid",
    "base_flow",
    "cohort_audit",
    "cohort_layers",
    "payback",
    "period_audit",
    "period_bridge",
    "reorder_table",
    "repeat_rates",
]
