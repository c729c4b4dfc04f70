"""The ordinary local objects over partitions of an existing engine."""

from custvalue.distributed._predict import predict

__all__ = ["predict"]
