"""How much a purchase brings."""

__all__: list[str] = []
