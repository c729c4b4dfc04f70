"""One law, parameters by group: what such a fit leaves, and which row is of which group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from custvalue._fitted import FitReport
from custvalue._open_table import Table
from custvalue._portable import check_names, number
from custvalue._typing import Floats, Ints
from custvalue._work import check_work
from custvalue.exceptions import ArtefactError, ContractProblem, DataContractError

if TYPE_CHECKING:
    import pandas as pd

Unseen = Literal["raise", "common"]
SMALL = 50  # customers below which a group is named as small
MOST_GROUPS = 10_000
SHOWN = 8  # names in a sentence


@dataclass(frozen=True, eq=False)
class ByGroup:
    """Parameters of the rows of a table: one set a group, and which of them each row has.

    Parameters
    ----------
    each : tuple of NamedTuple
    code : ndarray of shape (n_rows,), int
        Place of the row's group in ``each``.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue.likelihood._groups import ByGroup
    >>> asked = ByGroup(((1.0,), (2.0,)), np.array([0, 1, 0]))
    >>> asked.answered(lambda params, rows: params[0] * rows).tolist(), asked.columns()[0].tolist()
    ([0.0, 2.0, 2.0], [1.0, 2.0, 1.0])
    """

    each: tuple[Any, ...]
    code: Ints

    def part(self, rows: Any) -> ByGroup:
        """Parameters of some of the rows."""
        return ByGroup(self.each, self.code[rows])

    def answered(self, answer: Callable[[Any, Ints], Any]) -> Any:
        """Put together what ``answer(params, rows)`` says of each group, a row each."""
        out: Any = None
        for params, rows in zip(
            self.each, _places_of_groups(self.code, len(self.each)), strict=True
        ):
            if len(rows) == 0:
                continue
            here = np.asarray(answer(params, rows))
            if out is None:
                out = np.empty((len(self.code), *here.shape[1:]), dtype=here.dtype)
            out[rows] = here
        return out

    def columns(self) -> tuple[Floats, ...]:
        """Each parameter as a column: a row's is that of its group."""
        table = np.asarray(self.each, dtype=np.float64)
        return tuple(column[self.code] for column in table.T)


class RowsByGroup(NamedTuple):
    """Which rows of a table are of which group.

    Parameters
    ----------
    by : str
        Name of the column.
    names : tuple of str
        Sorted.
    code : ndarray of shape (n_rows,), int
        Place of each row's group among the names.
    unseen : {"raise", "common"}
    """

    by: str
    names: tuple[str, ...]
    code: Ints
    unseen: Unseen = "raise"

    @property
    def rows(self) -> list[Ints]:
        """Positions of each group's rows."""
        return _places_of_groups(self.code, len(self.names))


@dataclass(frozen=True, eq=False)
class FittedGroups:
    """What a fit by group leaves beside the common parameters; no data.

    Parameters
    ----------
    by : str
        Column of the groups.
    laws : dict of str to FittedLaw
        Of each group, by its name as text: its parameters, its customers, and the covariance of the
        logs of its parameters given all groups.
    between : ndarray of shape (k, k)
        Covariance between groups of the logs of the parameters.
    pulls : dict of str to ndarray of shape (k, k)
        How far the logs of a group's parameters follow the common ones: 0 of a group that speaks
        for itself, the identity of one of which nothing is known.
    own_weight : dict of str to float
        Share of a group's parameters that comes from its own customers, 0 to 1.
    unseen : {"raise", "common"}
        What a group does that ``fit`` did not see: it is refused, or has the common parameters.
    """

    by: str
    laws: Mapping[str, Any]
    between: Floats
    pulls: Mapping[str, Floats]
    own_weight: Mapping[str, float]
    unseen: Unseen = "raise"

    @property
    def small(self) -> tuple[str, ...]:
        """Groups of fewer than 50 customers."""
        return tuple(k for k, law in self.laws.items() if law.report.n_customers < SMALL)

    def law_of(self, name: Any, common: Any) -> Any:
        """Fitted law of one group; of one that ``fit`` did not see the common one, if that may be.

        Raises
        ------
        ValueError
            If there is no such group.
        """
        text = group_name(name)
        if text in self.laws:
            return self.laws[text]
        if self.unseen == "common":
            spread = np.asarray(common.report.log_covariance) + self.between
            told = tuple(tuple(map(float, row)) for row in spread)
            return replace(common, report=replace(common.report, log_covariance=told), groups=None)
        raise ValueError(
            f"{self.by}={text!r} is no group of this fit: {_listed(tuple(self.laws))}. "
            "fit(..., unseen='common') gives the others the common parameters."
        )

    def at(self, table: Table, common: Any) -> ByGroup:
        """Parameters of each row of a table.

        Raises
        ------
        DataContractError
            If the table has no such column, rows name no group, or name one that is refused.
        """
        found = read_groups(table, self.by)
        strange = [i for i, name in enumerate(found.names) if name not in self.laws]
        if strange and self.unseen == "raise":
            names = _listed(tuple(found.names[i] for i in strange))
            raise DataContractError(
                ContractProblem.at(
                    "unseen-group",
                    f"{self.by!r} names groups that fit did not see: {names}",
                    "Fit with customers of theirs, or fit(..., unseen='common') to give them the "
                    "common parameters.",
                    np.flatnonzero(np.isin(found.code, strange)),
                )
            )
        laws = (self.laws.get(name, common) for name in found.names)
        return ByGroup(tuple(law.params for law in laws), found.code)

    def roots(self, name: str, common: Any) -> tuple[Floats, Floats]:
        """Root of the errors of a group's logs that are its own, and of those that all share.

        With independent standard normal z each, the first moves this group alone and the second,
        the error of the common parameters so far as the group follows them, every group.
        """
        shared, spread = root(common.spread), self.law_of(name, common).spread
        pull = self.pulls.get(name, np.eye(len(spread)))
        return root(spread - pull @ common.spread @ pull.T), np.asarray(pull @ shared)

    def table(self, common: Any) -> pd.DataFrame:
        """One row a group and one, ``"(common)"``, for a group of which nothing is known."""
        import pandas as pd

        lines = [
            {
                "customers": law.report.n_customers,
                **law.params._asdict(),
                "own_weight": self.own_weight[name],
                "small": law.report.n_customers < SMALL,
            }
            for name, law in self.laws.items()
        ]
        everybody = common.report.n_customers
        lines.append({"customers": everybody, **common.params._asdict(), "own_weight": np.nan,
                      "small": False})  # fmt: skip
        return pd.DataFrame(lines, index=pd.Index([*self.laws, "(common)"], name=self.by))

    # ---- as JSON ---------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "by": self.by,
            "unseen": self.unseen,
            "between": self.between.tolist(),
            "groups": {
                name: {
                    "params": {k: float(v) for k, v in law.params._asdict().items()},
                    "report": law.report.to_dict(),
                    "pull": self.pulls[name].tolist(),
                    "own_weight": self.own_weight[name],
                }
                for name, law in self.laws.items()
            },
        }

    @classmethod
    def from_dict(cls, plain: Any, common: Any) -> FittedGroups:
        """Inverse of ``to_dict``; ``common`` is the fitted law of the common parameters.

        Raises
        ------
        ArtefactError
        """
        check_names(plain, ("by", "unseen", "between", "groups"), "the groups")
        if not isinstance(plain["by"], str) or plain["unseen"] not in ("raise", "common"):
            raise ArtefactError("the groups' column or what unseen ones do is none.")
        if not isinstance(plain["groups"], Mapping) or not plain["groups"]:
            raise ArtefactError("there is no group.")
        names, laws, pulls, weights = common.names, {}, {}, {}
        for name, written in plain["groups"].items():
            check_names(written, ("params", "report", "pull", "own_weight"), f"group {name!r:.80}")
            check_names(written["params"], names, f"parameters of group {name!r:.80}")
            values = [number(written["params"][k], f"parameter {k}") for k in names]
            if not min(values) > 0.0:
                raise ArtefactError(f"parameters of group {name!r:.80} must be above 0.")
            report = FitReport.from_dict(written["report"])
            if len(report.log_covariance) != len(names):
                raise ArtefactError("log_covariance is not of these parameters.")
            params = type(common.params)(*values)
            laws[str(name)] = replace(common, params=params, report=report, groups=None)
            pulls[str(name)] = _square(written["pull"], len(names))
            weights[str(name)] = number(written["own_weight"], "own_weight")
        between = _square(plain["between"], len(names))
        return cls(plain["by"], laws, between, pulls, weights, plain["unseen"])


def read_groups(table: Table, by: str, unseen: Unseen = "raise") -> RowsByGroup:
    """Say which rows of a table are of which group.

    Whole numbers and truth values name groups as text does; 1 and 1.0 are one group.

    Raises
    ------
    DataContractError
        If the column is not there, holds dates or fractions, or is missing in some rows.
    ValueError
        If ``unseen`` is none of its two words.
    """
    import pandas as pd

    if unseen not in ("raise", "common"):
        raise ValueError(f"unseen={unseen!r} must be 'raise' or 'common'.")
    if not isinstance(by, str):
        raise TypeError(f"by={by!r:.80} must be the name of one column of X.")
    if not table.has(by):
        have = "no named columns" if table.names is None else _listed(sorted(map(str, table.names)))
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"X has no column {by!r}, which names the group; it has {have}",
                "Keep it in the summary: custvalue.summarize(..., keep=[...]), or merge it.",
            )
        )
    values = table.column(by)
    if values.dtype.kind in "mM":
        raise DataContractError(
            ContractProblem(
                "dates-for-groups",
                f"column {by!r} holds dates or durations, not groups",
                'Cut them into named periods, such as X[name].dt.to_period("Q").astype(str).',
            )
        )
    codes, found = pd.factorize(values, sort=False)
    if (codes < 0).any():
        raise DataContractError(
            ContractProblem.at(
                "missing-group",
                f"{by!r} is missing",
                "Name the group (such as 'unknown'), or leave these rows out.",
                np.flatnonzero(codes < 0),
            )
        )
    if found.dtype.kind == "f" and (found % 1 != 0).any():
        raise DataContractError(
            ContractProblem(
                "numbers-for-groups",
                f"column {by!r} holds numbers with fractions, not groups",
                "Cut them into named classes.",
            )
        )
    check_work(len(found), MOST_GROUPS, "groups", f"Is {by!r} an id? Groups have many customers.")
    words = [group_name(value) for value in found]
    names = tuple(sorted(set(words)))
    index = {name: i for i, name in enumerate(names)}
    place = np.array([index[word] for word in words], dtype=np.intp)
    return RowsByGroup(by, names, place[codes], unseen)


def _places_of_groups(code: Ints, n_groups: int) -> list[Ints]:
    """Positions of the rows of each group, ascending."""
    ends = np.cumsum(np.bincount(code, minlength=n_groups))[:-1]
    return np.split(np.argsort(code, kind="stable"), ends)


def group_name(value: Any) -> str:
    """Name of a group as text: of whole numbers without a point."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def root(covariance: Floats) -> Floats:
    """Return R with R R' = covariance, what rounding made negative left out."""
    size, axes = np.linalg.eigh(0.5 * (covariance + covariance.T))
    return np.asarray(axes * np.sqrt(np.maximum(size, 0.0)))


def _square(plain: Any, size: int) -> Floats:
    ok = isinstance(plain, list) and all(isinstance(r, list) and len(r) == size for r in plain)
    if not ok or len(plain) != size:
        raise ArtefactError(f"a matrix of the groups is not {size} by {size}.")
    return np.array([[number(v, "a cell") for v in row] for row in plain])


def _listed(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(repr, names[:SHOWN])) + more
