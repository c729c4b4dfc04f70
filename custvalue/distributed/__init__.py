"""The ordinary local objects over partitions of an existing engine."""

__all__: list[str] = []
