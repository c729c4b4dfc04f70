"""What other rooms take from this one and a user has no need of."""

from custvalue.purchase._shifted_beta_geometric import survivor_rows

__all__ = [
    "survivor_rows",
]
