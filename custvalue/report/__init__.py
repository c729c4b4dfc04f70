"""Numbers -> one JSON-able dict -> one self-contained page."""

__all__: list[str] = []
