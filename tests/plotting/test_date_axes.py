"""Dates along an axis: for every length of log a few of them, and no warning of the plotter."""

from __future__ import annotations

import warnings

import matplotlib.dates
import numpy as np
import pytest

from custvalue.plotting._style import date_axis, new_axes

HOURS = np.unique(np.round(np.geomspace(1, 60 * 8766, 160)))


@pytest.mark.parametrize("most", [4, 5, 6, 8, 10])
def test_every_span_has_some_dates_and_not_too_many(most):
    ax = new_axes()
    date_axis(ax, "en", most=most)
    start = np.datetime64("2019-02-11T05")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for hours in HOURS:
            ends = matplotlib.dates.date2num([start, start + np.timedelta64(int(hours), "h")])
            ax.set_xlim(*ends)
            shown = ax.xaxis.get_major_locator()()
            inside = (np.asarray(shown) >= ends[0]) & (np.asarray(shown) <= ends[1])
            assert 1 <= inside.sum() <= most + 2, (hours, inside.sum())
    matplotlib.pyplot.close(ax.figure)
