"""What other rooms need of this one, and no user types."""

from custvalue.evaluation._stacked import as_transaction_log
from custvalue.evaluation._story import NAMES, CustomerStory, Said, stories_of
from custvalue.evaluation._verdict import Verdict

__all__ = ["NAMES", "CustomerStory", "Said", "Verdict", "as_transaction_log", "stories_of"]
