"""When customers buy and whether they still do: one law and estimator a file."""

from custvalue.purchase._alive_error import alive_interval
from custvalue.purchase._base import PurchaseModel
from custvalue.purchase._beta_binomial import BetaBinomialResponse
from custvalue.purchase._bgbb import BGBB
from custvalue.purchase._bgcnbd import BGCNBD
from custvalue.purchase._bgnbd import BGNBD
from custvalue.purchase._law import Mixing, Orders, PurchaseLaw
from custvalue.purchase._mbgcnbd import MBGCNBD
from custvalue.purchase._mbgnbd import MBGNBD
from custvalue.purchase._nbd import NBD
from custvalue.purchase._next_date import next_order_dates
from custvalue.purchase._paretonbd import ParetoNBD
from custvalue.purchase._prior import Prior
from custvalue.purchase._shifted_beta_geometric import ShiftedBetaGeometric
from custvalue.purchase._varying_bgnbd import VaryingBGNBD
from custvalue.purchase._varying_paretonbd import VaryingParetoNBD

__all__ = [
    "BGBB",
    "BGCNBD",
    "BGNBD",
    "MBGCNBD",
    "MBGNBD",
    "NBD",
    "BetaBinomialResponse",
    "Mixing",
    "Orders",
    "ParetoNBD",
    "Prior",
    "PurchaseLaw",
    "PurchaseModel",
    "ShiftedBetaGeometric",
    "VaryingBGNBD",
    "VaryingParetoNBD",
    "alive_interval",
    "next_order_dates",
]
