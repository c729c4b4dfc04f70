"""Any table in, float arrays out; arrays in, the same kind of table out.

Also the facts that travel with a table (its unit, as-of date, customer column, row ledger): in
``attrs`` of a pandas frame, in the schema metadata of a pyarrow table (so both survive Parquet), in
a weak side table for every other kind.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._dates import read_texts
from custvalue._units import days_per
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    TimeUnitError,
    first_ids,
    no_column,
)

KEY = "custvalue"
BTYD = ("frequency", "recency", "T")  # what a purchase law reads of a customer
# counted, timed or paid: a truth value is none of it
QUANTITIES = frozenset(
    (*BTYD, "silence", "monetary_value", "n_orders", "total_value", "mean_value", "n_gaps",
     "gap_mean", "gap_max", "gap_sum", "gap_std", "spend", "profit", "orders", "age")
)  # fmt: skip
# id of a living table -> its facts; frames have no hash, so a weak-keyed dictionary can't hold them
_beside: dict[int, dict[str, Any]] = {}


@dataclass(frozen=True)
class TableFacts:
    """What a table says of itself.

    Parameters
    ----------
    kind : str
        ``"summary"`` (one row a customer) or ``"panel"`` (one row a customer-period).
    customer : str
        Name of the customer column.
    unit : str
        Unit of ``recency``, ``T``, ``silence`` and the gaps (for a panel: of its age).
    as_of : str
        End of observation, ISO date or timestamp.
    period : str or None
        Length of a panel's period, e.g. ``"4W"``.
    ledger : dict
        The row ledger as plain JSON values.
    extra : dict
        Anything else a room wants to keep, plain JSON values.
    """

    kind: str
    customer: str
    unit: str
    as_of: str
    period: str | None = None
    ledger: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def opened(X: Any, *, eager_only: bool = False) -> Any:
    """Wrap a table of any library; one with several columns of one name is refused.

    Raises
    ------
    DataContractError
        Naming these columns.
    """
    try:
        return nw.from_native(X, eager_only=eager_only)
    except nw.exceptions.DuplicateError:
        names = [str(name) for name in X.columns]
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        raise DataContractError(
            ContractProblem(
                "duplicate-column",
                f"the table has several columns called {', '.join(map(repr, twice))}",
                "Rename or drop all but one.",
            )
        ) from None


def with_facts(frame: Any, facts: TableFacts) -> Any:
    """Attach ``facts`` to ``frame`` without changing its type; returns the frame to use."""
    plain = facts.to_dict()
    if _is_pandas(frame):
        frame.attrs[KEY] = plain
        return frame
    if _is_pyarrow(frame):
        meta = dict(frame.schema.metadata or {})
        meta[KEY.encode()] = json.dumps(plain).encode()
        return frame.replace_schema_metadata(meta)
    if id(frame) not in _beside:
        weakref.finalize(frame, _beside.pop, id(frame), None)
    _beside[id(frame)] = plain
    return frame


def facts_of(frame: Any) -> TableFacts | None:
    """Facts that travel with ``frame``, or None where it has none."""
    if _is_pandas(frame):
        plain = frame.attrs.get(KEY)
    elif _is_pyarrow(frame):
        raw = (frame.schema.metadata or {}).get(KEY.encode())
        plain = json.loads(raw) if raw else None
    else:
        plain = _beside.get(id(frame))
    return TableFacts(**plain) if plain else None


def keep_facts(source: Any, target: Any, **changes: Any) -> Any:
    """Attach the facts of ``source`` (with ``changes``) to ``target``, where there are any."""
    facts = facts_of(source)
    return target if facts is None else with_facts(target, replace(facts, **changes))


def is_frame(X: Any) -> bool:
    """Whether ``X`` is a data frame of any library that narwhals knows."""
    if isinstance(X, (np.ndarray, list, tuple, Mapping)) or X is None:
        return False
    try:
        opened(X)
    except TypeError:
        return False
    return True


def is_spark(table: Any) -> bool:
    """Whether narwhals wraps a PySpark table, classic or Connect."""
    home = table.implementation
    return bool(home.is_pyspark() or home.is_pyspark_connect())


def column_names(X: Any) -> list[str] | None:
    """Column names of a frame as given, None for anything else."""
    if _is_pandas(X):
        return list(X.columns)
    return list(opened(X).columns) if is_frame(X) else None


def column(X: Any, name: str) -> npt.NDArray[Any]:
    """One column of an eager frame as a numpy array."""
    return opened(X, eager_only=True)[name].to_numpy()


def eager(X: Any) -> Any:
    """Return the frame itself; where it is lazy (polars, DuckDB, Spark), its rows in memory."""
    frame = opened(X)
    return frame.collect().to_native() if isinstance(frame, nw.LazyFrame) else X


def rows_where(X: Any, mask: npt.NDArray[np.bool_]) -> Any:
    """Rows of an eager frame where ``mask`` is True, in order; a pandas index is kept."""
    if _is_pandas(X):
        return X.loc[mask]
    return opened(X, eager_only=True).filter(mask.tolist()).to_native()


def wall_times(
    X: Any, name: str, *, time_format: str | None = None, time_zone: str | None = None
) -> npt.NDArray[np.datetime64]:
    """Read a column of times as ``datetime64[us]`` on the wall clock; NaT where it is missing.

    Times with a zone are shown in ``time_zone``, or in their own where it is None.

    Raises
    ------
    DataContractError
        If it has text that is no time, or is no column of times.
    """
    times = opened(X, eager_only=True)[name]
    if isinstance(times.dtype, nw.Datetime) and times.dtype.time_zone is not None:
        if time_zone is not None:
            times = times.dt.convert_time_zone(time_zone)
        times = times.dt.replace_time_zone(None)
    raw = times.to_numpy()
    if raw.dtype.kind != "M":
        if not len(raw):
            return np.empty(0, dtype="datetime64[us]")
        if raw.dtype.kind in "biufc":
            raise DataContractError(
                ContractProblem(
                    "time-not-a-date",
                    f"column {name!r} has type {times.dtype}, which is no date",
                    "Turn it into datetimes; a number does not say what it counts.",
                )
            )
        parsed, problem = read_texts(pd.Series(raw, dtype=object), name, time_format, time_zone)
        if problem is not None:
            raise DataContractError(problem)
        return wall_times(pd.DataFrame({name: parsed}), name, time_zone=time_zone)
    return raw.astype("datetime64[us]")


def float_columns(
    X: Any, names: Sequence[str], *, allow_missing: Sequence[str] = (), caller: str = "X"
) -> npt.NDArray[np.float64]:
    """Named columns of a frame as a float array of shape (n_rows, len(names)).

    Column after column in memory, as that is how tables keep and estimators read them.

    Raises
    ------
    DataContractError
        Listing every missing column, every column that is not numeric, and every column with
        missing or infinite values (unless in ``allow_missing``), with counts and first rows.
    """
    vectors = float_vectors(X, names, allow_missing=allow_missing, caller=caller)
    out = np.empty((len(vectors[0]), len(names)), dtype=np.float64, order="F")
    for j, vector in enumerate(vectors):
        out[:, j] = vector
    return out


def float_vectors(
    X: Any, names: Sequence[str], *, allow_missing: Sequence[str] = (), caller: str = "X"
) -> list[npt.NDArray[np.float64]]:
    """Named columns of a frame, each in one piece of memory: the frame's own where that will do.

    They are for reading only.

    Raises
    ------
    DataContractError
        As in ``float_columns``.
    """
    # pandas by itself is quicker than through narwhals, which then names a column given twice
    plain = _is_pandas(X) and X.columns.is_unique
    frame = _without_attrs(X) if plain else opened(X, eager_only=True)
    present = set(frame.columns)
    problems: list[ContractProblem] = []
    out = []
    for name in names:
        if name not in present:
            problems.append(
                no_column(
                    name,
                    frame.columns,
                    caller,
                    "custvalue.summarize and custvalue.panel make every column that is needed.",
                )
            )
            continue
        try:
            series = frame[name]
            if not (plain and isinstance(series.dtype, np.dtype) and series.dtype.kind in "fiu"):
                series = nw.from_native(series, series_only=True) if plain else series
                if series.dtype == nw.Boolean and name in QUANTITIES:
                    raise TypeError("truth values")
                if series.dtype.is_temporal():  # would become nanoseconds without a word
                    problems.append(
                        ContractProblem(
                            "dates-for-numbers",
                            f"column {name!r} holds dates or durations",
                            "Count them in a unit, such as days; custvalue.summarize does.",
                        )
                    )
                    continue
                if series.dtype == nw.Boolean:  # a nullable flag: missing becomes NaN
                    series = series.cast(nw.Float64)
            values = series.to_numpy()
            if values.dtype.kind == "c":
                raise TypeError("complex numbers")
            vector = np.ascontiguousarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            problems.append(
                ContractProblem(
                    "not-numeric", f"column {name!r} is not numeric", "Convert it to numbers."
                )
            )
            continue
        out.append(vector)
        if _finite_sum(vector):
            continue
        bad = np.isinf(vector) if name in allow_missing else ~np.isfinite(vector)
        if bad.any():
            problems.append(
                ContractProblem(
                    "not-finite",
                    f"column {name!r} has missing (NaN) or infinite values",
                    "Drop these rows or fill them; row positions are counted from 0.",
                    int(bad.sum()),
                    first_ids(np.flatnonzero(bad)),
                )
            )
    if problems:
        raise DataContractError(problems)
    return out


def _without_attrs(X: Any) -> Any:
    """Look at the same pandas columns without facts, which would be copied with each column."""
    return pd.DataFrame(X, copy=False) if X.attrs else X


def _finite_sum(values: npt.NDArray[np.float64]) -> bool:
    """Whether the sum is finite: then every value is, and no mask has to be made to know it."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.add.reduce(values)))


def frame_like(
    template: Any, columns: Mapping[str, npt.NDArray[Any] | Sequence[Any]], *, index: Any = None
) -> Any:
    """Build a table of the kind of ``template`` (pandas where it is an array) from columns.

    Same rows, same order; a pandas template lends its index.
    """
    if _is_pandas(template) or not is_frame(template):
        if index is None and _is_pandas(template):
            index = template.index
        return pd.DataFrame(dict(columns), index=index)
    native = opened(template, eager_only=True)
    return nw.from_dict(
        {k: np.asarray(v) if not isinstance(v, (list, tuple)) else v for k, v in columns.items()},
        backend=native.implementation,
    ).to_native()


def new_table(template: Any, columns: Mapping[str, Any]) -> Any:
    """Build a table of the kind of ``template`` whose rows are its own: no index is lent."""
    return frame_like(template, columns, index=range(len(next(iter(columns.values())))))


def words_at(template: Any, words: Sequence[str], places: npt.NDArray[Any]) -> Any:
    """Return a column of ``words`` by their places, made for a table of the kind of ``template``.

    pandas takes a column of its own string kind three times faster than one of Python strings.
    """
    if _is_pandas(template) or not is_frame(template):
        return pd.Series(list(words)).array.take(places)
    return np.array(words, dtype=object)[places]


def empty_like(frame: Any) -> Any:
    """Return a table of the same kind and columns without rows: a template that holds no data."""
    return opened(frame, eager_only=True).head(0).to_native()


def _is_pandas(frame: Any) -> bool:
    return nw.dependencies.is_pandas_dataframe(frame)


def _is_pyarrow(frame: Any) -> bool:
    return nw.dependencies.is_pyarrow_table(frame)


def unit_of(X: Any, unit: str | None, *, caller: str = "the estimator") -> str | None:
    """Return the unit of time that a table states, else the given one (which may be None).

    Raises
    ------
    TimeUnitError
        If both are known and differ: ``unit`` would silently rescale every span.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue._frames import TableFacts, unit_of, with_facts
    >>> facts = TableFacts("summary", "id", "W", "2024-01-31")
    >>> table = with_facts(pd.DataFrame({"id": [1]}), facts)
    >>> unit_of(table, None), unit_of([[1.0]], "D"), unit_of([[1.0]], None)
    ('W', 'D', None)
    """
    facts = facts_of(X)
    stated = None if facts is None else (facts.period or facts.unit)
    if stated is None or unit is None or days_per(stated) == days_per(unit):
        return stated or unit
    raise TimeUnitError(
        f"the table counts time in {stated!r}, but {caller} in {unit!r}; "
        f"summarize with unit={unit!r} or refit on a table in {stated!r}."
    )


def weight_column(X: Any) -> npt.NDArray[np.float64] | None:
    """How many customers each row of a table made by ``custvalue.compress`` stands for, else None.

    Raises
    ------
    DataContractError
        If the table has a column ``weight`` beside nothing but what a law reads, as a compressed
        one has, and lost the facts that would say so.
    """
    name = _weight_name(X)
    if name is not None:
        return np.asarray(column(X, name), dtype=np.float64)
    have = column_names(X)
    if have is not None and "weight" in have and set(have) == {*BTYD, "weight"}:
        raise DataContractError(
            ContractProblem(
                "weight",
                "the table has a column 'weight', as custvalue.compress makes it, and does not say "
                "whether its rows stand for that many customers",
                "Pass sample_weight=X['weight'], or leave the column out.",
            )
        )
    return None


def refuse_compressed(X: Any, caller: str) -> None:
    """Raise where a table made by ``custvalue.compress`` is fitted row by row."""
    name = _weight_name(X)
    if name is not None:
        raise DataContractError(
            ContractProblem(
                "weight",
                f"rows of this compressed table stand for several customers (column {name!r}), and "
                f"{caller} counts each row once",
                "Fit it on the table that was compressed.",
            )
        )


def _weight_name(X: Any) -> str | None:
    facts = facts_of(X) if is_frame(X) else None
    name = None if facts is None else facts.extra.get("weight")
    return name if name is not None and name in (column_names(X) or ()) else None


def all_numbers(X: Any) -> bool:
    """Whether no column of a frame is text or dates."""
    return not _words_in(X)


def refuse_words(X: Any, caller: str) -> None:
    """Raise where a table that is read by position has columns of text or dates."""
    words = _words_in(X) if is_frame(X) else []
    if words:
        have = ", ".join(repr(name) for name in (column_names(X) or [])[:20])
        raise DataContractError(
            [
                ContractProblem(
                    "not-numeric",
                    f"{caller}'s X has column {name!r} of {kind}; it has {have}",
                    "Make the table with custvalue.summarize or custvalue.panel.",
                )
                for name, kind in words
            ]
        )


def _words_in(X: Any) -> list[tuple[str, str]]:
    if _is_pandas(X) and not X.columns.is_unique:
        return []
    schema = opened(X).collect_schema()
    words = (nw.String, nw.Categorical, nw.Enum)
    return [
        (name, "dates" if dtype.is_temporal() else "text")
        for name, dtype in schema.items()
        if dtype.is_temporal() or any(dtype == word for word in words)
    ]


def same_rows(X: Any, values: Any, name: str) -> Any:
    """Put a pandas Series beside a pandas table in the order of the table's index.

    Without labels that name rows (other kinds of table or values, an index that only counts)
    values are taken as they stand.

    Raises
    ------
    ValueError
        If the labels are those of other rows.
    """
    if not (_is_pandas(X) and isinstance(values, pd.Series)) or values.index.equals(X.index):
        return values
    counting = isinstance(values.index, pd.RangeIndex) or isinstance(X.index, pd.RangeIndex)
    if len(values) != len(X) or (counting and set(values.index) != set(X.index)):
        return values  # sizes are checked where they are used
    if not (X.index.is_unique and values.index.is_unique and set(values.index) == set(X.index)):
        raise ValueError(
            f"{name} has another index than the table, so its rows cannot be told to belong to the "
            f"table's; give it the table's index, or pass {name}.to_numpy() if the order is right."
        )
    return values.reindex(X.index)
