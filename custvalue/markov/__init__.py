"""Markov-chain customer value over discrete states."""

__all__: list[str] = []
