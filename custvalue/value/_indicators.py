"""A system of indicators: formulas over leaves, what a change is due to, scores against targets."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._frames import column_names, eager, float_vectors, native_column
from custvalue._portable import (
    array_from_plain,
    array_to_plain,
    check_names,
    reading,
    sealed,
    unseal,
)
from custvalue._typing import Floats
from custvalue._words import INDICATORS, Language
from custvalue.exceptions import (
    ArtefactError,
    ContractProblem,
    DataContractError,
    NotSupportedError,
    no_column,
)
from custvalue.value._formula import computed, names_in, parsed, plain
from custvalue.value._shared_change import share_out

STEP = 1e-5  # of a leaf or its error, for central differences
SEEN = 1.96  # standard errors


class Goal(NamedTuple):
    """What an indicator should reach; a floor above the target means that less is better.

    Parameters
    ----------
    floor, target : float
        Scores 0 and 1.
    weight : float, default=1
    group : str, default=""
        Heading that it counts under.
    owner : str, default=""

    Examples
    --------
    >>> from custvalue.value import Goal
    >>> Goal(0.05, 0.02, owner="service").target
    0.02
    """

    floor: float
    target: float
    weight: float = 1.0
    group: str = ""
    owner: str = ""


def indicator_score(
    actual: npt.ArrayLike, floor: npt.ArrayLike, target: npt.ArrayLike, *, cap: float = 1.2
) -> Any:
    """Score an indicator: 0 at the floor, 1 at the target, never below 0 or above ``cap``.

    Parameters
    ----------
    actual, floor, target : float or array-like
        A floor above the target means that less is better.
    cap : float, default=1.2

    Returns
    -------
    float or ndarray

    Raises
    ------
    ValueError
        If a number is missing, floor and target are equal, or the cap is below 1.

    Examples
    --------
    >>> indicator_score(78, 60, 80), round(indicator_score(0.035, 0.05, 0.02), 6)
    (0.9, 0.5)
    """
    x, low, high = (np.asarray(v, dtype=float) for v in (actual, floor, target))
    if not all(np.isfinite(v).all() for v in (x, low, high)):
        raise ValueError(f"actual={actual!r}, floor={floor!r}, target={target!r} must be finite.")
    if (low == high).any():
        raise ValueError(f"floor={floor!r} and target={target!r} must differ.")
    if not cap >= 1:
        raise ValueError(f"cap={cap!r} must be 1 or more: a target that is met scores 1.")
    score = np.clip((x - low) / (high - low), 0.0, cap)
    return float(score) if score.ndim == 0 else score


@dataclass(frozen=True)
class ScoreCard:
    """Scores of indicators against their goals.

    Parameters
    ----------
    rows : tuple of tuple
        ``group``, ``indicator``, ``actual``, ``floor``, ``target``, ``weight``, ``score``,
        ``owner``.

    Examples
    --------
    >>> ScoreCard((("", "a", 7.0, 0.0, 10.0, 1.0, 0.7, ""), ("", "b", 4.0, 0.0, 4.0, 2.0, 1.0, ""),
    ...            )).total
    0.9
    """

    rows: tuple[tuple[str, str, float, float, float, float, float, str], ...]

    @property
    def total(self) -> float:
        """Mean of the scores by weight."""
        weight = np.array([row[5] for row in self.rows])
        return float(weight @ [row[6] for row in self.rows] / weight.sum())

    def group_totals(self) -> dict[str, float]:
        """Mean score of each group by weight."""
        groups = dict.fromkeys(row[0] for row in self.rows)
        return {g: ScoreCard(tuple(r for r in self.rows if r[0] == g)).total for g in groups}

    def table(self, language: Language = "en") -> pd.DataFrame:
        """One row an indicator.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
        """
        columns = ["group", "indicator", "actual", "floor", "target", "weight", "score", "owner"]
        table = pd.DataFrame(list(self.rows), columns=columns)
        return INDICATORS.table(table, language, cells=("group", "indicator"))


class _Leaves(NamedTuple):
    """Values of the leaves, one row a period and group."""

    periods: tuple[Any, ...]
    groups: tuple[Any, ...]
    values: Mapping[str, Floats]
    errors: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class IndicatorTree:
    """Indicators by formulas over each other and over leaves.

    Parameters
    ----------
    formulas : mapping of str to str
        Formula of each indicator: names, numbers, ``+ - * /`` and brackets. A name that has no
        formula is a leaf.
    headings : mapping of str to sequence of str, default={}
        Indicators and leaves under each heading, for readers; a name here that no formula has is a
        leaf too.

    Attributes
    ----------
    leaves : tuple of str
        Names that data must give.
    indicators : tuple of str
        Names with a formula, each after those it reads.
    roots : tuple of str
        Indicators that are part of no other.
    periods, groups : tuple
        Of the leaves' table, in its order.

    Raises
    ------
    DataContractError
        If a formula is none, or formulas go round in a circle; all of it together.

    Notes
    -----
    `contributions` shares a change of one indicator out among the leaves by Shapley's value: what
    moving a leaf adds, averaged over all orders of moving them (Sun 1998; Shorrocks 2013). It adds
    up exactly and takes zeros and negative numbers, which logarithmic methods (Ang 2005) do not.

    References
    ----------
    Sun, J. W. (1998), Changes in energy consumption and energy intensity: a complete decomposition
    model, Energy Economics 20(1), 85-100. Shorrocks, A. F. (2013), Decomposition procedures for
    distributional analysis, Journal of Economic Inequality 11, 99-126. Farris, P. W. et al. (2010),
    Marketing Metrics, 2nd ed., chapter 2.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.value import IndicatorTree
    >>> tree = IndicatorTree({"profit": "revenue * margin", "revenue": "customers * orders * size"})
    >>> tree.leaves
    ('margin', 'customers', 'orders', 'size')
    >>> tree = tree.with_leaves(
    ...     pd.DataFrame({"year": [2024, 2025], "customers": [1000, 1100], "orders": [2.0, 1.9],
    ...                   "size": [50, 54], "margin": [0.30, 0.28]}), period="year")
    >>> tree.evaluate()[["year", "profit"]].round(2).to_numpy().tolist()
    [[2024.0, 30000.0], [2025.0, 31600.8]]
    >>> tree.contributions("profit", 2024, 2025)[["name", "contribution"]].round(2)
            name  contribution
    0     margin      -2129.13
    1  customers       2939.20
    2     orders      -1582.80
    3       size       2373.53
    """

    formulas: Mapping[str, str]
    headings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _trees: Mapping[str, ast.expr] = field(default_factory=dict, repr=False)
    _order: tuple[str, ...] = field(default=(), repr=False)
    _columns: tuple[str, str] = field(default=("period", "group"), repr=False)
    _data: _Leaves | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self._trees:
            return
        problems: list[ContractProblem] = []
        trees: dict[str, ast.expr] = {}
        for name, text in self.formulas.items():
            if not (isinstance(name, str) and plain(name).isidentifier()):
                problems.append(
                    ContractProblem(
                        "name", f"{name!r} can't stand in a formula", "Use letters, digits and _."
                    )
                )
                continue
            try:
                trees[plain(name)] = parsed(name, text)
            except DataContractError as error:
                problems += error.problems
        circle = _circle(trees)
        if circle:
            problems.append(
                ContractProblem(
                    "circle",
                    f"formulas go round in a circle: {' -> '.join(circle)}",
                    "An indicator can't be part of itself.",
                )
            )
        if problems:
            raise DataContractError(problems)
        headings = {k: tuple(map(plain, names)) for k, names in self.headings.items()}
        object.__setattr__(self, "formulas", {plain(k): v for k, v in self.formulas.items()})
        object.__setattr__(self, "headings", headings)
        object.__setattr__(self, "_trees", trees)
        object.__setattr__(self, "_order", _sorted(trees))

    @property
    def indicators(self) -> tuple[str, ...]:
        """Names with a formula, each after those it reads."""
        return self._order

    @property
    def leaves(self) -> tuple[str, ...]:
        """Names that data must give, in the order in which formulas and headings name them."""
        named = [name for tree in self._trees.values() for name in names_in(tree)]
        named += [name for names in self.headings.values() for name in names]
        return tuple(name for name in dict.fromkeys(named) if name not in self._trees)

    @property
    def roots(self) -> tuple[str, ...]:
        """Indicators that are part of no other, in the order in which they were given."""
        parts = {part for tree in self._trees.values() for part in names_in(tree)}
        return tuple(name for name in self.formulas if name not in parts)

    @property
    def periods(self) -> tuple[Any, ...]:
        """Periods of the leaves' table, in its order; none without one."""
        return () if self._data is None else tuple(dict.fromkeys(self._data.periods))

    @property
    def groups(self) -> tuple[Any, ...]:
        """Groups of the leaves' table, in its order; none without them."""
        known = () if self._data is None else dict.fromkeys(self._data.groups)
        return tuple(name for name in known if name is not None)

    @classmethod
    def positioning(cls) -> Self:
        """How a brand stands: satisfaction, market share and its parts, sales, awareness.

        Market share = share of buyers x share of their requirements x how heavily they use the
        category (Parfitt & Collins 1968).

        Examples
        --------
        >>> import pandas as pd
        >>> from custvalue.value import IndicatorTree
        >>> tree = IndicatorTree.positioning()
        >>> seen = pd.DataFrame([{"period": 1, "buyers": 300, "market_buyers": 1000, "units": 630,
        ...     "buyers_units": 2100, "market_units": 5000, "satisfaction": 78, "sales": 108.0,
        ...     "profit": 30.24, "asked": 1000, "aware": 749, "favourable": 412}])
        >>> found = tree.with_leaves(seen, period="period").evaluate().iloc[0]
        >>> found[["market_share", "favour"]].astype(float).round(6).tolist()
        [0.126, 0.550067]
        """
        return cls(
            {
                "market_share": "penetration_share * share_of_requirements * heavy_usage",
                "penetration_share": "buyers / market_buyers",
                "share_of_requirements": "units / buyers_units",
                "heavy_usage": "(buyers_units / buyers) / (market_units / market_buyers)",
                "profit_rate": "profit / sales",
                "awareness": "aware / asked",
                "favour": "favourable / aware",
            },
            {
                "satisfaction": ("satisfaction",),
                "market_share": (
                    "market_share",
                    "penetration_share",
                    "share_of_requirements",
                    "heavy_usage",
                ),
                "sales and profit": ("sales", "profit_rate"),
                "awareness and favour": ("awareness", "favour"),
            },
        )

    @classmethod
    def crm(cls) -> Self:
        """Six levers of new customers' value, as `customer_economics` has them.

        Examples
        --------
        >>> from custvalue.value import IndicatorTree
        >>> IndicatorTree.crm().indicators
        ('margin_a_period', 'multiple', 'value')
        """
        return cls(
            {
                "value": "leads * (close_rate * margin_a_period * multiple - lead_cost)",
                "margin_a_period": "orders * (order_size * margin - cost_to_sell) - cost_to_serve",
                "multiple": "(1 + discount_rate) / (1 + discount_rate - retention)",
            }
        )

    @classmethod
    def telesales(cls) -> Self:
        """Leads and deals a day from calls, hit rate and close rate.

        Examples
        --------
        >>> from custvalue.value import IndicatorTree
        >>> IndicatorTree.telesales().formulas["leads_a_day"]
        'calls * hit_rate'
        """
        return cls({"leads_a_day": "calls * hit_rate", "deals_a_day": "leads_a_day * close_rate"})

    @classmethod
    def three_parties(
        cls,
        *,
        customers: Iterable[str] = (),
        shareholders: Iterable[str] = (),
        employees: Iterable[str] = (),
        formulas: Mapping[str, str] | None = None,
    ) -> Self:
        """Headings for customers, shareholders and employees; the indicators are the user's.

        Parameters
        ----------
        customers, shareholders, employees : iterable of str
            Names of indicators and leaves.
        formulas : mapping of str to str or None, default=None

        Examples
        --------
        >>> from custvalue.value import IndicatorTree
        >>> IndicatorTree.three_parties(customers=["complaints"], employees=["turnover"]).leaves
        ('complaints', 'turnover')
        """
        parties = {"customers": customers, "shareholders": shareholders, "employees": employees}
        return cls(formulas or {}, {k: tuple(names) for k, names in parties.items()})

    def with_leaves(
        self,
        table: Any,
        *,
        period: str,
        group: str | None = None,
        errors: Mapping[str, str] | None = None,
    ) -> Self:
        """Return the tree with its leaves' values.

        Parameters
        ----------
        table : frame
            One row a period (and group): a column for every leaf.
        period : str
            Column of periods.
        group : str or None, default=None
            Column of groups (regions, brands).
        errors : mapping of leaf to column or None, default=None
            Columns with standard errors of leaves, taken as independent.

        Returns
        -------
        IndicatorTree

        Raises
        ------
        DataContractError
            If a column, a value or a period is missing, or a period comes twice; all together.
        """
        have = column_names(table)
        if have is None:
            raise TypeError(f"table must be a frame, not {type(table).__name__}.")
        beside = {plain(leaf): column for leaf, column in (errors or {}).items()}
        problems = [
            ContractProblem(
                "unknown-leaf", f"errors names {leaf!r}, which is no leaf", _near(leaf, self.leaves)
            )
            for leaf in beside
            if leaf not in self.leaves
        ]
        column_of = {plain(str(name)): name for name in have}
        table = eager(table)
        keys = [period, *([group] if group is not None else [])]
        problems += [no_column(name, have) for name in keys if name not in have]
        wanted = [column_of.get(leaf, leaf) for leaf in self.leaves]
        try:
            vectors = float_vectors(table, [*wanted, *beside.values()], caller="the table")
        except DataContractError as error:
            problems += error.problems
        if problems:
            raise DataContractError(problems)
        labels = [list(native_column(table, key)) for key in keys]
        periods = tuple(labels[0])
        groups = tuple(labels[1]) if group is not None else (None,) * len(periods)
        seen = pd.Series(list(zip(periods, groups, strict=True)), dtype=object)
        twice = np.flatnonzero(seen.duplicated().to_numpy())
        if len(twice):
            problems.append(
                ContractProblem.at(
                    "repeated-period", "a period (and group) comes twice", "Sum or drop.", twice
                )
            )
        k = len(self.leaves)
        told = dict(zip(beside, vectors[k:], strict=True))
        for leaf, error_of in told.items():
            rows = np.flatnonzero(~(error_of >= 0))
            if len(rows):
                problems.append(
                    ContractProblem.at(
                        "negative-error", f"the standard error of {leaf!r} is negative",
                        "Pass 0 where a leaf is known.", rows,
                    )
                )  # fmt: skip
        if problems:
            raise DataContractError(problems)
        values = dict(zip(self.leaves, (v.copy() for v in vectors[:k]), strict=True))
        data = _Leaves(periods, groups, values, {n: v.copy() for n, v in told.items()})
        return replace(self, _columns=(period, group or "group"), _data=data)

    def evaluate(self, language: Language = "en") -> pd.DataFrame:
        """Work out every indicator.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            One row a period (and group): the leaves, the indicators and, where errors of leaves
            are known, ``<indicator>_error`` (delta method by central differences).

        Raises
        ------
        DataContractError
            If a formula divides by 0.
        NotSupportedError
            Without `with_leaves`.
        """
        data = self._known()
        values = self._all(data.values)
        columns: dict[str, Any] = {self._columns[0]: data.periods}
        if any(g is not None for g in data.groups):
            columns[self._columns[1]] = data.groups
        columns |= {name: values[name] for name in (*self.leaves, *self.indicators)}
        if data.errors:
            errors = self._errors(data)
            columns |= {f"{name}_error": errors[name] for name in self.indicators}
        return INDICATORS.table(pd.DataFrame(columns), language, keep=self._columns)

    def contributions(
        self,
        of: str,
        start: Any,
        end: Any,
        *,
        group: Any = None,
        random_state: int = 0,
        language: Language = "en",
    ) -> pd.DataFrame:
        """Share the change of an indicator out among the leaves that moved.

        Parameters
        ----------
        of : str
            Indicator.
        start, end : object
            Periods.
        group : object, default=None
        random_state : int, default=0
            Where more than 12 leaves moved 2,000 orders of moving them are drawn.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            One row a leaf of the indicator: ``name``, ``start``, ``end``, ``contribution``,
            ``share`` of the change, ``sampling_error`` (0 where all orders were counted).
            Contributions add up to the change.
        """
        self._indicator(of)
        below = self._below(of)
        names = [name for name in self.leaves if name in below]
        steps = [name for name in self.indicators if name in below or name == of]
        return self._shared(of, names, steps, (start, end, group), random_state, language)

    def levels(
        self,
        of: str,
        start: Any,
        end: Any,
        *,
        group: Any = None,
        random_state: int = 0,
        language: Language = "en",
    ) -> pd.DataFrame:
        """Share the change of an indicator, and of every one below it, out among its own inputs.

        Parameters
        ----------
        of, start, end, group, random_state, language
            As in `contributions`.

        Returns
        -------
        DataFrame
            One row an indicator and name of its formula: ``indicator``, ``name``, ``start``,
            ``end``, ``contribution``, ``share``, ``sampling_error``. The rows of each indicator add
            up to its change.
        """
        self._indicator(of)
        below = self._below(of)
        parts = []
        for name in reversed(self.indicators):
            if name == of or name in below:
                inputs = names_in(self._trees[name])
                at = (start, end, group)
                part = self._shared(name, inputs, [name], at, random_state, "en")
                part.insert(0, "indicator", name)
                parts.append(part)
        return INDICATORS.table(
            pd.concat(parts, ignore_index=True), language, cells=("indicator", "name")
        )

    def changes(
        self, start: Any, end: Any, *, group: Any = None, language: Language = "en"
    ) -> pd.DataFrame:
        """Change of every indicator, marked where it is more than chance.

        Parameters
        ----------
        start, end : object
            Periods, taken as independent.
        group : object, default=None
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``indicator``, ``start``, ``end``, ``change``; where errors of leaves are known also
            ``standard_error``, ``z`` and ``marked`` (beyond 1.96).
        """
        data = self._known()
        i, j = self._row(start, group), self._row(end, group)
        values = self._all(data.values)
        names = list(self.indicators)
        one, two = (np.array([values[name][k] for name in names]) for k in (i, j))
        columns = {"indicator": names, "start": one, "end": two, "change": two - one}
        if data.errors:
            errors = self._errors(data)
            spread = np.array([np.hypot(errors[name][i], errors[name][j]) for name in names])
            z = np.divide(two - one, spread, out=np.zeros(len(names)), where=spread > 0)
            known = np.where((spread == 0) & (two != one), np.sign(two - one) * np.inf, z)
            columns |= {"standard_error": spread, "z": known, "marked": np.abs(known) > SEEN}
        return INDICATORS.table(pd.DataFrame(columns), language, cells=("indicator",))

    def score(
        self, goals: Mapping[str, Goal], period: Any, *, group: Any = None, cap: float = 1.2
    ) -> ScoreCard:
        """Score indicators (or leaves) of a period against their goals.

        Parameters
        ----------
        goals : mapping of name to Goal
            Also plain tuples ``(floor, target, weight, group, owner)``.
        period : object
        group : object, default=None
        cap : float, default=1.2
            Most that a score can be.

        Returns
        -------
        ScoreCard

        Raises
        ------
        DataContractError
            If a name is unknown.
        ValueError
            If a floor is its target, or weights are negative or all 0.

        Examples
        --------
        >>> import pandas as pd
        >>> from custvalue.value import Goal, IndicatorTree
        >>> tree = IndicatorTree({"rate": "won / tried"}).with_leaves(
        ...     pd.DataFrame({"year": [2025], "won": [30.0], "tried": [100.0]}), period="year")
        >>> round(tree.score({"rate": Goal(0.2, 0.4)}, 2025).total, 6)
        0.5
        """
        data = self._known()
        known = (*self.leaves, *self.indicators)
        wanted = {plain(name): Goal(*goal) for name, goal in goals.items()}
        problems = [
            ContractProblem("unknown-name", f"goals names {name!r}, which is unknown",
                            _near(name, known))
            for name in wanted if name not in known
        ]  # fmt: skip
        if problems:
            raise DataContractError(problems)
        weight = np.array([goal.weight for goal in wanted.values()], dtype=float)
        if not (len(weight) and np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
            raise ValueError("weights of goals must be 0 or more, and one at least above 0.")
        row = self._row(period, group)
        values = self._all(data.values)
        rows = []
        for name, goal in wanted.items():
            actual = float(values[name][row])
            try:
                score = indicator_score(actual, goal.floor, goal.target, cap=cap)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            rows.append((goal.group, name, actual, float(goal.floor), float(goal.target),
                         float(goal.weight), score, goal.owner))  # fmt: skip
        return ScoreCard(tuple(rows))

    def heading_table(self, period: Any, *, group: Any = None, language: Language = "en") -> Any:
        """Values of one period under their headings.

        Parameters
        ----------
        period : object
        group : object, default=None
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``group`` (the heading), ``indicator``, ``actual``.
        """
        data = self._known()
        row, values = self._row(period, group), self._all(data.values)
        rows = [
            (heading, name, float(values[name][row]))
            for heading, names in self.headings.items()
            for name in names
        ]
        table = pd.DataFrame(rows, columns=["group", "indicator", "actual"])
        return INDICATORS.table(table, language, cells=("group", "indicator"))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: formulas, headings and, where there are any, the leaves' values.

        Raises
        ------
        NotSupportedError
            If periods or groups are neither texts, numbers nor times.

        Examples
        --------
        >>> import json
        >>> from custvalue.value import IndicatorTree
        >>> text = json.dumps(IndicatorTree.crm().to_dict())
        >>> IndicatorTree.from_dict(json.loads(text)).indicators
        ('margin_a_period', 'multiple', 'value')
        """
        data, known = self._data, None
        if data is not None:
            known = {
                "periods": _written(data.periods, "periods"),
                "groups": _written(data.groups, "groups") if self.groups else None,
                "leaves": {name: array_to_plain(v) for name, v in data.values.items()},
                "errors": {name: array_to_plain(v) for name, v in data.errors.items()},
            }
        return sealed(
            "IndicatorTree",
            formulas=dict(self.formulas),
            headings={name: list(names) for name, names in self.headings.items()},
            columns=list(self._columns),
            data=known,
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Tree from what ``to_dict`` gave.

        Parameters
        ----------
        plain : mapping

        Raises
        ------
        ArtefactError
            If the dictionary is broken, was changed since it was written, or holds another model.
        """
        with reading("IndicatorTree"):
            keys = ("formulas", "headings", "columns", "data")
            got = unseal(plain, schemas=(2,), keys=keys, model="IndicatorTree")
            if not all(isinstance(names, list) for names in got["headings"].values()):
                raise ArtefactError("headings must hold lists of names.")
            tree = cls(got["formulas"], got["headings"])
            if got["data"] is None:
                return tree
            period, group = got["columns"]
            if not (isinstance(period, str) and isinstance(group, str)):
                raise ArtefactError("columns must be two names.")
            check_names(got["data"], ("periods", "groups", "leaves", "errors"), "data")
            data = {kind: got["data"][kind] for kind in ("leaves", "errors")}
            check_names(data["leaves"], tree.leaves, "leaves")
            # blanks in front: no leaf has such a name
            table: dict[str, Any] = {" period": _read(got["data"]["periods"], "periods")}
            if got["data"]["groups"] is not None:
                table[" group"] = _read(got["data"]["groups"], "groups")
            table |= {name: array_from_plain(v, name) for name, v in data["leaves"].items()}
            beside = {name: f" {name}" for name in data["errors"]}
            table |= {beside[name]: array_from_plain(v) for name, v in data["errors"].items()}
            made = tree.with_leaves(
                pd.DataFrame(table),
                period=" period",
                group=" group" if " group" in table else None,
                errors=beside,
            )
            return replace(made, _columns=(period, group))

    def _known(self) -> _Leaves:
        if self._data is None:
            raise NotSupportedError(
                f"the tree has no values yet; with_leaves(table, period=...) gives it those of "
                f"{', '.join(self.leaves)}."
            )
        return self._data

    def _all(self, leaves: Mapping[str, Floats], steps: Iterable[str] | None = None) -> Any:
        values = dict(leaves)
        n = len(next(iter(values.values()), np.empty(0)))
        for name in self.indicators if steps is None else steps:
            values[name] = np.broadcast_to(computed(name, self._trees[name], values), n)
        return values

    def _errors(self, data: _Leaves) -> dict[str, Floats]:
        """Delta method: squares of slope times error, summed over the leaves."""
        out = {name: np.zeros(len(data.periods)) for name in self.indicators}
        for leaf, error in data.errors.items():
            x = data.values[leaf]
            h = STEP * np.maximum(np.abs(x), error)
            h = np.where(h > 0, h, STEP)
            up, down = (self._all({**data.values, leaf: x + s * h}) for s in (1.0, -1.0))
            for name in self.indicators:
                out[name] += ((up[name] - down[name]) / (2 * h) * error) ** 2
        return {name: np.sqrt(v) for name, v in out.items()}

    def _shared(
        self,
        of: str,
        names: list[str],
        steps: list[str],
        at: tuple[Any, Any, Any],
        random_state: int,
        language: Language,
    ) -> pd.DataFrame:
        data = self._known()
        i, j = self._row(at[0], at[2]), self._row(at[1], at[2])
        values = self._all(data.values)
        one, two = (np.array([values[n][k] for n in names], dtype=float) for k in (i, j))

        def worth(rows: Floats) -> Floats:
            mixed = dict(zip(names, rows.T, strict=True))
            return np.asarray(self._all(mixed, steps)[of])

        found = share_out(worth, one, two, random_state)
        total = float(values[of][j] - values[of][i])
        table = pd.DataFrame(
            {
                "name": names,
                "start": one,
                "end": two,
                "contribution": found.share,
                "share": found.share / total if total else np.zeros(len(names)),
                "sampling_error": found.error,
            }
        )
        return INDICATORS.table(table, language, cells=("name",))

    def _below(self, of: str) -> set[str]:
        out: set[str] = set()
        left = [of]
        while left:
            name = left.pop()
            for part in names_in(self._trees[name]) if name in self._trees else ():
                if part not in out:
                    out.add(part)
                    left.append(part)
        return out

    def _indicator(self, of: str) -> None:
        if of not in self._trees:
            raise DataContractError(
                ContractProblem(
                    "unknown-name", f"{of!r} is no indicator", _near(of, self.indicators)
                )
            )

    def _row(self, period: Any, group: Any) -> int:
        data = self._known()
        keys = list(zip(data.periods, data.groups, strict=True))
        for i, key in enumerate(keys):
            if key == (period, group):
                return i
        what = f"period {period!r}" + (f" of group {group!r}" if group is not None else "")
        known = data.periods if group is None else [p for p, g in keys if g == group]
        if group is None and any(g is not None for g in data.groups):
            cure = f"Say group=, one of {sorted({str(g) for g in data.groups})[:10]}."
        else:
            cure = _near(period, known)
        raise DataContractError(ContractProblem("unknown-period", f"there is no {what}", cure))


def _written(labels: tuple[Any, ...], what: str) -> dict[str, Any]:
    values = pd.Series(list(labels)).to_numpy()
    if values.dtype.kind == "O" and all(isinstance(one, str) for one in values):
        values = values.astype(str)
    if values.dtype.kind not in "biufMU":
        raise NotSupportedError(
            f"{what} of kind {type(labels[0]).__name__} can't be written: make them texts, numbers "
            "or times."
        )
    return array_to_plain(values)


def _read(plain: Any, what: str) -> list[Any]:
    values = array_from_plain(plain, what)
    return list(pd.Series(values)) if values.dtype.kind == "M" else list(values.tolist())


def _circle(trees: Mapping[str, ast.expr]) -> list[str]:
    """Return names that read each other in a circle, if any do."""
    done: set[str] = set()
    for first in trees:
        way: list[tuple[str, list[str]]] = [(first, _inner(trees, first))]
        while way:
            name, left = way[-1]
            if name in done or not left:
                done.add(name)
                way.pop()
                continue
            following = left.pop()
            names = [n for n, _ in way]
            if following in names:
                return [*names[names.index(following) :], following]
            way.append((following, _inner(trees, following)))
    return []


def _inner(trees: Mapping[str, ast.expr], name: str) -> list[str]:
    return [part for part in names_in(trees[name]) if part in trees]


def _sorted(trees: Mapping[str, ast.expr]) -> tuple[str, ...]:
    """Names of the formulas, each after those it reads."""
    out: dict[str, None] = {}
    for first in trees:
        way = [first]
        while way:
            missing = [part for part in _inner(trees, way[-1]) if part not in out]
            if missing:
                way.append(missing[0])
            else:
                out[way.pop()] = None
    return tuple(out)


def _near(name: object, known: Iterable[object]) -> str:
    words = [str(one) for one in known]
    found = get_close_matches(str(name), words, 1, 0.6)
    if found:
        return f"Did you mean {found[0]!r}?"
    return f"There are {', '.join(words[:20]) or 'none'}."
