"""How much a purchase brings: one law and estimator a file."""

from custvalue.spend import _gamma_gamma_law as gamma_gamma
from custvalue.spend._base import SpendModel
from custvalue.spend._gamma_gamma import GammaGamma, GammaGammaParams
from custvalue.spend._independence import Independence
from custvalue.spend._law import SpendLaw
from custvalue.spend._own_mean import OwnMean

__all__ = [
    "MODELS",
    "GammaGamma",
    "GammaGammaParams",
    "Independence",
    "OwnMean",
    "SpendLaw",
    "SpendModel",
    "gamma_gamma",
]

# the registry: every law and contract test runs over it
MODELS: dict[str, type[SpendModel]] = {m.__name__: m for m in (GammaGamma, OwnMean)}
