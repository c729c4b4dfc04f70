"""Small funnels whose numbers are known by hand."""

import numpy as np
import pandas as pd
import pytest

MONDAY = np.datetime64("2024-01-01")


def week_start(week):
    return MONDAY + np.timedelta64(round(7 * week), "D")


def events_of(deals, amounts=None):
    """Event log of ``{deal: [(stage, week), ...]}``."""
    rows = [(deal, stage, week_start(week)) for deal, path in deals.items() for stage, week in path]
    log = pd.DataFrame(rows, columns=["deal", "stage", "time"])
    log["time"] = log["time"].astype("datetime64[us]")
    if amounts is not None:
        log["amount"] = log["deal"].map(amounts).astype(float)
    return log


@pytest.fixture(name="at")
def at_():
    """Date of a week."""
    return week_start


@pytest.fixture(name="events_of")
def events_of_():
    """Event log of ``{deal: [(stage, week), ...]}``."""
    return events_of


@pytest.fixture
def censored():
    """Ten deals of one stage with durations in weeks, four of them open, seen at week 6."""
    ends = ["1w", "2l", "2w", "3w", "3o", "4l", "5o", "5w", "6l", "6o"]
    deals = {}
    for k, end in enumerate(ends):
        weeks, how = int(end[:-1]), end[-1]
        start = 6 - weeks
        deals[k] = [("open", start)]
        if how != "o":
            deals[k].append(({"w": "won", "l": "lost"}[how], 6))
    return events_of(deals)


@pytest.fixture
def six_deals():
    """Six deals through three stages, as of week 8."""
    return events_of(
        {
            1: [("lead", 0), ("qualified", 1), ("proposal", 3), ("won", 4)],
            2: [("lead", 0), ("lost", 2)],
            3: [("lead", 1), ("qualified", 2), ("lost", 5)],
            4: [("lead", 2), ("proposal", 4), ("won", 7)],
            5: [("lead", 3), ("qualified", 6)],
            6: [("lead", 5)],
        }
    )
