"""Contracts: subscriptions, how they are renewed and what they are worth."""

from custvalue.contracts._table import SubscriptionTable

__all__ = [
    "SubscriptionTable",
]
