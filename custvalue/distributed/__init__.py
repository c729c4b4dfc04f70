"""The ordinary local objects over partitions of an existing engine, and as SQL of a warehouse."""

from custvalue.distributed._predict import predict
from custvalue.distributed._score_sql import score_sql

__all__ = ["predict", "score_sql"]
