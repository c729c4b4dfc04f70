"""What other rooms need of this one, and no user types."""

from custvalue.evaluation._verdict import Verdict

__all__ = ["Verdict"]
