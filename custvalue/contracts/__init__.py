"""Contracts: subscriptions, how they are renewed and what they are worth."""

from custvalue.contracts._beta_discrete_weibull import BetaDiscreteWeibull
from custvalue.contracts._exponential_gamma import ExponentialGamma
from custvalue.contracts._table import SubscriptionTable
from custvalue.contracts._value import ContractValue
from custvalue.contracts._weibull_gamma import WeibullGamma

__all__ = [
    "BetaDiscreteWeibull",
    "ContractValue",
    "ExponentialGamma",
    "SubscriptionTable",
    "WeibullGamma",
]
