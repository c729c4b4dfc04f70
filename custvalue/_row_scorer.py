"""Single customers for a service: a fitted estimator that answers about one row at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._open_table import Table
from custvalue._time_scale import TimeScale
from custvalue._typing import Floats
from custvalue.exceptions import ContractProblem, DataContractError, NotSupportedError, no_column


class Answer(NamedTuple):
    """What is said of one customer: the value, and ``"ok"`` or why there is none.

    Examples
    --------
    >>> from custvalue._row_scorer import Answer
    >>> Answer(None, "missing-column", "column 'T' is missing").status
    'missing-column'
    """

    value: Any
    status: str
    reason: str = ""


class OneRow(Table):
    """A table of one row that is no table: numbers by name, opened already."""

    def once(self, question: Any, answer: Callable[[], Floats]) -> Floats:
        """Answer, or what was answered to the same question: parts of a blend have one law."""
        said: dict[Any, Floats] = self.__dict__.setdefault("said", {})
        if question not in said:
            said[question] = answer()
        return said[question]

    def goes_by_position(self, names: Any) -> bool:
        """Never: without any of the names the row lacks them all."""
        return False

    def check_unit(self, estimator: Any) -> None:
        """Nothing to compare: a row is counted in the unit that the scorer says."""

    def column(self, name: str) -> npt.NDArray[Any]:
        """One value, as an array of one."""
        return np.array([self.given[name]])

    def floats(self, names: Any, *, allow_missing: Any = (), caller: str = "X") -> list[Floats]:
        """Values as numbers, each in an array of one.

        Raises
        ------
        DataContractError
            Listing every name that is missing, is no number or is not finite.
        """
        made, problems = [], []
        for name in names:
            value = self.given.get(name, self)
            if value is self:
                cure = "Give every value that the model was fitted on."
                problems.append(no_column(name, list(self.given), caller, cure))
                continue
            try:
                number = float("nan" if value is None else value)
            except (TypeError, ValueError):
                number, value = math.nan, repr(value)
            if isinstance(value, (str, bool)):
                text = f"{name!r} is {value}, which is no number"
                problems.append(ContractProblem("not-numeric", text, "Give a number."))
            elif not math.isfinite(number) and (name not in allow_missing or math.isinf(number)):
                text = f"{name!r} is missing (NaN) or infinite"
                problems.append(ContractProblem("not-finite", text, "Give a finite number.", 1))
            made.append(np.array([number]))
        if problems:
            raise DataContractError(problems)
        return made


def one_row(values: Mapping[str, Any], unit: str | None) -> OneRow:
    """Open one customer's values, counted in the unit of the fitted estimator.

    Examples
    --------
    >>> from custvalue._row_scorer import one_row
    >>> row = one_row({"T": 3, "who": "ann"}, "W")
    >>> row.floats(["T"])[0].tolist(), row.n
    ([3.0], 1)
    """
    row = OneRow(values, tuple(values))
    row.__dict__.update(
        n=1, facts=None, ids=None, scale=None if unit is None else TimeScale(unit, "")
    )
    return row


class RowScorer:
    """Answers about one customer at a time, as the estimator's own method does about a table.

    Holds the fitted estimator and no row, changes nothing, and may be shared by threads. Times are
    counted in :attr:`unit`.

    Parameters
    ----------
    answer : callable
        What is said of a table of one row: an array of one, or a mapping of such arrays.
    unit : str or None
    name : str
        What is asked, for people.

    Examples
    --------
    >>> import pandas as pd
    >>> import custvalue as cv
    >>> table = cv.summarize(cv.datasets.load_cdnow("sample"), customer="customer_id", time="date",
    ...                      amount="amount", as_of="1997-09-30", unit="W")
    >>> score = cv.SilenceScorer().fit(table).scorer()
    >>> score(silence=3.0, n_gaps=4, gap_max=9.0, gap_sum=20.0, n_gaps_shorter=1)
    {'grade': 'active', 'silent': 0}
    >>> score.checked(silence=-3.0, n_gaps=4, gap_max=9.0, gap_sum=20.0, n_gaps_shorter=1).status
    'negative-silence'
    """

    def __init__(
        self, answer: Callable[[OneRow], Any], unit: str | None, name: str = "value"
    ) -> None:
        self._answer, self.unit, self.name = answer, unit, name

    def __repr__(self) -> str:
        return f"RowScorer({self.name}, unit={self.unit!r})"

    def __call__(self, customer: Mapping[str, Any] | None = None, /, **values: Any) -> Any:
        """Answer about one customer.

        Parameters
        ----------
        customer : mapping of str to value, optional
            A row by the names of a summary's columns; names that are not needed are left alone.
        **values
            The same, one by one.

        Returns
        -------
        float, str, int or dict

        Raises
        ------
        DataContractError
            If a value is missing or cannot be.
        """
        row = values if customer is None else {**customer, **values}
        made = self._answer(one_row(row, self.unit))
        if isinstance(made, Mapping):
            return {name: _plain(one) for name, one in made.items()}
        return _plain(made)

    def checked(self, customer: Mapping[str, Any] | None = None, /, **values: Any) -> Answer:
        """Answer about one customer, or say why not: a service goes on either way.

        Parameters
        ----------
        customer, **values
            As in a call.

        Returns
        -------
        Answer
            ``value``, ``status`` (``"ok"``, else the codes of what is wrong) and ``reason``.
        """
        try:
            return Answer(self(customer, **values), "ok")
        except DataContractError as error:
            return Answer(None, ", ".join(p.code for p in error.problems), str(error))


def refuse_nameless(model: Any) -> None:
    """Refuse to ask by name what was fitted by position.

    Raises
    ------
    NotSupportedError
    """
    if not hasattr(model, "feature_names_in_"):
        raise NotSupportedError(
            f"this {type(model).__name__} was fitted on columns without names, and a scorer takes "
            "values by name; fit it on the table of custvalue.summarize."
        )


def _plain(made: Any) -> Any:
    value = made[0]
    return value.item() if isinstance(value, np.generic) else value
