"""One Display class a file, each a thin layer over a public table."""

__all__: list[str] = []
