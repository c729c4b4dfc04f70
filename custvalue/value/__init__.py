"""Purchases x spend x margin x discount -> money; classic formulas."""

__all__: list[str] = []
