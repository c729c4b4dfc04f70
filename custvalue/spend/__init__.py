"""How much a purchase brings: one law and estimator a file."""

from custvalue.spend._base import SpendModel
from custvalue.spend._gamma_gamma import GammaGamma
from custvalue.spend._law import SpendLaw
from custvalue.spend._own_mean import OwnMean

__all__ = [
    "GammaGamma",
    "OwnMean",
    "SpendLaw",
    "SpendModel",
]
