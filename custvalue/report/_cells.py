"""Cells of a file -> numbers, times and ids; what cannot be read is named by its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from custvalue._dates import MOST_UNREAD, check_zone, read_texts
from custvalue._typing import Mask
from custvalue._warn import warn_caller
from custvalue.data._for_rooms import money_text
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning, first_ids

if TYPE_CHECKING:
    import pandas as pd

Unread = Literal["error", "drop"]
# --time-format of numbers: unit and origin
COUNTED = {
    "unix": ("s", "unix"),
    "unix-ms": ("ms", "unix"),
    "unix-us": ("us", "unix"),
    "unix-ns": ("ns", "unix"),
    "excel": ("D", "1899-12-30"),
    "excel-1904": ("D", "1904-01-01"),
}
_MARKS = (".", ",")
_EARLIEST, _LATEST = "1950-01-01", "2100-01-01"  # what numbers read as times must lie between


class MoneyRead(NamedTuple):
    """Numbers of a column, and the currency that each cell names ("" where none does)."""

    values: pd.Series
    currency: Any
    currencies: tuple[str, ...]


def check_marks(decimal: str, thousands: str | None) -> None:
    """Refuse marks that numbers are not written with.

    Raises
    ------
    ValueError
    """
    if decimal not in _MARKS:
        raise ValueError(f"decimal={decimal!r} must be '.' or ','.")
    if thousands is not None and (thousands == decimal or len(thousands) != 1
                                  or thousands.isalnum()):  # fmt: skip
        raise ValueError(
            f"thousands={thousands!r} must be one mark that is not the decimal one ({decimal!r}), "
            "such as ',', '.', \"'\" or a blank."
        )


def money_of(
    values: pd.Series,
    name: str,
    file: str,
    *,
    decimal: str = ".",
    thousands: str | None = None,
    unread: Unread = "error",
) -> MoneyRead:
    """Read a column of numbers; a sign or code of a currency may stand before or behind them.

    Raises
    ------
    DataContractError
        Naming the lines whose cells are no numbers, unless ``unread="drop"``.

    Warns
    -----
    DataWarning
        How many of them are missing instead.
    """
    import pandas as pd

    n = len(values)
    bare = np.full(n, "", dtype=object)
    if values.dtype.kind in "iuf":
        return MoneyRead(values.astype(float), bare, ())
    codes, kinds = pd.factorize(values, use_na_sentinel=True)
    pattern = _number_pattern(decimal, thousands)
    numbers = np.full(len(kinds) + 1, np.nan)
    signs = np.full(len(kinds) + 1, "", dtype=object)
    read = np.zeros(len(kinds) + 1, dtype=bool)
    for i, cell in enumerate(kinds):
        found = _number(cell, decimal, thousands, pattern)
        if found is not None:
            numbers[i], signs[i] = found
            read[i] = True
    read[-1] = True  # missing
    bad = ~read[codes]
    if bad.any():
        _unread_cells(
            values, bad, unread,
            ContractProblem(
                "not-numeric",
                f"column {name!r} of {file} has values that are no numbers",
                "Write them with a point and without thousands separators, or say which marks they "
                "have (decimal=, thousands=; on the command line --decimal, --thousands); "
                "invalid='drop' (--invalid drop) leaves such rows out.",
            ),
        )  # fmt: skip
    made = pd.Series(numbers[codes], index=values.index, name=values.name)
    known = tuple(dict.fromkeys(sign for sign in signs if sign))
    return MoneyRead(made, signs[codes], known)


def _number_pattern(decimal: str, thousands: str | None) -> re.Pattern[str]:
    """Digits as they are grouped: groups of three, as in India two before them."""
    point = re.escape(decimal)
    plain = rf"\d+(?:{point}\d*)?|{point}\d+"
    if thousands is not None:
        mark = re.escape(thousands)
        plain = rf"\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}(?:{point}\d*)?|{plain}"
    return re.compile(rf"(?:{plain})(?:[eE][+-]?\d+)?")


def _number(
    cell: Any, decimal: str, thousands: str | None, pattern: re.Pattern[str]
) -> tuple[float, str] | None:
    """Read the number and the currency of a cell; None where it is none."""
    if not isinstance(cell, str):
        if isinstance(cell, (bool, np.bool_, complex)):
            return None
        try:
            return float(cell), ""
        except (TypeError, ValueError):
            return None
    text = cell.strip()
    sign = 1.0
    currency = ""
    if text[:1] in "+-" and pattern.fullmatch(text[1:]):
        sign, digits = (-1.0 if text[0] == "-" else 1.0), text[1:]
    elif pattern.fullmatch(text):
        digits = text
    else:
        parted = money_text(text)
        if parted is None:
            return None
        digits, below, currency = parted
        sign = -1.0 if below else 1.0
        if thousands is not None and thousands.isspace():
            digits = re.sub(r"\s", thousands, digits)
        if not pattern.fullmatch(digits):
            return None
    if thousands is not None:
        digits = digits.replace(thousands, "")
    return sign * float(digits.replace(decimal, ".")), currency


def times_of_file(
    values: pd.Series,
    name: str,
    file: str,
    *,
    style: str | None = None,
    zone: str | None = None,
    unread: Unread = "error",
) -> pd.Series:
    """Read a column of times; whole numbers are text, as they are in a CSV file.

    Raises
    ------
    DataContractError
        If a format was named that does not read the column.

    Warns
    -----
    DataWarning
        How many cells are missing instead, with ``unread="drop"``.
    """
    import pandas as pd

    check_zone(zone)
    if style in COUNTED:
        return _counted(values, name, file, str(style), zone, unread)
    if values.dtype.kind in "iu" or isinstance(values.dtype, pd.Int64Dtype):
        known = values.dropna()
        digits = len(known) and known.between(10_000_101, 99_991_231).all()
        if digits:
            text = values.astype("Int64").astype(str).astype(object)
            values = text.mask(values.isna().to_numpy(), None)
    if values.dtype.kind == "M" or isinstance(values.dtype, pd.DatetimeTZDtype):
        if zone is not None and isinstance(values.dtype, pd.DatetimeTZDtype):
            return values.dt.tz_convert(zone)
        return values
    if unread == "drop" and values.dtype.kind not in "iufb":
        values = _without_unread(values, name, file, style)
    if style is None and zone is None:
        return values
    if values.dtype.kind in "iufb" or isinstance(values.dtype, pd.Int64Dtype):
        return values  # the door says what it looks like
    parsed, problem = read_texts(values.astype(object), name, style, zone)
    if problem is not None:
        raise DataContractError(problem)
    assert parsed is not None
    if zone is not None and isinstance(parsed.dtype, pd.DatetimeTZDtype):
        return parsed.dt.tz_convert(zone)  # days are those of the zone, whoever reads on
    return parsed


def _without_unread(values: pd.Series, name: str, file: str, style: str | None) -> pd.Series:
    """Take cells for missing that are no time, where they are few."""
    import pandas as pd

    codes, kinds = pd.factorize(values.astype(object), use_na_sentinel=True)
    good = np.ones(len(kinds) + 1, dtype=bool)
    for i, cell in enumerate(kinds):
        if isinstance(cell, str):
            one = pd.Series([cell], dtype=object)
            good[i] = read_texts(one, name, style, "UTC")[1] is None
    bad = ~good[codes]
    if not bad.any() or bad.mean() > MOST_UNREAD:
        return values  # too many: the door refuses them with examples
    problem = ContractProblem("missing-time", f"column {name!r} of {file} has values that are no "
                              "times", "Repair them.")  # fmt: skip
    _unread_cells(values, bad, "drop", problem)
    return values.astype(object).mask(bad, None)


def _counted(
    values: pd.Series, name: str, file: str, style: str, zone: str | None, unread: Unread
) -> pd.Series:
    """Read numbers that count time since a day; cells that are dates already stay."""
    import pandas as pd

    unit, origin = COUNTED[style]
    cells = values.astype(object)
    stamps = cells.map(lambda cell: hasattr(cell, "year")).to_numpy(dtype=bool)
    numbers = pd.to_numeric(cells.mask(stamps, None), errors="coerce")
    bad = (numbers.isna() & cells.notna()).to_numpy() & ~stamps
    start = np.datetime64("1970-01-01" if origin == "unix" else origin, "us")
    per = {"s": 1_000_000.0, "ms": 1000.0, "us": 1.0, "ns": 0.001, "D": 86_400_000_000.0}[unit]
    ends = (np.datetime64(day, "us") - start for day in (_EARLIEST, _LATEST))
    first, last = (float(end.astype(np.int64)) / per for end in ends)
    known = numbers.dropna()
    outside = ~known.between(first, last)
    if len(known) and outside.mean() > MOST_UNREAD:
        example = known[outside].iloc[0]
        raise DataContractError(
            ContractProblem(
                "time-format",
                f"column {name!r} of {file} is no time_format={style!r}, e.g. {example:.15g}, "
                f"which is no date between {_EARLIEST[:4]} and {_LATEST[:4]}",
                f"There are {', '.join(COUNTED)}; '%Y%m%d' reads 20240131.",
                int(outside.sum()),
            )
        )
    odd = numbers.notna().to_numpy() & ~numbers.between(first, last).to_numpy()
    if (bad | odd).any():
        problem = ContractProblem(
            "time-format",
            f"column {name!r} of {file} has values that time_format={style!r} does not read",
            "Repair them, or leave such rows out: invalid='drop' (--invalid drop).",
        )
        _unread_cells(values, bad | odd, unread, problem)
        numbers = numbers.mask(odd)
    made = pd.Series(np.datetime64("NaT", "us"), index=values.index, name=values.name)
    some = numbers.notna().to_numpy()
    micro = np.rint(numbers[some].to_numpy(dtype=np.float64) * per).astype("timedelta64[us]")
    made[some] = start + micro
    if stamps.any():
        made[stamps] = pd.to_datetime(cells[stamps]).astype("datetime64[us]")
    if zone is not None and origin == "unix":
        return made.dt.tz_localize("UTC").dt.tz_convert(zone)
    return made


def clock_times(times: pd.Series, name: str) -> Any:
    """Wall-clock times of a column that was read, or is still text in the forms of the house.

    Raises
    ------
    DataContractError
        If it is text in another form.
    """
    import pandas as pd

    read: Any = times
    if times.dtype.kind != "M" and not isinstance(times.dtype, pd.DatetimeTZDtype):
        read, problem = read_texts(times.astype(object), name, None, None)
        if problem is not None:
            raise DataContractError(problem)
    if isinstance(read.dtype, pd.DatetimeTZDtype):
        read = read.dt.tz_localize(None)
    return read.to_numpy().astype("datetime64[us]")


def _unread_cells(values: pd.Series, bad: Mask, unread: Unread, problem: ContractProblem) -> None:
    """Refuse cells, or say that they are missing."""
    where = np.flatnonzero(bad)[:5]
    word = "line" if values.index.name == "line" else "row"
    at = first_ids([f"{word} {values.index[i]}: {_shown(values.iloc[i])}" for i in where])
    if unread == "error":
        raise DataContractError(
            ContractProblem(problem.code, problem.message, problem.cure, int(bad.sum()), at)
        )
    warn_caller(
        f"{problem.message}: {int(bad.sum()):,} cells are taken for missing ({', '.join(at)}).",
        DataWarning,
    )


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def ids_of_file(values: pd.Series, name: str) -> pd.Series:
    """Whole numbers as integers, where writing them back gives the same text."""
    import pandas as pd

    if values.dtype == object and values.map(type).nunique() > 1:
        values = values.map(str, na_action="ignore").astype(object)  # one id, one kind
    known = values.dropna()
    if values.dtype.kind in "iuf" or not len(known) or isinstance(values.dtype, pd.Int64Dtype):
        return values
    different = pd.Series(pd.unique(known.astype(str)))
    if different.str.fullmatch(r"0|-?[1-9][0-9]{0,17}").all():
        return values.astype("int64" if len(known) == len(values) else "Int64")
    plain = different.str.strip().str.removesuffix(".0")
    double = plain.duplicated(keep=False)
    if double.any():
        first = plain[double].iloc[0]
        pair = different[plain == first].tolist()[:2]
        warn_caller(
            f"column {name!r} writes {int(plain[double].nunique()):,} ids in more than one way, "
            f"e.g. {pair[0]!r} and {pair[1]!r}, which count as different customers; write each "
            "in one way.",
            DataWarning,
        )
    return values
