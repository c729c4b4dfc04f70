"""A report says that its log begins in the middle of a shop's life."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from custvalue.exceptions import DataWarning
from custvalue.report._old_customers import warn_of_old_customers


def first_orders(counts):
    """Customers whose first order falls into each block of four weeks."""
    start = np.datetime64("2023-01-01")
    born = np.repeat(start + 28 * np.arange(len(counts)).astype("timedelta64[D]"), counts)
    return pd.DataFrame({"first_order": born})


def test_a_log_that_begins_in_the_middle_is_said():
    as_of = np.datetime64("2023-12-31")
    with pytest.warns(DataWarning, match="300 customers .* against 20 in four later ones"):
        warn_of_old_customers(first_orders([300, 90, 40, *[20] * 9]), as_of)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_old_customers(first_orders([300, 280, 250, *[0] * 9]), as_of)  # a cohort
        warn_of_old_customers(first_orders([30] * 12), as_of)  # a shop from its first day
        warn_of_old_customers(first_orders([10, *[1] * 11]), as_of)  # few customers say nothing
