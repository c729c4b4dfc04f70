"""Purchases x spend x margin x discount -> money; classic formulas."""

from custvalue.value._customer_value import CustomerValue
from custvalue.value._naive import RateForward

__all__ = ["CustomerValue", "RateForward"]
