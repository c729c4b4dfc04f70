"""Laws and contract checks for models, ours and third parties'."""

__all__: list[str] = []
