"""What other rooms take from this one and a user has no need of."""

from custvalue.lifecycle._lifecycle_history import StageHistory

__all__ = [
    "StageHistory",
]
