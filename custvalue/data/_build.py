"""Columns as arrays -> a table of the log's own kind."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue.data._options import origin


def dates(tick: npt.NDArray[np.int64], grain: int) -> npt.NDArray[np.datetime64]:
    """Ticks as datetime64[us], the start of each grain."""
    made = tick * (grain * 1_000_000)
    made += origin(grain) * 1_000_000
    return made.view("datetime64[us]")


def build_table(
    log: Any,
    customer: str,
    ids: Any,
    columns: Mapping[str, Any],
    kept: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """Make a table of the kind of ``log``: the ids, the columns, then ``kept`` series of the log.

    Columns are arrays or series of the log's kind. A missing figure is NaN in pandas and null in
    every other kind.
    """
    frame = nw.from_native(log, eager_only=True)
    if nw.dependencies.is_pandas_dataframe(frame.to_native()):
        series = ids.to_native().reset_index(drop=True)
        own = {
            name: one if isinstance(one, np.ndarray) else one.to_native().reset_index(drop=True)
            for name, one in {**columns, **kept}.items()
        }
        return pd.DataFrame({customer: series, **own}, copy=False)
    made = []
    for name, values in columns.items():
        if not isinstance(values, np.ndarray):
            made.append(values.alias(name))
            continue
        series = nw.new_series(name, values, backend=frame.implementation)
        if values.dtype.kind == "f" and len(values) and np.isnan(values.min()):
            series = series.fill_nan(None)
        made.append(series)
    made += [one.alias(name) for name, one in kept.items()]
    return ids.alias(customer).to_frame().with_columns(*made).to_native()
