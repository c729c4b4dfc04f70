"""What every purchase model answers, and how to add one.

A model is one file: a NamedTuple of positive parameters, the functions of a
:class:`~custvalue.purchase.PurchaseLaw`, and an estimator that names them::

    class MyModel(PurchaseModel):
        law = PurchaseLaw(name="my model", params=MyParams, dimensions={...}, mixing=(...),
                          log_likelihood=..., prob_alive=..., alive=..., expected_orders=...,
                          log_prob_none=..., survival=..., pmf=..., simulate=...)

The functions take the parameters first, then a history (x, t_x, T) or, for a customer who is alive
now, the time t from now on; all arguments broadcast. Fitting (scaled time, several starts, weights,
boundaries, standard errors, priors), every forecast, sampling, scoring, bootstrap and persistence
then work; ``custvalue.testing.check_purchase_model(MyModel())`` says whether they are right. An
``objective`` with analytic derivatives makes the fit fast. ``discrete=True`` counts time in order
opportunities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from custvalue._dates import read_date
from custvalue._frames import BTYD, frame_like
from custvalue._histories import check_histories, check_meaning, warn_beyond
from custvalue._kernels import Histories, compress
from custvalue._log_start import tell_start
from custvalue._open_table import open_table
from custvalue._portable import number
from custvalue._row_check import OnInvalid, flagged
from custvalue._sklearn import check_is_fitted, read_vectors, weights_of
from custvalue._typing import Floats, Places
from custvalue._units import Span, check_annual_rate, days_per, in_units, plain_span
from custvalue._work import MOST_CELLS, MOST_DRAWS, MOST_TERMS, chances, check_count, check_work
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.likelihood import LawModel
from custvalue.likelihood._for_rooms import (
    ByGroup,
    RowsOfCustomers,
    Unseen,
    learn_effects,
    own_parameters,
    read_groups,
)
from custvalue.purchase import _forecast
from custvalue.purchase._customers import distinct_customers, told
from custvalue.purchase._forecast import Past
from custvalue.purchase._law import PurchaseLaw
from custvalue.purchase._prior import Prior
from custvalue.purchase._scorer import Scorer

if TYPE_CHECKING:
    import pandas as pd

DAYS_PER_YEAR = 365.25
MOST_ORDERS = 100_000  # of a row, in predict_pmf


class PurchaseModel(LawModel):
    """Base of every purchase model; see the module's docstring for how to add one.

    Parameters
    ----------
    unit : str or None, default=None
        Unit of ``recency`` and ``T`` ("D", "W", ...) where the table does not say it.
    horizon : str, number or None, default=None
        Horizon of forecasts where a method is not given one.
    prior : Prior or None, default=None
        What is known beforehand, in plain quantities.
    purchase_columns, leave_columns : list of str or None, default=None
        Columns that tell of the customer (numbers, truth values, text) and move how often a
        customer orders, and how soon one leaves; the docs have a page on them.
    equal_columns : list of str or None, default=None
        Columns of both lists with one coefficient in both.
    ridge : float, default=0.0
        Customers that the belief is worth that a standard deviation of a column does nothing.
    missing : {"raise", "encode"}, default="raise"
        What a missing value of a column does: refuse the table, or be a category of its own.

    Attributes
    ----------
    fitted_ : FittedLaw
        All that a fit leaves: parameters, unit, report.
    params_ : NamedTuple
        The fitted parameters, times in the data's unit.
    unit_ : str or None

    Examples
    --------
    >>> from custvalue.purchase import MBGNBD, PurchaseModel
    >>> issubclass(MBGNBD, PurchaseModel)
    True
    """

    law: ClassVar[PurchaseLaw]
    columns = BTYD

    def __init__(
        self,
        *,
        unit: str | None = None,
        horizon: Span | None = None,
        prior: Prior | None = None,
        purchase_columns: Sequence[str] | None = None,
        leave_columns: Sequence[str] | None = None,
        equal_columns: Sequence[str] | None = None,
        ridge: float = 0.0,
        missing: Literal["raise", "encode"] = "raise",
    ) -> None:
        self.unit = unit
        self.horizon = horizon
        self.prior = prior
        self.purchase_columns = purchase_columns
        self.leave_columns = leave_columns
        self.equal_columns = equal_columns
        self.ridge = ridge
        self.missing = missing

    @property
    def unit_(self) -> str | None:
        """Unit of time of the parameters."""
        return self.fitted_.unit

    # ---- forecasts ---------------------------------------------------------------------------

    def predict(
        self, X: Any, horizon: Span | None = None, *, on_invalid: OnInvalid = "raise"
    ) -> Floats:
        """Forecast the expected number of orders within the horizon, one value a row.

        Parameters
        ----------
        X : table with columns frequency, recency, T, or array with these three columns first
        horizon : str or number, optional
            ``"26W"``, ``"90D"``; a bare number only where the unit of the data is unknown.
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, horizon, on_invalid=on_invalid)
        past, params = self._past(X)
        return _forecast.expected(self.law, params, past, self._time(horizon))

    def predict_alive(
        self, X: Any, at: Span | None = None, *, on_invalid: OnInvalid = "raise"
    ) -> Floats:
        """P(still a customer) of each row, now or a while after the as-of date.

        Parameters
        ----------
        X : table or array
        at : str or number, optional
            How long after the as-of date; what is ordered in between is not known.
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        if on_invalid != "raise":
            return flagged(self.predict_alive, X, at, on_invalid=on_invalid)
        return self._alive(*self._past(X), at)

    def _alive(self, past: Past, params: Any, at: Span | None) -> Floats:
        here = _forecast.alive_now(self.law, params, past)
        if at is None:
            return here
        t = self._time(at, "at")
        return here * _forecast.if_alive(
            self.law, params, past, lambda *p: self.law.survival(*p, t)
        )

    def predict_proba_any(
        self, X: Any, horizon: Span | None = None, *, on_invalid: OnInvalid = "raise"
    ) -> Floats:
        """Chance of at least one order within the horizon, one value a row.

        Parameters
        ----------
        X : table or array
        horizon : str or number, optional
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        if on_invalid != "raise":
            return flagged(self.predict_proba_any, X, horizon, on_invalid=on_invalid)
        past, params = self._past(X)
        return _forecast.prob_any(self.law, params, past, self._time(horizon))

    def predict_pmf(self, X: Any, horizon: Span | None = None, n_max: int = 20) -> Floats:
        """Chance of k orders within the horizon, k = 0..n_max.

        Parameters
        ----------
        X : table or array
        horizon : str or number, optional
        n_max : int, default=20
            At most 10,000.

        Returns
        -------
        ndarray of shape (n_rows, n_max + 1)
            A row sums to 1 less the chance of more than ``n_max`` orders.

        Raises
        ------
        ValueError
            If there would be more chances than memory has room for.
        """
        past, params = self._past(X)
        return self._pmf(past, params, horizon, n_max)

    def _pmf(self, past: Past, params: Any, horizon: Span | None, n_max: int) -> Floats:
        t, n_max = self._time(horizon), check_count("n_max", n_max, 0, MOST_ORDERS)
        check_work(
            len(past.x) * (n_max + 1), MOST_CELLS, "chances", "Lower n_max, or give fewer rows."
        )
        if self.law.discrete:
            self._check_dates(t)
        return _forecast.pmf(self.law, params, past, t, n_max)

    def pmf_of_rows(self, X: Any, horizon: Span | None = None) -> Callable[[Places, int], Floats]:
        """Read a table once, to ask ``predict_pmf`` of some of its rows at a time.

        Parameters
        ----------
        X : table or array
        horizon : str or number, optional

        Returns
        -------
        callable (rows, n_max) -> ndarray of shape (len(rows), n_max + 1)
        """
        past, params = self._past(X)

        def chances_of(rows: Places, n_max: int) -> Floats:
            return self._pmf(past.part(rows), _forecast.own(params, rows), horizon, n_max)

        return chances_of

    def predict_next_order(self, X: Any, q: float | tuple[float, ...] = (0.1, 0.5, 0.9)) -> Any:
        """When the next order comes: quantiles, and the chance that it never does.

        Parameters
        ----------
        X : table or array
        q : float or tuple of float, default=(0.1, 0.5, 0.9)

        Returns
        -------
        table of the kind of X
            A column ``q<percent>`` a quantile: time from the as-of date, in the data's unit, by
            which the next order has come with chance q; inf where that never becomes so likely.
            Column ``never``: chance of no further order at all.
        """
        table = open_table(X)
        past, params = self._past(table)
        columns: dict[str, Floats] = {}
        for level in chances(q):
            columns[f"q{100 * level:g}"] = _forecast.next_order(
                self.law, params, past, float(level)
            )
        columns["never"] = _forecast.never_again(self.law, params, past)
        return frame_like(table.given, columns)

    def dert(self, X: Any, annual_discount_rate: float) -> Floats:
        """Sum expected orders without end, discounted continuously (DERT), one value a row.

        Parameters
        ----------
        X : table or array
        annual_discount_rate : float
            Above 0: without discounting the sum may be infinite.

        Returns
        -------
        ndarray of shape (n_rows,)

        References
        ----------
        Fader, P. S., Hardie, B. G. S. & Lee, K. L. (2005), RFM and CLV: using iso-value curves for
        customer base analysis, Journal of Marketing Research 42(4), 415-430.
        """
        past, params = self._past(X)
        delta = self._log_discount(annual_discount_rate)
        if self.law.discrete:
            what = f"opportunities matter at annual_discount_rate={annual_discount_rate:g}"
            check_work(40.0 / delta, MOST_TERMS, what, "Give a higher rate.")
        return _forecast.residual(self.law, params, past, delta)

    def discounted_orders(
        self, X: Any, horizon: Span | None = None, *, annual_discount_rate: float, steps: int = 12
    ) -> Floats:
        """Sum expected orders within the horizon, discounted at the end of each of equal steps.

        Parameters
        ----------
        X : table or array
        horizon : str or number, optional
        annual_discount_rate : float
        steps : int, default=12
            Stretches into which the horizon is cut (months of a year).

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        past, params = self._past(X)
        t, steps = self._time(horizon), check_count("steps", steps, 1, MOST_TERMS)
        rate = np.log1p(check_annual_rate(annual_discount_rate)) / self._units_per_year()
        ends = t * np.arange(1, steps + 1) / steps
        return _forecast.discounted(self.law, params, past, ends, np.exp(-rate * ends))

    def weighted_orders(self, X: Any, times: npt.ArrayLike, factors: npt.ArrayLike) -> Floats:
        """Sum the orders expected in the stretches between ``times``, each times its factor.

        Parameters
        ----------
        X : table or array
        times : array-like of shape (k,)
            Ends of the stretches from the as-of date on, ascending, in the data's unit.
        factors : array-like of shape (k,)
            What an order of each stretch counts, for example its discount factor.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        past, params = self._past(X)
        ends, weights = np.asarray(times, float), np.asarray(factors, float)
        falls = ends.ndim == 1 and ((ends < 0.0).any() or (ends[1:] < ends[:-1]).any())
        if ends.ndim != 1 or ends.shape != weights.shape or falls:
            raise ValueError("times must ascend from 0 on, with one factor each.")
        return _forecast.discounted(self.law, params, past, ends, weights)

    def weighted_lifetime(self, X: Any, times: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
        """Sum the chances of still being a customer at ``times``, each times its weight.

        With the nodes and weights of an integral it is the (discounted) time that a customer stays.

        Parameters
        ----------
        X : table or array
        times, weights : array-like of shape (k,)
            Times from the as-of date on, in the data's unit.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        past, params = self._past(X)
        at, weight = np.asarray(times, float), np.asarray(weights, float)
        if at.ndim != 1 or at.shape != weight.shape or (at < 0).any():
            raise ValueError("times must be 0 or more, with one weight each.")

        def stays(*future: Floats) -> Floats:
            total: Any = 0.0
            for t, w in zip(at, weight, strict=True):
                total = total + w * self.law.survival(*future, t)
            return np.asarray(total)

        here = _forecast.alive_now(self.law, params, past)
        return np.asarray(here * _forecast.if_alive(self.law, params, past, stays))

    def new_customer(self, horizon: Span | None = None) -> float:
        """Forecast the repeat orders of a customer who has just placed the first order.

        Where columns of customers count, of one whose columns are those of the average customer of
        the fit; of others by ``predict``, with 0 as frequency, recency and T. Of a fit by group the
        mean over its customers' groups; ``of_group`` has each.

        Parameters
        ----------
        horizon : str or number, optional

        Returns
        -------
        float
        """
        check_is_fitted(self, "params_")
        params, share = self._kinds()
        zero = np.zeros(len(share))
        new = Past(zero, zero, zero)
        return float(share @ _forecast.expected(self.law, params, new, self._time(horizon)))

    def scorer(self, horizon: Span | None = None) -> Scorer:
        """Frozen, thread-safe scorer of single customers for a service.

        Parameters
        ----------
        horizon : str or number, optional

        Returns
        -------
        Scorer
        """
        self._plain("scorer")
        return Scorer(self.law, self.params_, self._time(horizon), self.fitted_.effects)

    # ---- samples -----------------------------------------------------------------------------

    def sample_future(
        self,
        X: Any,
        horizon: Span | None = None,
        *,
        size: int = 1,
        random_state: int | np.random.Generator | None = None,
    ) -> npt.NDArray[np.int64]:
        """Draw numbers of orders within the horizon from each row's predictive law.

        Parameters
        ----------
        X : table or array
        horizon : str or number, optional
        size : int, default=1
        random_state : int or Generator, optional

        Returns
        -------
        ndarray of shape (n_rows, size), int
        """
        past, params = self._past(X)
        t, rng = self._time(horizon), np.random.default_rng(random_state)
        size = check_count("size", size, 1)
        self._check_draws(_forecast.expected(self.law, params, past, t) * size)
        here = _forecast.alive_now(self.law, params, past)
        own = _forecast.rowwise(params)
        future = [np.broadcast_to(p, past.x.shape) for p in self.law.alive(*own, *past)]
        out = np.zeros((len(past.x), size), dtype=np.int64)
        block = max(1, 200_000 // size)
        for lo in range(0, len(past.x), block):
            part = slice(lo, lo + block)
            row = np.repeat(np.arange(len(past.x))[part], size)
            lives = np.flatnonzero(rng.random(len(row)) < here[row])
            if len(lives):
                orders = self.law.simulate(*(p[row[lives]] for p in future), t, rng)
                counts = np.bincount(lives[orders.owner], minlength=len(row))
                out[part] = counts.reshape(-1, size)
        return out

    def sample_histories(
        self,
        n: int,
        T: Any,
        *,
        customers: Any = None,
        random_state: int | np.random.Generator | None = None,
    ) -> pd.DataFrame:
        """Simulate customers and summarise them: frequency, recency, T and who is still alive.

        Parameters
        ----------
        n : int
        T : float or array-like of shape (n,)
            Time observed since the first order, in the model's unit.
        customers : table of n rows, optional
            With the columns that move the parameters, where there are any.
        random_state : int or Generator, optional

        Returns
        -------
        DataFrame of shape (n, 4)
            ``frequency``, ``recency``, ``T``, ``alive`` (the truth at T), and the columns of
            ``customers`` that count; of a fit by group the group, drawn by its share of the
            customers unless ``customers`` says it.
        """
        import pandas as pd

        check_is_fitted(self, "params_")
        rng = np.random.default_rng(random_state)
        end = np.broadcast_to(np.asarray(T, dtype=float), (check_count("n", n, 0, MOST_CELLS),))
        if not ((end >= 0) & np.isfinite(end)).all():
            raise ValueError("T must be finite and not negative.")
        params, traits = self._of_new(n, customers, rng)
        owner, time, left = self._simulate(params, end, rng)
        last = np.zeros(n)
        np.maximum.at(last, owner, time)
        return pd.DataFrame(
            {
                "frequency": np.bincount(owner, minlength=n).astype(float),
                "recency": last,
                "T": np.array(end),
                "alive": left > end,
                **traits,
                **self._simulated(n, owner, time),
            }
        )

    def _simulated(self, n: int, owner: npt.NDArray[np.intp], time: Floats) -> dict[str, Floats]:
        """Columns of simulated customers that a law reads besides."""
        return {}

    def sample(
        self,
        n: int,
        horizon: Span | None = None,
        *,
        births: Span | None = None,
        start: str = "2020-01-01",
        customers: Any = None,
        random_state: int | np.random.Generator | None = None,
    ) -> pd.DataFrame:
        """Simulate a transaction log of ``n`` customers whose first orders are spread over time.

        Parameters
        ----------
        n : int
        horizon : str or number, optional
            Length of the log, from ``start`` on.
        births : str or number, optional
            First orders fall evenly into this stretch at the beginning; a quarter of the horizon
            unless given.
        start : str, default="2020-01-01"
        customers : table of n rows, optional
            With the columns that move the parameters, where there are any.
        random_state : int or Generator, optional

        Returns
        -------
        DataFrame
            One row an order, by time: ``customer_id`` (int), ``date`` (datetime64 where the unit is
            known, else a number), ``alive`` (whether the customer is one at the log's end), and the
            columns of ``customers`` that count, or the group, as in ``sample_histories``.
        """
        import pandas as pd

        check_is_fitted(self, "params_")
        rng = np.random.default_rng(random_state)
        end = self._time(horizon)
        spread = end / 4.0 if births is None else self._time(births, "births")
        if spread > end:
            raise ValueError("births must not take longer than the log (horizon).")
        n = check_count("n", n, 0, MOST_CELLS)
        born = rng.random(n) * spread
        if self.law.discrete:
            born = np.floor(born)
        params, traits = self._of_new(n, customers, rng)
        owner, time, left = self._simulate(params, end - born, rng)
        who = np.concatenate([np.arange(n), owner])
        when = np.concatenate([born, born[owner] + time])
        order = np.argsort(when, kind="stable")
        who, when = who[order], when[order]
        date: Any = when
        if self.unit_ is not None:
            span = np.floor(when * days_per(self.unit_) * 86_400e3).astype("timedelta64[ms]")
            date = read_date(start, "start").to_datetime64().astype("datetime64[ms]") + span
        alive = (left > end - born)[who]
        columns = {name: values[who] for name, values in traits.items()}
        return pd.DataFrame({"customer_id": who, "date": date, "alive": alive, **columns})

    def _kinds(self) -> tuple[Any, Floats]:
        """Parameters of the kinds of new customers, and how often each kind comes."""
        effects, groups = self.fitted_.effects, self.fitted_.groups
        if groups is None:
            average = None if effects is None else effects.mean[None, :]
            return own_parameters(self.law, self.params_, effects, average), np.ones(1)
        laws = groups.laws.values()
        size = np.array([law.report.n_customers for law in laws])
        return ByGroup(tuple(law.params for law in laws), np.arange(len(size))), size / size.sum()

    def _of_new(
        self, n: int, customers: Any, rng: np.random.Generator
    ) -> tuple[Any, dict[str, npt.NDArray[Any]]]:
        """Parameters of customers to be simulated, and the columns that made them."""
        effects, groups = self.fitted_.effects, self.fitted_.groups
        if effects is None and groups is None:
            return self.params_, {}
        table = None if customers is None else open_table(customers)
        if groups is not None and table is None:
            params, share = self._kinds()
            code = rng.choice(len(share), n, p=share)
            return params.part(code), {groups.by: np.array([*groups.laws], dtype=object)[code]}
        names = [groups.by] if effects is None else [column.name for column in effects.columns]
        if table is None or table.n != n:
            raise ValueError(
                f"customers= must be a table of {n:,} rows with {', '.join(map(repr, names))}, "
                "which move the parameters."
            )
        if effects is None:
            return self._params_of_rows(table), {groups.by: np.asarray(table.column(groups.by))}
        Z = effects.design(table, type(self).__name__)
        traits = {name: np.asarray(table.column(name)) for name in names}
        return own_parameters(self.law, self.params_, effects, Z), traits

    def _simulate(
        self, params: Any, end: Floats, rng: np.random.Generator
    ) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
        """Orders of new customers: some leave right away, the others live as ``alive`` says."""
        zero = np.zeros(len(end))
        longest, none = float(end.max(initial=0.0)), zero[:1]
        own = _forecast.rowwise(params)
        if _forecast.alike(own):
            of_one = _forecast.expected(self.law, params, Past(none, none, none), longest)
            self._check_draws(of_one * len(end))
        else:
            self._check_draws(_forecast.expected(self.law, params, Past(zero, zero, zero), longest))
        here = rng.random(len(end)) < self.law.prob_alive(*own, zero, zero, zero)
        rows = np.flatnonzero(here)
        left = np.where(here, np.inf, 0.0)
        if len(rows) == 0:
            return rows, np.empty(0), left
        future = self.law.alive(*_forecast.own(own, rows), zero[rows], zero[rows], zero[rows])
        orders = self.law.simulate(
            *(np.broadcast_to(p, rows.shape) for p in future), end[rows], rng
        )
        left[rows] = orders.left
        return rows[orders.owner], orders.time, left

    # ---- what the methods share --------------------------------------------------------------

    def _past(self, X: Any) -> tuple[Past, Any]:
        """Histories of a table, and the parameters of each customer."""
        check_is_fitted(self, "params_")
        table, effects = open_table(X), self.fitted_.effects
        if self.fitted_.groups is not None:
            params = self._params_of_rows(table)
            return self._histories(table), params
        if effects is None:
            return self._histories(table), self.params_
        Z = effects.design(table, type(self).__name__)
        return self._histories(table), own_parameters(self.law, self.params_, effects, Z)

    def _params_at(self, values: Floats, table: Any) -> Any:
        """Parameters of each customer of a table, were ``values`` the fitted ones."""
        effects, k = self.fitted_.effects, len(self.law.names)
        params = self.law.params(*values[:k])
        if effects is None:
            return params
        Z = effects.design(table, type(self).__name__)
        return own_parameters(self.law, params, effects.moved(np.log(values[k:])), Z)

    def _histories(self, X: Any) -> Past:
        check_is_fitted(self, "params_")
        past = self._read(X, reset=False)
        longest = self.fitted_.report.facts.get("max_T", 0.0)
        warn_beyond(type(self).__name__, past.T, longest, self.unit_)
        return past

    def _read(self, X: Any, *, reset: bool) -> Past:
        """Histories of a table; models that read other columns override it."""
        past = Past(*read_vectors(self, X, self.columns, reset=reset))
        check_histories(*past, discrete=self.law.discrete)
        return past

    def _rows(self, X: Any, sample_weight: Any = None) -> Histories | RowsOfCustomers:
        table = open_table(X)
        past, effects = self._histories(table), self.fitted_.effects
        weight = weights_of(sample_weight, len(past.x), table)
        if effects is None:
            return self._distinct(past, weight)
        return distinct_customers(
            self._distinct, past, weight, effects.design(table, type(self).__name__)
        )

    def _distinct(self, past: Past, weight: Floats | None) -> Histories:
        """Equal histories put together, those without weight left out."""
        if weight is not None and (weight == 0).any():
            some = weight > 0
            past, weight = past.part(some), weight[some]
        return compress(*past, weight, 1.0 if self.law.discrete else None)

    def _check_meaning(self, rows: Histories) -> None:
        """Look for columns that do not mean what the law takes them to mean."""
        check_meaning(rows, self.law.name)

    def _time(self, span: Span | None, name: str = "horizon") -> float:
        span = self.horizon if span is None else span
        if span is None:
            raise ValueError(
                f"{type(self).__name__} needs a horizon: predict(X, horizon='26W'), or horizon= in "
                "the constructor."
            )
        return in_units(span, self.unit_, name)

    def _check_draws(self, orders: Floats) -> None:
        """Refuse to simulate more orders than memory has room for."""
        cure = "Shorten the horizon, or draw for fewer customers at a time."
        check_work(float(np.sum(orders)), MOST_DRAWS, "orders to draw", cure)

    def _check_dates(self, t: float) -> float:
        """Refuse to count more opportunities than anybody lives to see."""
        check_work(t, MOST_TERMS, "opportunities", "Shorten the horizon.")
        return t

    def _units_per_year(self) -> float:
        if self.unit_ is None:
            raise ValueError(
                "an annual discount rate needs the unit of time: fit on a table made by "
                "custvalue.summarize, or set unit= on the estimator."
            )
        return DAYS_PER_YEAR / days_per(self.unit_)

    def _log_discount(self, annual_discount_rate: float) -> float:
        rate = check_annual_rate(annual_discount_rate)
        if rate <= 0.0:
            raise ValueError(
                f"annual_discount_rate={rate:g}: orders without end need a rate above 0; "
                "discounted_orders has an end and takes any rate."
            )
        return float(np.log1p(rate) / self._units_per_year())

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        by: str | None = None,
        unseen: Unseen = "raise",
    ) -> Self:
        """Estimate the parameters by maximum likelihood; those of groups by empirical Bayes.

        Parameters
        ----------
        X : table with columns frequency, recency, T, or array with these three columns first
            One row a customer, the one-time buyers too.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_rows,), optional
            How many customers a row stands for.
        by : str, optional
            Column of ``X`` that names each customer's group, such as a country or a cohort. Each
            group then has its own parameters, drawn to those of all the more the less its own
            customers tell; ``params_`` are those of a group of which nothing is known.
        unseen : {"raise", "common"}, default="raise"
            What a group does afterwards that is not in ``X``: it is refused, or has ``params_``.

        Returns
        -------
        self

        Raises
        ------
        DataContractError
            If the columns break the meaning of frequency, recency or T, or rows name no group.
        FitFailedError
            If the search ends without an answer.

        Warns
        -----
        BoundaryFitWarning
            If the likelihood is highest at a limit; forecasts are usable.
        SelectionWarning
            If one-time buyers seem to have been removed.
        SmallSampleWarning
            If groups have fewer than 50 customers.
        """
        table, wanted = open_table(X), self._columns_asked()
        past = self._read(table, reset=True)
        unit = table.unit(self.unit, caller=f"this {type(self).__name__}")
        weight = weights_of(sample_weight, len(past.x), table)
        grouping = None if by is None else read_groups(table, by, unseen)
        rows = self._distinct(past, weight)
        if not rows.T.any():
            raise DataContractError(
                ContractProblem(
                    "no-time-observed",
                    "'T' is 0 for every customer, so nothing has been seen of them",
                    "Use an as-of date after the first orders.",
                    len(past.x),
                )
            )
        self._check_meaning(rows)
        if unit is not None and not self.law.discrete:
            tell_start(table.facts, rows.T * days_per(unit), rows.w)
        if grouping is not None:
            self._refuse_both(wanted)
            parts = []
            for at in grouping.rows:
                own = None if weight is None else weight[at]
                some = own is None or bool(own.any())
                parts.append(self._distinct(past.part(at), own) if some else None)
            return self._learn(rows, unit, grouped=(grouping, parts))
        if not wanted.by_process:
            return self._learn(rows, unit)
        effects, Z = learn_effects(wanted, table, told(self.law, past), weight, type(self).__name__)
        self.feature_names_in_ = np.asarray([*self.columns, *wanted.names], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        return self._learn(
            rows, unit, by_customer=(effects, distinct_customers(self._distinct, past, weight, Z))
        )

    def score_samples(self, X: Any) -> Floats:
        """Log-likelihood of each row.

        Parameters
        ----------
        X : table or array

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        past, params = self._past(X)
        return _forecast.log_likelihoods(self.law, params, past)

    def _score_by_group(self, X: Any, sample_weight: Any) -> float:
        table = open_table(X)
        values = self.score_samples(table)
        return float(np.average(values, weights=weights_of(sample_weight, len(values), table)))

    def _settings(self) -> dict[str, Any]:
        prior = self._prior()
        return {
            "unit": self.unit_,
            "horizon": None if self.horizon is None else plain_span(self.horizon),
            "prior": None if prior is None else asdict(prior),
            **self._columns_written(),
        }

    @classmethod
    def _from_settings(cls, plain: dict[str, Any]) -> dict[str, Any]:
        plain = super()._from_settings(plain)
        prior, unit, horizon = plain["prior"], plain["unit"], plain["horizon"]
        if unit is not None:
            days_per(unit)
        if horizon is not None:
            in_units(horizon, None if isinstance(horizon, (int, float)) else "D")
        if prior is not None:
            for name, value in prior.items():
                number(value, f"prior, {name}", none=name != "customers")
            prior = Prior(**prior)
        return {**plain, "prior": prior}

    def _prior(self) -> Prior | None:
        if self.prior is not None and not isinstance(self.prior, Prior):
            raise TypeError(f"prior={self.prior!r} must be a custvalue.purchase.Prior or None.")
        return self.prior

    def _penalty(self) -> Any:
        prior = self._prior()
        if prior is None:
            return None
        return partial(prior.log_density, names=self.law.names, mixing=self.law.mixing)
