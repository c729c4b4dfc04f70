"""Plain functions: arrays in, number out."""

__all__: list[str] = []
