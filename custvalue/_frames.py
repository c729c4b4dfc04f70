"""Any table in, float arrays out; arrays in, the same kind of table out.

Also the facts that travel with a table (its unit, as-of date, customer column, row ledger): in
``attrs`` of a pandas frame, in the schema metadata of a pyarrow table (so both survive Parquet), in
a weak side table for every other kind. Where they were lost, the rows still tell unit and as-of
date (``time_scale_of``).
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._dates import number_problem, read_texts, reads_digits
from custvalue._time_scale import TimeScale, time_scale_of_panel, time_scale_of_summary
from custvalue._units import days_per, same_unit
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    TimeUnitError,
    no_column,
)

KEY = "custvalue"
BTYD = ("frequency", "recency", "T")  # what a purchase law reads of a customer
# counted, timed or paid: a truth value is none of it
QUANTITIES = frozenset(
    (*BTYD, "silence", "monetary_value", "n_orders", "total_value", "mean_value", "n_gaps",
     "gap_mean", "gap_max", "gap_sum", "gap_std", "litt", "spend", "profit", "orders", "age")
)  # fmt: skip
# measured in the table's unit of time
TIME_COLUMNS = ("silence", "recency", "T", "gap_mean", "gap_max", "gap_sum", "gap_std")
# what programs write as text where they have nothing to write
NOTHING = ("", "NA", "N/A", "#N/A", "<NA>", "NaN", "nan", "NaT", "null", "Null", "NULL", "None",
           "none", "NONE", "(null)", "\\N")  # fmt: skip
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
        plain = (frame.schema.metadata or {}).get(KEY.encode())
    else:
        plain = _beside.get(id(frame))
    return _read_facts(plain) if plain else None


def _read_facts(plain: Any) -> TableFacts:
    """Read facts that came with a file, which anybody may have written, or refuse them by name."""
    wanted = {f.name for f in fields(TableFacts)}
    try:
        known = json.loads(plain) if isinstance(plain, (bytes, str)) else dict(plain)
        if strange := sorted(map(str, {*known} - wanted)):
            raise ValueError(f"{', '.join(strange[:5])} is none of them")
        facts = TableFacts(**known)
        for name in ("kind", "customer", "unit", "as_of"):
            if not isinstance(getattr(facts, name), str):
                raise ValueError(f"{name} is no text")
        days_per(facts.unit)
        np.datetime64(facts.as_of[:19])  # without a zone
        if facts.period is not None:
            days_per(facts.period)
        if not isinstance(facts.ledger, dict) or not isinstance(facts.extra, dict):
            raise ValueError("ledger and extra must be dictionaries")
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DataContractError(
            ContractProblem(
                "table-facts",
                f"what the table says of itself (attrs or schema metadata {KEY!r}) was not written "
                f"by this library: {error}",
                f"Make the table by summarize or panel, or take {KEY!r} out of attrs or metadata.",
            )
        ) from None
    return facts


def keep_facts(source: Any, target: Any, **changes: Any) -> Any:
    """Attach the facts of ``source`` (with ``changes``) to ``target``, where there are any."""
    facts = facts_of(source)
    return target if facts is None else with_facts(target, replace(facts, **changes))


def is_frame(X: Any) -> bool:
    """Whether ``X`` is a data frame of any library that narwhals knows."""
    return _opened_or_none(X) is not None


def _opened_or_none(X: Any) -> Any:
    """Wrap a table of any library; None for anything else."""
    if isinstance(X, (np.ndarray, list, tuple, Mapping)) or X is None:
        return None
    try:
        return opened(X)
    except TypeError:
        return None


def is_spark(table: Any) -> bool:
    """Whether narwhals wraps a PySpark table, classic or Connect."""
    home = table.implementation
    return bool(home.is_pyspark() or home.is_pyspark_connect())


def column_names(X: Any) -> list[str] | None:
    """Column names of a frame as given, None for anything else."""
    if _is_pandas(X) or nw.dependencies.is_dask_dataframe(X):
        return list(X.columns)
    frame = _opened_or_none(X)
    return None if frame is None else list(frame.columns)


def column(X: Any, name: str) -> npt.NDArray[Any]:
    """One column of an eager frame as a numpy array."""
    return opened(X, eager_only=True)[name].to_numpy()


def eager(X: Any, names: Sequence[str] | None = None) -> Any:
    """Return the frame itself; where it is lazy (polars, DuckDB, Spark), its rows in memory.

    Of a lazy frame only the columns ``names`` are fetched, where they are given.
    """
    if nw.dependencies.is_dask_dataframe(X):
        return (X if names is None else X[list(names)]).compute()
    frame = opened(X)
    if not isinstance(frame, nw.LazyFrame):
        return X
    return (frame if names is None else frame.select(*names)).collect().to_native()


def n_rows(X: Any) -> int:
    """Count the rows of an eager frame."""
    return len(X) if _is_pandas(X) else len(opened(X, eager_only=True))


def native_column(X: Any, name: str) -> Any:
    """One column in a kind that pandas takes as it is: a pandas series, else a numpy array."""
    return X[name] if _is_pandas(X) else column(X, name)


def rows_where(X: Any, mask: npt.NDArray[np.bool_]) -> Any:
    """Rows of an eager frame where ``mask`` is True, in order; a pandas index is kept."""
    if _is_pandas(X):
        return X.loc[mask]
    return opened(X, eager_only=True).filter(mask.tolist()).to_native()


def rows_between(X: Any, start: int, stop: int) -> Any:
    """Rows ``start`` to ``stop`` of an array or an eager frame, not copied where that can be."""
    if not is_frame(X):
        return X[start:stop]
    if start == 0 and stop == len(X):
        return X
    if _is_pandas(X):
        return _without_attrs(X).iloc[start:stop]
    return opened(X, eager_only=True)[start:stop].to_native()


def rows_at(X: Any, rows: npt.NDArray[Any]) -> Any:
    """Rows of an eager frame by position; a pandas index begins anew."""
    if _is_pandas(X):
        return X.iloc[rows].reset_index(drop=True)
    return opened(X, eager_only=True)[[int(i) for i in rows]].to_native()


def customer_ids(X: Any) -> tuple[str, npt.NDArray[Any]] | None:
    """Name and values of the customer column that a table states, where it has one."""
    facts = facts_of(X)
    have = column_names(X)
    if facts is None or have is None or facts.customer not in have:
        return None
    return facts.customer, column(X, facts.customer)


def places_of(ids: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Row of each wanted id in ``ids``, -1 where it is not there."""
    return pd.Index(ids).get_indexer(pd.Index(wanted))


def with_columns(X: Any, columns: Mapping[str, Any]) -> Any:
    """Eager frame with more columns behind its own, or in place of those of the same name."""
    frame = opened(X, eager_only=True)
    own = {name: frame[name].to_native() for name in frame.columns if name not in columns}
    return frame_like(X, {**own, **columns})


def missing_ids(values: Any) -> npt.NDArray[np.bool_]:
    """Which ids name nobody: missing ones, and text such as ``"nan"``, ``"NULL"`` or ``""``.

    A column of ids that went through text (``astype(str)``, a CSV file) has them for missing ones;
    as ids they would make one huge customer of everybody who is not known.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        Ids of any kind.

    Examples
    --------
    >>> from custvalue._frames import missing_ids
    >>> missing_ids(["a", "nan", None, "", "Nan"]).tolist()
    [False, True, True, True, False]
    """
    ids = pd.Series(values) if not isinstance(values, pd.Series) else values
    missing = ids.isna().to_numpy(dtype=bool)
    if ids.dtype.kind in "biufcmM":
        return missing
    return missing | ids.isin(NOTHING).to_numpy(dtype=bool)


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
        if raw.dtype.kind in "iu" and reads_digits(time_format):
            raw = times.cast(nw.String).to_numpy()
        if raw.dtype.kind in "biufc":
            raise DataContractError(
                number_problem(
                    name, times.dtype, next(iter(times.drop_nulls().head(1).to_list()), None)
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
    X: Any,
    names: Sequence[str],
    *,
    allow_missing: Sequence[str] = (),
    caller: str = "X",
    have: Collection[str] | None = None,
) -> list[npt.NDArray[np.float64]]:
    """Named columns of a frame, each in one piece of memory: the frame's own where that will do.

    They are for reading only. ``have`` are all of its columns, where they are known: to ask pandas
    for them takes as long as to read three.

    Raises
    ------
    DataContractError
        As in ``float_columns``.
    """
    # pandas by itself is quicker than through narwhals, which then names a column given twice
    plain = _is_pandas(X) and X.columns.is_unique
    frame = _without_attrs(X) if plain else opened(X, eager_only=True)
    present = set(frame.columns) if have is None else have
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
                ContractProblem.at(
                    "not-finite",
                    f"column {name!r} has missing (NaN) or infinite values",
                    "Drop these rows or fill them; row positions are counted from 0.",
                    np.flatnonzero(bad),
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


def time_scale_of(X: Any) -> TimeScale | None:
    """Find unit and as-of date of a table: as it states them, else as its rows tell.

    The rows of a summary tell by ``first_order``, ``last_order``, ``recency`` and ``T``, those of a
    panel by ``first_order``, ``period_end`` and ``T``; dates may be ISO text. An array, a lazy
    table and one without these columns tell nothing.

    Raises
    ------
    DataContractError
        If rows contradict each other.
    TimeUnitError
        If pieces of a pyarrow table count in another unit than its metadata state: to put tables
        together, pyarrow keeps the metadata of the first.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue._frames import time_scale_of
    >>> table = pd.DataFrame({"first_order": ["2024-01-01"], "last_order": ["2024-01-29"],
    ...                       "recency": [4.0], "T": [6.0]})
    >>> time_scale_of(table)
    TimeScale(unit='W', as_of='2024-02-12')
    """
    facts = facts_of(X)
    if facts is None:
        return _told_by_rows(X)
    stated = TimeScale(facts.period or facts.unit, facts.as_of)
    if not _is_pyarrow(X) or not X.num_columns or X.column(0).num_chunks < 2:
        return stated
    told = _told_by_rows(X)
    if told is None:
        return stated
    if not same_unit(told.unit, stated.unit):
        raise TimeUnitError(
            f"the table says that it counts time in {stated.unit!r}, but its rows count in "
            f"{told.unit!r}; summarize all of them with one unit."
        )
    return told


def _told_by_rows(X: Any) -> TimeScale | None:
    frame: Any = _opened_or_none(X)
    have = set(frame.columns) if isinstance(frame, nw.DataFrame) else set()
    ways: tuple[tuple[Callable[..., TimeScale | None], tuple[str, ...], tuple[str, ...]], ...] = (
        (time_scale_of_panel, ("first_order", "period_end"), ("T",)),
        (time_scale_of_summary, ("first_order", "last_order"), ("recency", "T")),
    )
    for scale, dates, numbers in ways:
        if not have.issuperset((*dates, *numbers)):
            continue
        kinds = [frame[name].dtype for name in dates]
        if any(kind.is_numeric() or kind in (nw.Boolean, nw.Duration) for kind in kinds):
            return None
        if not all(frame[name].dtype.is_numeric() for name in numbers):
            return None
        try:
            times = [wall_times(X, name) for name in dates]  # a file made ISO text of dates
        except DataContractError:  # a spreadsheet made text of some other form of them
            return None
        return scale(*times, *(frame[name].cast(nw.Float64).to_numpy() for name in numbers))
    return None


def with_time_scale(frame: Any, unit: str | None, as_of: str = "") -> Any:
    """Attach unit and as-of date, for rows that the library makes of its own."""
    return frame if unit is None else with_facts(frame, TableFacts("rows", "", unit, as_of))


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
