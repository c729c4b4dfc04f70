"""What several files of this room start from."""

from __future__ import annotations

import pytest

import custvalue as cv


@pytest.fixture(scope="module")
def history(cdnow_sample):
    """Panel of every fourth customer of the sample, 39 weeks."""
    return cv.panel(
        cdnow_sample[cdnow_sample["customer_id"] % 4 == 0],
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1997-09-30",
        period="4W",
    )


@pytest.fixture(scope="module")
def last(history):
    """Each customer's row to be valued."""
    return history.groupby("customer_id").tail(1)
