"""RFM, silence, lifecycle stages, grades, matrices."""

__all__: list[str] = []
