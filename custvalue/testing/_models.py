"""The registries: tests of laws and contracts run over every purchase and every spend model."""

from __future__ import annotations

from custvalue.purchase import (
    BGBB,
    BGCNBD,
    BGNBD,
    MBGCNBD,
    MBGNBD,
    NBD,
    BetaBinomialResponse,
    ParetoNBD,
    PurchaseModel,
    ShiftedBetaGeometric,
)
from custvalue.spend import GammaGamma, OwnMean, SpendModel

PURCHASE_MODELS: dict[str, type[PurchaseModel]] = {
    m.__name__: m
    for m in (
        NBD,
        BGNBD,
        MBGNBD,
        BGCNBD,
        MBGCNBD,
        ParetoNBD,
        BGBB,
        ShiftedBetaGeometric,
        BetaBinomialResponse,
    )
}
SPEND_MODELS: dict[str, type[SpendModel]] = {m.__name__: m for m in (GammaGamma, OwnMean)}
