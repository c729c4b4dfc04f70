"""What the groups of a campaign are read from: outcomes, covariates and labels of customers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._frames import column_names, float_columns, is_frame
from custvalue._typing import Floats
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

INDEX = "Where the index does not name customers, reset_index(drop=True) says so."


class Customers(NamedTuple):
    """One group's customers, all arrays in one order.

    Parameters
    ----------
    name : str
        What the group is called in errors.
    y : ndarray of shape (n,)
        Outcomes.
    x : ndarray of shape (n, n_covariates)
        Known before.
    per : ndarray of shape (n,) or None
        What a ratio's outcomes are counted on.
    label : ndarray of shape (n,) or None
        Group (segment) of each customer.
    """

    name: str
    y: Floats
    x: Floats
    per: Floats | None
    label: npt.NDArray[Any] | None

    def where(self, rows: npt.NDArray[np.bool_]) -> Customers:
        """Only these customers."""
        per = None if self.per is None else self.per[rows]
        return Customers(self.name, self.y[rows], self.x[rows], per, None)


class Reading:
    """Reads groups one after the other and raises what is wrong with all of them together."""

    def __init__(self) -> None:
        self.problems: list[ContractProblem] = []
        self.covariates: tuple[str, ...] | None = None
        self._ids: dict[str, pd.Index] = {}

    def customers(
        self, name: str, outcome: Any, before: Any = None, per: Any = None, label: Any = None
    ) -> Customers | None:
        """Read one group; None where something is wrong with it."""
        told = len(self.problems)
        y = self._numbers(outcome, name, "the outcome", "0 for those who brought nothing")
        self._note_ids(outcome, name)
        x = np.empty((len(y), 0))
        if before is not None:
            x = self._covariates(self._beside(before, outcome, f"before of {name}"), name, len(y))
        counted, words = None, None
        if per is not None:
            what = f"per of {name}"
            counted = self._numbers(self._beside(per, outcome, what), what, "the count")
            self._same_length(len(counted), len(y), what, name)
            if (counted < 0).any():
                rows = np.flatnonzero(counted < 0)
                self.problems.append(
                    ContractProblem.at(
                        "negative-count",
                        f"{what} is negative",
                        "It counts what outcomes are divided by, such as orders.",
                        rows,
                    )
                )
        if label is not None:
            words = np.asarray(self._beside(label, outcome, f"groups of {name}"), dtype=object)
            self._same_length(len(words), len(y), f"groups of {name}", name)
            missing = np.flatnonzero(pd.isna(words))
            if len(missing):
                self.problems.append(
                    ContractProblem.at(
                        "missing-group",
                        f"groups of {name} has customers without one",
                        "Name a group for them, such as 'unknown'.",
                        missing,
                    )
                )
        return Customers(name, y, x, counted, words) if len(self.problems) == told else None

    def done(self) -> None:
        """Raise where anything was wrong, in a group or between groups.

        Raises
        ------
        DataContractError
        """
        seen: dict[str, pd.Index] = {}
        for name, ids in self._ids.items():
            twice = ids[ids.duplicated()].unique()
            if len(twice):
                self._ids_at_fault("repeated-customer", f"{name} has customers twice", twice)
            for other, theirs in seen.items():
                both = ids.unique().intersection(theirs)
                if len(both):
                    self._ids_at_fault(
                        "overlapping-groups", f"customers are in {other} and in {name}", both
                    )
            seen[name] = ids.unique()
        if self.problems:
            raise DataContractError(self.problems)

    def _ids_at_fault(self, code: str, text: str, ids: Any) -> None:
        cure = f"Every customer belongs to one group, once. {INDEX}"
        self.problems.append(ContractProblem(code, text, cure, len(ids), first_ids(ids)))

    def _note_ids(self, values: Any, name: str) -> None:
        # an index that only counts names nobody
        if isinstance(values, pd.Series) and not isinstance(values.index, pd.RangeIndex):
            self._ids[name] = values.index

    def _beside(self, values: Any, outcome: Any, what: str) -> Any:
        """Values in the order of the outcome's index, where both name their rows."""
        named = isinstance(values, (pd.Series, pd.DataFrame)) and isinstance(outcome, pd.Series)
        if not named or values.index.equals(outcome.index) or len(values) != len(outcome):
            return values
        if any(isinstance(v.index, pd.RangeIndex) for v in (values, outcome)):
            return values
        unique = values.index.is_unique and outcome.index.is_unique
        if not (unique and set(values.index) == set(outcome.index)):
            odd = outcome.index.difference(values.index)
            self.problems.append(
                ContractProblem(
                    "other-customers",
                    f"{what} has another index than the outcomes",
                    f"Give both one index. {INDEX}",
                    len(odd),
                    first_ids(odd),
                )
            )
            return values
        return values.reindex(outcome.index)

    def _numbers(self, values: Any, name: str, what: str, more: str = "") -> Floats:
        try:
            if isinstance(values, pd.Series):
                out = values.to_numpy(dtype=np.float64, na_value=np.nan)
            else:
                out = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            self.problems.append(
                ContractProblem(
                    "not-numeric", f"{name} has values that are no numbers", "Pass numbers."
                )
            )
            return np.empty(0)
        need = f"{name} must hold {what} of at least two customers"
        if out.ndim != 1 or len(out) < 2:
            self.problems.append(
                ContractProblem(
                    "too-few-customers",
                    f"{need}; got shape {out.shape}",
                    "One number a customer: a group of one shows nothing.",
                )
            )
            return np.empty(0)
        rows = np.flatnonzero(~np.isfinite(out))
        if len(rows):
            need += f", {more}" if more else ""
            self.problems.append(
                ContractProblem.at(
                    "missing-outcome",
                    f"{need}; some are missing or infinite",
                    "Who brought nothing has 0; who is not known belongs to neither group.",
                    rows,
                )
            )
        return out

    def _covariates(self, before: Any, name: str, n: int) -> Floats:
        what = f"before of {name}"
        if is_frame(before):
            names = [str(c) for c in column_names(before) or ()]
            if self.covariates is not None and set(names) == set(self.covariates):
                names = list(self.covariates)
            try:
                x = float_columns(before, names, caller=what)
            except DataContractError as error:
                self.problems += error.problems
                return np.empty((n, 0))
        else:
            try:
                x = np.asarray(before, dtype=np.float64)
            except (TypeError, ValueError):
                self.problems.append(
                    ContractProblem(
                        "not-numeric", f"{what} is no table of numbers", "Pass numbers."
                    )
                )
                return np.empty((n, 0))
            x = x[:, None] if x.ndim == 1 else x
            columns = range(x.shape[-1] if x.ndim else 0)  # one number for all is no table
            single = getattr(before, "name", None)
            names = [str(single)] if single is not None else [f"x{j}" for j in columns]
        if x.ndim != 2:
            self.problems.append(
                ContractProblem("shape", f"{what} has shape {x.shape}", "Pass one row a customer.")
            )
            return np.empty((n, 0))
        self._same_length(len(x), n, what, name)
        rows = np.flatnonzero(~np.isfinite(x).all(axis=1))
        if len(rows):
            self.problems.append(
                ContractProblem.at(
                    "missing-covariate",
                    f"{what} has missing or infinite values",
                    "Fill them by one rule for all groups, and add a column that says where.",
                    rows,
                )
            )
        if self.covariates is None:
            self.covariates = tuple(names)
        elif x.shape[1] != len(self.covariates) or (
            is_frame(before) and tuple(names) != self.covariates
        ):
            self.problems.append(
                ContractProblem(
                    "other-covariates",
                    f"{what} has {list(names)}, another group {list(self.covariates)}",
                    "Pass the same covariates for all groups.",
                )
            )
        return x

    def _same_length(self, n: int, wanted: int, what: str, name: str) -> None:
        if wanted and n != wanted:  # outcomes that could not be read are told already
            self.problems.append(
                ContractProblem(
                    "length",
                    f"{what} has {n:,} rows, but {name} {wanted:,} customers",
                    "Pass one row a customer, in one order.",
                )
            )


def pair(values: Any, name: str) -> tuple[Any, Any]:
    """Return a pair for treated and control.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(values, (np.ndarray, pd.DataFrame, pd.Series, Mapping, str)) or not (
        isinstance(values, Sequence) and len(values) == 2
    ):
        raise ValueError(
            f"{name} must be a pair, {name}=(of the treated, of the control customers)."
        )
    return values[0], values[1]
