"""How much a purchase brings."""

from custvalue.spend import _gamma_gamma_law as gamma_gamma
from custvalue.spend._gamma_gamma import GammaGamma, GammaGammaParams
from custvalue.spend._independence import Independence
from custvalue.spend._own_mean import OwnMean

__all__ = [
    "GammaGamma",
    "GammaGammaParams",
    "Independence",
    "OwnMean",
    "gamma_gamma",
]
