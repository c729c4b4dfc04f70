"""One search for every law: declared parameters, maximum likelihood, how sure the answer is."""

from custvalue._fitted import FitReport
from custvalue.likelihood._fit import FittedLaw, fit_law, profile, search
from custvalue.likelihood._law import Law, Plan, Rows, Units
from custvalue.likelihood._model import LawModel

__all__ = [
    "FitReport",
    "FittedLaw",
    "Law",
    "LawModel",
    "Plan",
    "Rows",
    "Units",
    "fit_law",
    "profile",
    "search",
]
