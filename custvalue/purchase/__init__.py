"""When customers buy and whether they still do: one law and estimator a file."""

__all__: list[str] = []
