"""What other rooms take from this one and a user has no need of."""

from custvalue.likelihood._fit import FittedLaw, search
from custvalue.likelihood._law import Plan, Units

__all__ = [
    "FittedLaw",
    "Plan",
    "Units",
    "search",
]
