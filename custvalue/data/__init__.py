"""Transaction log -> one row a customer, or one row a customer-period."""

__all__: list[str] = []
