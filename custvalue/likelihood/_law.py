"""What a law declares: its parameters with their dimensions, its likelihood, and where to look.

Columns of customers enter a law at its ``processes``: a customer's own value of such a parameter is
the law's times the exponential of a weighted sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, Self, TypeAlias

import numpy as np

from custvalue._kernels import Objective, Optimum, by_differences, rows_by_differences
from custvalue._typing import Floats, Places

ByPair: TypeAlias = dict[tuple[int, int], Floats]
Dimension = Literal["time", "1/time", "money", "none"]
LOWEST, HIGHEST = -16.0, 12.0  # log parameters in the search's units; beyond, likelihoods are flat
BLOCK = 8192
CLOSE = 1e-13  # squared Newton decrement of the mean log-likelihood at which a search ends


class Process(NamedTuple):
    """What columns of customers may move: its scale parameters, and to which side.

    Parameters
    ----------
    parameters : tuple of str
        Each is multiplied by the exponential of ``sign`` times a weighted sum of the columns.
    sign : float
        At which a weight above 0 means more orders, leaving sooner, more money.

    Examples
    --------
    >>> from custvalue.purchase import BGNBD
    >>> BGNBD.law.processes["purchase"]
    Process(parameters=('alpha',), sign=-1.0)
    """

    parameters: tuple[str, ...]
    sign: float


class Units(NamedTuple):
    """What a search counts in: one unit of time and of money, in the user's.

    Parameters
    ----------
    time, money : float, default=1.0

    Examples
    --------
    >>> units = Units(time=7.0)
    >>> units.of("time"), round(units.of("1/time"), 3), units.of("money")
    (7.0, 0.143, 1.0)
    """

    time: float = 1.0
    money: float = 1.0

    def of(self, dimension: Dimension) -> float:
        """Size of the unit of a quantity of this dimension."""
        sizes = {"time": self.time, "1/time": 1.0 / self.time, "money": self.money, "none": 1.0}
        return sizes[dimension]


class Rows(Protocol):
    """Customers as a likelihood takes them: rows, and how many customers each stands for.

    Examples
    --------
    >>> import numpy as np
    >>> from custvalue._kernels import compress
    >>> rows = compress(np.array([0.0, 2.0, 2.0]), np.array([0.0, 5.0, 5.0]), np.full(3, 9.0))
    >>> rows.size, rows.n, rows.w
    (2, 3.0, array([1., 2.]))
    """

    @property
    def n(self) -> float:
        """Sum of the weights."""
        ...

    @property
    def size(self) -> int:
        """Number of rows."""
        ...

    @property
    def w(self) -> Floats | None:
        """Weights; None is one each."""
        ...

    def part(self, size: int) -> Self:
        """Take a fair sample of this many customers, the same one each time."""
        ...

    def drawn(self, rng: np.random.Generator) -> Self:
        """Draw as many customers with replacement."""
        ...

    def taken(self, rows: Places, w: Floats) -> Self:
        """Take some rows, and what each now weighs."""
        ...


class Plan(NamedTuple):
    """How the summit of a likelihood is looked for, in the logs that the search moves in.

    Parameters
    ----------
    lower, upper : ndarray of shape (k,)
        The box.
    samples : tuple of (int, float)
        Samples of the customers, small to large, on which to search first, and the squared Newton
        decrement at which each search ends.
    on_sample : int
        Starts of a search on the smallest sample, the most promising first; one: the first.
    searches : int or None
        Starts of a search on all rows, the most promising first; None: all, in order.
    hurry : bool
        Whether the first summit will do that does not lie on a boundary.
    close : float
        Squared Newton decrement at which the first search on all rows ends.
    ridge : float
        Beyond this a search that ended early goes on to its end: the likelihood is nearly flat.
    enough : float
        Squared Newton decrement above which the end is said to be short of the summit.

    Examples
    --------
    >>> import numpy as np
    >>> Plan(np.full(2, -16.0), np.full(2, 12.0)).searches is None  # all starts, in order
    True
    """

    lower: Floats
    upper: Floats
    samples: tuple[tuple[int, float], ...] = ()
    on_sample: int = 1
    searches: int | None = None
    hurry: bool = False
    close: float = CLOSE
    ridge: float = np.inf
    enough: float = np.inf


@dataclass(frozen=True, kw_only=True, eq=False)
class Law:
    """A likelihood with positive parameters of known dimensions; each kind of law is a subclass.

    Parameters
    ----------
    name : str
        Short name, as in the literature.
    params : type
        NamedTuple of the parameters, all positive.
    dimensions : dict of str to {"time", "1/time", "money", "none"}
        Of every parameter by name. A search counts time and money in units of its own, and turns
        each parameter back by its dimension. A length of time, or the rate of a gamma law of rates,
        is ``"time"``; a rate itself is ``"1/time"``.
    log_likelihood : callable (params..., columns...) or None
        Log density of each row. None: the law is not fitted by likelihood.
    objective : callable (rows) -> objective, or None
        Mean log-likelihood of weighted rows with gradient and Hessian in log parameters; None
        takes differences of ``log_likelihood``.
    derivatives : callable (params..., columns...) -> (value, gradient, hessian), or None
        Log density of each row with its derivatives in the parameters, where these differ from row
        to row: arrays of shape (n,), the gradient a list of them, the Hessian a dictionary by pair
        of places (upper half, what is 0 left out). None takes differences.
    limits : dict of str to (str, str), optional
        What it means that a parameter runs to 0, and to infinity.
    basis : ndarray of shape (k, k), optional
        The log parameters are ``basis`` times the coordinates in which the search moves (and in
        which ``objective`` differentiates): where a ridge runs across the parameters.
    bounds : tuple of (float, float), optional
        Of the exponential of each coordinate, in the search's units.

    Raises
    ------
    ValueError
        If ``dimensions`` leaves out a parameter, or says something else of one.

    Examples
    --------
    >>> from custvalue.purchase import BGNBD
    >>> BGNBD.law.names, BGNBD.law.scales
    (('r', 'alpha', 'a', 'b'), ('alpha',))
    >>> BGNBD.law.rescaled(BGNBD.law.params(0.2, 4.0, 0.8, 2.4), time=7.0)
    BGNBDParams(r=0.2, alpha=28.0, a=0.8, b=2.4)
    """

    name: str
    params: Any
    dimensions: Mapping[str, Dimension]
    log_likelihood: Callable[..., Floats] | None
    objective: Callable[[Any], Objective] | None = None
    derivatives: Callable[..., tuple[Floats, list[Floats], ByPair]] | None = None
    limits: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    basis: Floats | None = None
    bounds: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        known = ("time", "1/time", "money", "none")
        names = self.params._fields
        if set(self.dimensions) != set(names) or not set(self.dimensions.values()) <= set(known):
            raise ValueError(
                f"{self.name}: dimensions={dict(self.dimensions)} must say of each of "
                f"{', '.join(names)} whether it is one of {', '.join(map(repr, known))}."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(self.params._fields)

    @property
    def scales(self) -> tuple[str, ...]:
        """Names of the parameters that have a dimension: they set how large times or amounts are.

        To multiply one moves every customer's times or amounts alike.
        """
        return tuple(name for name in self.names if self.dimensions[name] != "none")

    @property
    def processes(self) -> dict[str, Process]:
        """What columns of customers may move, by name; a kind of law says it."""
        return {}

    def shown(self, params: Any) -> str:
        """Write parameters for a sentence."""
        return ", ".join(f"{k} = {v:.4g}" for k, v in zip(self.names, params, strict=True))

    def to_logs(self, theta: Floats) -> Floats:
        """Turn the coordinates of a search into the logs of the parameters."""
        return theta if self.basis is None else self.basis @ theta

    def from_logs(self, logs: Floats) -> Floats:
        """Inverse of ``to_logs``."""
        return logs if self.basis is None else np.asarray(np.linalg.solve(self.basis, logs))

    def factors(self, units: Units) -> Floats:
        """Size of each parameter's unit where time and money are counted in ``units``."""
        return np.array([units.of(self.dimensions[name]) for name in self.names])

    def rescaled(self, params: Any, time: float = 1.0, money: float = 1.0) -> Any:
        """Parameters of the same law where all times and amounts are so many times as large.

        Parameters
        ----------
        params : NamedTuple
        time, money : float, default=1.0
            7 turns parameters in weeks into parameters in days.

        Returns
        -------
        NamedTuple
        """
        return self.params(*map(float, self.factors(Units(time, money)) * np.asarray(params)))

    # ---- what a kind of law says of its rows ---------------------------------------------------

    def units(self, rows: Any) -> Units:
        """Units in which the search counts: those of the user unless a kind of law knows better."""
        return Units()

    def counted(self, rows: Any, units: Units) -> Any:
        """Give the rows in these units."""
        return rows

    def columns(self, rows: Any) -> tuple[Floats, ...]:
        """Columns that ``log_likelihood`` takes, in the rows' own units."""
        raise NotImplementedError

    def log_unit(self, rows: Any, units: Units) -> Floats:
        """Tell what each row's log density loses where it is counted per unit of the user's."""
        return np.zeros(rows.size)

    def starts(self, rows: Any) -> Sequence[Floats]:
        """Points to search from, the most plausible first; all ones unless a law knows better."""
        return [np.zeros(len(self.names))]

    def plan(self, rows: Any) -> Plan:
        """How to look for the summit."""
        if self.bounds is None:
            k = len(self.names)
            return Plan(np.full(k, LOWEST), np.full(k, HIGHEST))
        return Plan(*np.log(self.bounds).T.copy())

    def notes(self, params: Any) -> tuple[str, ...]:
        """Sentences on what the fitted parameters mean."""
        return ()

    def facts(self, rows: Any) -> dict[str, float]:
        """Facts of the rows that matter to a fit; enough to recognise the same rows."""
        return {"customers": rows.n}

    def seen(self, facts: Mapping[str, float]) -> str:
        """Say in a sentence what a fit saw."""
        return f"{facts['customers']:,.0f} customers."

    def trouble(self, rows: Any) -> str:
        """Say what makes any summit of these rows doubtful, in words; empty where nothing does."""
        return ""

    def boundaries(self, params: Floats, found: Optimum) -> tuple[tuple[str, ...], set[str]]:
        """Words for each boundary reached, and the parameters that lose their meaning there.

        Parameters
        ----------
        params : ndarray of shape (k,)
            In the search's units.
        found : Optimum
            With what the box holds back; coordinate i of the search is named as parameter i.

        Returns
        -------
        words : tuple of str
        undefined : set of str
        """
        words, undefined = [], set()
        touched = np.eye(len(self.names)) if self.basis is None else self.basis
        for i in np.flatnonzero(found.on_lower | found.on_upper):
            name, high = self.names[i], bool(found.on_upper[i])
            usual = (f"{name} runs to 0", f"{name} runs to infinity")
            words.append(self.limits.get(name, usual)[high])
            undefined |= {self.names[k] for k in np.flatnonzero(touched[:, i])}
        return tuple(words), undefined

    def log_likelihoods(self, params: Any, rows: Any) -> Floats:
        """Log density of each row in the user's units, in blocks that stay in cache."""
        columns, density = self.columns(rows), self.log_likelihood
        assert density is not None, f"{self.name} has no likelihood"
        out = np.empty(rows.size)
        for lo in range(0, rows.size, BLOCK):
            part = slice(lo, lo + BLOCK)
            out[part] = density(*params, *(v[part] for v in columns))
        return out

    def derivatives_of(
        self, logs: Sequence[Any], columns: Sequence[Floats]
    ) -> tuple[Floats, list[Floats], ByPair]:
        """Log density of rows and its derivatives in logs of the parameters, each row its own.

        Parameters
        ----------
        logs : sequence of float or ndarray of shape (n,)
            Logs of the parameters.
        columns : sequence of ndarray of shape (n,)

        Returns
        -------
        value : ndarray of shape (n,)
        gradient : list of ndarray of shape (n,)
        hessian : dict of (int, int) to ndarray of shape (n,)
            Upper half.
        """
        density = self.log_likelihood
        assert density is not None
        if self.derivatives is None:
            return rows_by_differences(lambda *params: density(*params, *columns), logs)
        params = [np.exp(v) for v in logs]
        value, gradient, hessian = self.derivatives(*params, *columns)
        slopes = [p * g for p, g in zip(params, gradient, strict=True)]
        curved = {(i, j): params[i] * params[j] * h for (i, j), h in hessian.items()}
        for i, slope in enumerate(slopes):
            curved[i, i] = curved[i, i] + slope if (i, i) in curved else slope
        return value, slopes, curved

    def objective_of(self, rows: Any) -> Objective:
        """Mean log-likelihood of counted rows with its derivatives, given or by differences."""
        if self.objective is not None:
            return self.objective(rows)
        columns, density = self.columns(rows), self.log_likelihood
        assert density is not None

        def mean(theta: Floats) -> float:
            values = density(*np.exp(self.to_logs(theta)), *columns)
            return float(np.mean(values) if rows.w is None else rows.w @ values / rows.n)

        return by_differences(mean)
