"""What other rooms take from this one and a user has no need of."""

from custvalue.grades._profile import profile_table

__all__ = [
    "profile_table",
]
