"""Purchases x spend x margin x discount -> money; classic formulas."""

from custvalue.value._customer_value import CustomerValue
from custvalue.value._naive import RateForward
from custvalue.value._stage_value import StageValue, stage_history, stage_value

__all__ = [
    "CustomerValue",
    "RateForward",
    "StageValue",
    "stage_history",
    "stage_value",
]
