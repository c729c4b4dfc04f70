"""Purchases x spend x margin x discount -> money; classic formulas."""

from custvalue.value._classic import (
    CellMeans,
    RecencyMigration,
    RetentionValue,
)
from custvalue.value._customer_value import CustomerValue
from custvalue.value._economics import customer_economics, lever_contributions
from custvalue.value._formulas import (
    migration_value,
    profit_curve_value,
    repeat_sale_value,
    retention_value,
    s_curve_profit,
)
from custvalue.value._indicators import Goal, IndicatorTree
from custvalue.value._learned_value import LearnedValue
from custvalue.value._log import cohort_table, contribution
from custvalue.value._naive import RateForward, SameForAll
from custvalue.value._potential import potential_value
from custvalue.value._seasonal_value import SeasonalValue
from custvalue.value._stage_value import stage_history, stage_value

__all__ = [
    "CellMeans",
    "CustomerValue",
    "Goal",
    "IndicatorTree",
    "LearnedValue",
    "RateForward",
    "RecencyMigration",
    "RetentionValue",
    "SameForAll",
    "SeasonalValue",
    "cohort_table",
    "contribution",
    "customer_economics",
    "lever_contributions",
    "migration_value",
    "potential_value",
    "profit_curve_value",
    "repeat_sale_value",
    "retention_value",
    "s_curve_profit",
    "stage_history",
    "stage_value",
]
