"""A table at the door of a method: asked once what it is, then handed on in its place.

A method that takes a table opens it in its first line (``table = open_table(X)``) and gives that
value to whatever it calls: no column is turned into numbers twice, unit and as-of date are looked
for once, and what is made of the answer still finds the table it was asked with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._frames import BTYD, TableFacts
from custvalue._time_scale import TimeScale
from custvalue._typing import ByName, Floats
from custvalue._units import days_per, same_unit
from custvalue._warn import warn_caller
from custvalue.exceptions import ContractProblem, DataContractError, TimeUnitError, TimeUnitWarning


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """What a method needs to know of the table or array it was given; see `open_table`.

    Parameters
    ----------
    given : table or array-like
        As it came: for what is made in its likeness, and for estimators that are not ours.
    names : tuple of str or None
        Columns of a frame; None of everything else.

    Notes
    -----
    Arrays that it gives are for reading only: they may be the table's own memory.
    """

    given: Any
    names: tuple[str, ...] | None
    _columns: dict[tuple[str, bool], Floats] = field(default_factory=dict)
    _raw: ByName = field(default_factory=dict)

    def __len__(self) -> int:
        return self.n

    @cached_property
    def n(self) -> int:
        """Number of rows."""
        if self.names is not None:
            return _frames.n_rows(self.given)
        return int(self.given.shape[0]) if hasattr(self.given, "shape") else len(self.given)

    def goes_by_position(self, names: Sequence[str]) -> bool:
        """Whether it is an array, or a frame of numbers that has none of the names."""
        if self.names is None:
            return True
        return set(names).isdisjoint(self.names) and _frames.all_numbers(self.given)

    @cached_property
    def facts(self) -> TableFacts | None:
        """Say what travels with the table."""
        return None if self.names is None else _frames.facts_of(self.given)

    @cached_property
    def scale(self) -> TimeScale | None:
        """Unit and as-of date, as the table states them or its rows tell.

        Raises
        ------
        DataContractError
            If rows contradict each other.
        """
        return _frames.time_scale_of(self.given)

    @cached_property
    def ids(self) -> tuple[str, npt.NDArray[Any]] | None:
        """Name and values of the customer column that the table states."""
        if self.facts is None or not self.has(self.facts.customer):
            return None
        return self.facts.customer, self.column(self.facts.customer)

    def has(self, *names: str) -> bool:
        """Whether a frame has all of these columns."""
        return self.names is not None and set(names) <= set(self.names)

    def column(self, name: str) -> npt.NDArray[Any]:
        """One column as it stands, in numpy's hands."""
        if name not in self._raw:
            self._raw[name] = _frames.column(self.given, name)
        return self._raw[name]

    def floats(
        self, names: Sequence[str], *, allow_missing: Sequence[str] = (), caller: str = "X"
    ) -> list[Floats]:
        """Columns as numbers, each in one piece of memory, turned and checked once.

        Parameters
        ----------
        names : sequence of str
        allow_missing : sequence of str
            Names whose missing values (NaN) are legal.
        caller : str
            What errors call the table.

        Raises
        ------
        DataContractError
            Listing every missing column, every one that is not numeric, and every one with missing
            or infinite values.
        """
        wanted = [(name, name in allow_missing) for name in names]
        new = [key for key in dict.fromkeys(wanted) if key not in self._columns]
        if new:
            found = _frames.float_vectors(
                self.given,
                [name for name, _ in new],
                allow_missing=[name for name, missing in new if missing],
                caller=caller,
                have=self.names,
            )
            self._columns.update(zip(new, found, strict=True))
        return [self._columns[key] for key in wanted]

    # ---- unit of time ----------------------------------------------------------------------------

    def unit(self, unit: str | None, *, caller: str = "the estimator") -> str | None:
        """Return the unit of time that the table has, else the given one (which may be None).

        Raises
        ------
        DataContractError
            If rows of the table contradict each other.
        TimeUnitError
            If both are known and differ: ``unit`` would silently rescale every span.

        Examples
        --------
        >>> import pandas as pd
        >>> from custvalue._frames import TableFacts, with_facts
        >>> from custvalue._open_table import open_table
        >>> facts = TableFacts("summary", "id", "W", "2024-01-31")
        >>> table = open_table(with_facts(pd.DataFrame({"id": [1]}), facts))
        >>> table.unit(None), open_table([[1.0]]).unit("D"), open_table([[1.0]]).unit(None)
        ('W', 'D', None)
        """
        if unit is not None:
            days_per(unit)  # an unknown one is said at once
        scale = self.scale
        if scale is None or unit is None or same_unit(scale.unit, unit):
            return unit if scale is None else scale.unit
        raise TimeUnitError(
            f"the table counts time in {scale.unit!r}, but {caller} in {unit!r}; "
            f"summarize with unit={unit!r} or refit on a table in {scale.unit!r}."
        )

    def check_unit(self, estimator: Any) -> None:
        """Compare the table's unit with ``unit_``, that of the table an estimator was fitted on.

        Raises
        ------
        DataContractError
            If rows of the table contradict each other.
        TimeUnitError
            If both are known and differ.

        Warns
        -----
        TimeUnitWarning
            If only one is known, and nobody said ``unit=``.

        Examples
        --------
        >>> import pandas as pd
        >>> from custvalue._frames import TableFacts, with_facts
        >>> from custvalue._open_table import open_table
        >>> from custvalue.purchase import NBD
        >>> table = with_facts(pd.DataFrame({"T": [3]}), TableFacts("summary", "id", "D", ""))
        >>> try:
        ...     open_table(table).check_unit(NBD.from_params(r=1.0, alpha=5.0, unit="W"))
        ... except ValueError as error:
        ...     print(error)
        the table counts time in 'D', but this NBD was fitted in 'W'; summarize with unit='W' or \
refit on a table in 'D'.
        """
        model, fitted = type(estimator).__name__, estimator.unit_
        self.unit(fitted, caller=f"this {model} was fitted")
        scale = self.scale
        if (scale is None) == (fitted is None) or getattr(estimator, "unit", None) is not None:
            return
        if scale is None:
            text = f"X does not say its unit of time; it is read in {fitted!r}, in which this "
            text += f"{model} was fitted. Pass the table of custvalue.summarize or panel with its "
            text += f"dates, make it with from_summary(unit={fitted!r}), or say unit={fitted!r} on "
            text += "the estimator."
        else:
            text = f"X counts time in {scale.unit!r}, but this {model} does not know its own unit; "
            text += "they are taken to be one. Refit on such a table, or say "
            text += f"unit={scale.unit!r}."
        warn_caller(text, TimeUnitWarning)

    # ---- weights ---------------------------------------------------------------------------------

    def weights(self, sample_weight: npt.ArrayLike | None = None) -> npt.ArrayLike | None:
        """Give weights in the order of the rows: those given, else those of a compressed table.

        Raises
        ------
        DataContractError
            If none are given and the table has a column ``weight`` beside nothing but what a law
            reads, as a compressed one has, and lost the facts that would say so.
        ValueError
            If labels of the given ones are those of other rows.
        """
        if sample_weight is not None:
            given: npt.ArrayLike = _frames.same_rows(self.given, sample_weight, "sample_weight")
            return given
        if (name := self._weight_name) is not None:
            return np.asarray(self.column(name), dtype=np.float64)
        if self.names is not None and {*self.names, "litt"} == {*BTYD, "weight", "litt"}:
            raise DataContractError(
                ContractProblem(
                    "weight",
                    "the table has a column 'weight', as custvalue.compress makes it, and does not "
                    "say whether its rows stand for that many customers",
                    "Pass sample_weight=X['weight'], or leave the column out.",
                )
            )
        return None

    def refuse_compressed(self, caller: str) -> None:
        """Raise where a table made by ``custvalue.compress`` is fitted row by row."""
        if self._weight_name is not None:
            raise DataContractError(
                ContractProblem(
                    "weight",
                    "rows of this compressed table stand for several customers (column "
                    f"{self._weight_name!r}), and {caller} counts each row once",
                    "Fit it on the table that was compressed.",
                )
            )

    @property
    def _weight_name(self) -> str | None:
        name = None if self.facts is None else self.facts.extra.get("weight")
        return name if name is not None and self.has(name) else None


def open_table(X: Any) -> Table:
    """Open a table of any library, or an array; one that is open stays as it is.

    Parameters
    ----------
    X : table, array-like or Table

    Returns
    -------
    Table

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue._open_table import open_table
    >>> table = open_table(pd.DataFrame({"T": [3, 5], "who": ["a", "b"]}))
    >>> table.names, table.n, table.floats(["T"])[0].tolist(), open_table(table) is table
    (('T', 'who'), 2, [3.0, 5.0], True)
    """
    if isinstance(X, Table):
        return X
    names = _frames.column_names(X)
    return Table(X, None if names is None else tuple(names))
