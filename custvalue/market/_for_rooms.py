"""What other rooms take from this one and a user has no need of."""

from custvalue.market._growth import PARTS
from custvalue.market._trade import TradeProfile

__all__ = [
    "PARTS",
    "TradeProfile",
]
