"""Grades by value, the activity-loyalty matrix, concentration, and portraits of groups."""

from custvalue.grades._grades import Concentration, Pareto, ValueGrades, concentration, pareto
from custvalue.grades._matrix import ActivityLoyaltyMatrix, RankLaw, rank_law
from custvalue.grades._portrait import Portrait, portrait
from custvalue.grades._profile import profile_table

__all__ = [
    "ActivityLoyaltyMatrix",
    "Concentration",
    "Pareto",
    "Portrait",
    "RankLaw",
    "ValueGrades",
    "concentration",
    "pareto",
    "portrait",
    "profile_table",
    "rank_law",
]
