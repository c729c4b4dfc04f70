"""What other rooms need of this one, and no user types."""

from custvalue.monthly._comparison import NAMES, WhatChanged
from custvalue.monthly._scores import read_parquet, says_of_itself, write_table

__all__ = ["NAMES", "WhatChanged", "read_parquet", "says_of_itself", "write_table"]
