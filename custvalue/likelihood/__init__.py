"""One search for every law: declared parameters, maximum likelihood, how sure the answer is."""

from custvalue.likelihood._fit import fit_law
from custvalue.likelihood._law import Law
from custvalue.likelihood._lr_test import lr_test
from custvalue.likelihood._model import LawModel

__all__ = [
    "Law",
    "LawModel",
    "fit_law",
    "lr_test",
]
