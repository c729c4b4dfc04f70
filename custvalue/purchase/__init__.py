"""When customers buy and whether they still do: one law and estimator a file."""

from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._bgnbd import BGNBD
from custvalue.purchase._fit import FitReport
from custvalue.purchase._law import Mixing, Orders, PurchaseLaw
from custvalue.purchase._mbgnbd import MBGNBD
from custvalue.purchase._nbd import NBD
from custvalue.purchase._paretonbd import ParetoNBD
from custvalue.purchase._prior import Prior
from custvalue.purchase._scorer import Scorer

__all__ = [
    "BGNBD",
    "MBGNBD",
    "MODELS",
    "NBD",
    "FitReport",
    "Mixing",
    "Orders",
    "ParetoNBD",
    "Prior",
    "PurchaseLaw",
    "PurchaseModel",
    "Scorer",
]

# the registry: every law and contract test runs over it
MODELS: dict[str, type[PurchaseModel]] = {m.__name__: m for m in (NBD, BGNBD, MBGNBD, ParetoNBD)}
