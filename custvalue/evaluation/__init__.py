"""Rolling-origin backtests over any estimator."""

__all__: list[str] = []
