"""What other rooms take from this one and a user has no need of."""

from custvalue.plotting._forecast import tracking_table
from custvalue.plotting._style import (
    BAR,
    BLUE,
    INK,
    ORANGE,
    plain_numbers,
    quiet_axes,
    set_letters,
    state_names,
)
from custvalue.plotting._transitions import flow_table
from custvalue.plotting._worth import concentration_table

__all__ = [
    "BAR",
    "BLUE",
    "INK",
    "ORANGE",
    "concentration_table",
    "flow_table",
    "plain_numbers",
    "quiet_axes",
    "set_letters",
    "state_names",
    "tracking_table",
]
