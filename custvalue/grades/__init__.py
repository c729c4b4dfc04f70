"""Grades by value, the activity-loyalty matrix, concentration, and portraits of groups."""

from custvalue.grades._grades import ValueGrades, concentration, pareto
from custvalue.grades._matrix import ActivityLoyaltyMatrix
from custvalue.grades._portrait import portrait

__all__ = [
    "ActivityLoyaltyMatrix",
    "ValueGrades",
    "concentration",
    "pareto",
    "portrait",
]
