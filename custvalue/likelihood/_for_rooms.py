"""What other rooms take from this one and a user has no need of."""

from custvalue.likelihood._by_row import LawByRow, RowsOfCustomers
from custvalue.likelihood._columns import Told
from custvalue.likelihood._effects import ColumnsAsked, Effects, learn_effects, own_parameters
from custvalue.likelihood._fit import FittedLaw, search
from custvalue.likelihood._groups import (
    ByGroup,
    FittedGroups,
    Unseen,
    read_groups,
    root,
)
from custvalue.likelihood._law import ByPair, Plan, Process, Units

__all__ = [
    "ByGroup",
    "ByPair",
    "ColumnsAsked",
    "Effects",
    "FittedGroups",
    "FittedLaw",
    "LawByRow",
    "Plan",
    "Process",
    "RowsOfCustomers",
    "Told",
    "Units",
    "Unseen",
    "learn_effects",
    "own_parameters",
    "read_groups",
    "root",
    "search",
]
