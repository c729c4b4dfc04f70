"""What the laws whose rates move in time share: they read walks, fit and forecast along them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from custvalue._histories import warn_beyond
from custvalue._kernels import Histories, compress
from custvalue._open_table import open_table
from custvalue._sklearn import check_is_fitted
from custvalue._typing import Floats, Mask, Places
from custvalue._units import Span, days_per, in_units, plain_span, same_unit
from custvalue._work import MOST_DRAWS, check_count, check_work
from custvalue.data._for_rooms import Walk, Walks
from custvalue.exceptions import ContractProblem, DataContractError, TimeUnitError
from custvalue.likelihood import LawModel
from custvalue.likelihood._for_rooms import ColumnsAsked, Effects, Told, learn_effects
from custvalue.purchase._law import Orders, PurchaseLaw
from custvalue.purchase._walk_rows import Stretches, WalkRows, sums_by

CHANCE = 1e-6  # that so many periods of a value all had an order, were it known before them
ENOUGH = 10  # such periods


class VaryingModel(LawModel):
    """Base of laws whose rates move in time; parameters and attributes are those of each.

    Parameters
    ----------
    unit : str or None, default=None
    horizon : str, number or None, default=None
    purchase_columns, leave_columns, equal_columns : list of str or None, default=None
    ridge : float, default=0.0
    missing : {"raise", "encode"}, default="raise"

    Examples
    --------
    >>> from custvalue.purchase import VaryingBGNBD, VaryingParetoNBD
    >>> from custvalue.purchase._varying import VaryingModel
    >>> issubclass(VaryingBGNBD, VaryingModel), issubclass(VaryingParetoNBD, VaryingModel)
    (True, True)
    """

    law: ClassVar[PurchaseLaw]
    columns: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        unit: str | None = None,
        horizon: Span | None = None,
        purchase_columns: Sequence[str] | None = None,
        leave_columns: Sequence[str] | None = None,
        equal_columns: Sequence[str] | None = None,
        ridge: float = 0.0,
        missing: Literal["raise", "encode"] = "raise",
    ) -> None:
        self.unit = unit
        self.horizon = horizon
        self.purchase_columns = purchase_columns
        self.leave_columns = leave_columns
        self.equal_columns = equal_columns
        self.ridge = ridge
        self.missing = missing

    @property
    def unit_(self) -> str | None:
        """Unit of time of the parameters."""
        return self.fitted_.unit

    # ---- fitting ---------------------------------------------------------------------------------

    def fit(self, X: Walks, y: Any = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Estimate parameters and coefficients by maximum likelihood.

        Parameters
        ----------
        X : Walks
            Of ``TransactionLog.walks``; one-time buyers too.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_customers,), optional
            How many customers each stands for.

        Returns
        -------
        self

        Raises
        ------
        DataContractError
            If ``X`` is no walks, or a column is one that no law can learn from: constant, collinear
            with others, missing values, known only after the orders.
        FitFailedError
            If the search ends without an answer.

        Warns
        -----
        BoundaryFitWarning
            If the likelihood is highest at a limit; forecasts are usable.
        """
        walks, wanted = self._walks(X), self._columns_asked()
        self._check_columns(walks, wanted.names)
        weight = _weights(sample_weight, len(walks))
        if not walks.T.any():
            text = "no customer has been seen for any time"
            cure = "Use an as-of date after the first orders."
            raise DataContractError(ContractProblem("no-time-observed", text, cure, len(walks)))
        # each row of the table counts by the time that it was in force
        time = walks.past.length * weight[walks.past.owner]
        in_force = sums_by(time, walks.past.row, len(walks.period))
        used = np.flatnonzero(in_force > 0.0)
        orders = np.bincount(walks.orders.row, minlength=len(walks.period))[used].astype(np.float64)
        told = {
            "purchase": Told(orders == 0.0, None, orders, "without an order in the period"),
            "leave": Told(),
        }
        columns = {name: walks.columns[name][used] for name in wanted.names}
        # a first order is given, and what was told in its period may go with it
        first = walks.past.row[walks.past.start[:-1][np.diff(walks.past.start) > 0]]
        later = ~np.isin(used, first)
        after_first = {name: values[later] for name, values in columns.items()}
        _refuse_known_after(after_first, orders[later] > 0.0, used[later])
        with _Renumbered(used):
            effects, Z = learn_effects(
                wanted, open_table(pd.DataFrame(columns)), told, in_force[used], type(self).__name__
            )
        self.feature_names_in_ = np.asarray(wanted.names, dtype=object)
        self.n_features_in_ = len(wanted.names)
        place = np.zeros(len(walks.period), dtype=np.intp)
        place[used] = np.arange(len(used))
        rows = self._rows_of(walks, effects, Z, place, weight)
        histories = compress(walks.x, walks.t_x, walks.T, weight)
        return self._learn(histories, walks.unit, by_customer=(effects, rows))

    def _rows_of(
        self, walks: Walks, effects: Effects, Z: Floats, place: Places, weight: Floats
    ) -> WalkRows:
        """Rows of the law, of customers with weight; ``place`` of a table's row in ``Z``."""
        self._check_constant(walks, walks.past, effects, Z, place)
        past = Stretches(walks.past.start, walks.past.length, Z[place[walks.past.row]])
        at_orders, owner, n = Z[place[walks.orders.row]], walks.orders.owner, len(walks)
        orders = np.column_stack([sums_by(v, owner, n) for v in at_orders.T])
        histories = Histories(walks.x, walks.t_x, walks.T, weight, None)
        rows = WalkRows(histories, past, walks.silent, orders)
        if (weight == 0.0).any():
            some = np.flatnonzero(weight)
            rows = rows.taken(some, weight[some])
        return rows.merged()

    def _check_constant(
        self, walks: Walks, walk: Walk, effects: Effects, Z: Floats, place: Places
    ) -> None:
        """Refuse columns that change where a law can't have them change."""

    def _rows(self, X: Any, sample_weight: Any = None) -> WalkRows:
        walks, effects = self._walks(X), self._effects()
        weight = _weights(sample_weight, len(walks))
        Z, place = self._design(walks, walks.past)
        return self._rows_of(walks, effects, Z, place, weight)

    def _design(self, walks: Walks, *parts: Walk) -> tuple[Floats, Places]:
        """Encode the rows of the table that these walks are laid on; and where each row stands."""
        effects = self._effects()
        names = [column.name for column in effects.columns]
        self._check_columns(walks, names)
        place = np.zeros(len(walks.period), dtype=np.intp)
        for part in parts:
            place[part.row] = 1
        used = np.flatnonzero(place)
        place[used] = np.arange(len(used))
        if not len(used):
            return np.zeros((0, len(effects.labels))), place
        table = open_table(pd.DataFrame({name: walks.columns[name][used] for name in names}))
        with _Renumbered(used):
            return effects.design(table, type(self).__name__), place

    def _effects(self) -> Effects:
        check_is_fitted(self, "params_")
        effects: Effects | None = self.fitted_.effects
        assert effects is not None  # or there were no columns, which is refused
        return effects

    def _columns_asked(self) -> ColumnsAsked:
        wanted = super()._columns_asked()
        if not wanted.by_process:
            raise ValueError(
                f"{type(self).__name__} needs purchase_columns or leave_columns; without any use "
                f"{type(self).__name__.removeprefix('Varying')}."
            )
        return wanted

    def _walks(self, X: Any) -> Walks:
        if not isinstance(X, Walks):
            raise DataContractError(
                ContractProblem(
                    "not-walks",
                    f"{type(self).__name__} reads walks, got {type(X).__name__}",
                    "Make them of a log and a table of periods: log.walks(table, period='week').",
                )
            )
        known = self.fitted_.unit if hasattr(self, "fitted_") else self.unit
        if known is not None and not same_unit(known, X.unit):
            raise TimeUnitError(
                f"the walks count time in {X.unit!r}, and this {type(self).__name__} in {known!r}; "
                f"make them with unit={known!r}."
            )
        return X

    def _check_columns(self, walks: Walks, names: Sequence[str]) -> None:
        lost = [name for name in names if name not in walks.columns]
        if lost:
            have = ", ".join(map(repr, walks.columns))
            raise DataContractError(
                [
                    ContractProblem(
                        "missing-column",
                        f"the walks have no column {name!r}; they have {have}",
                        "Name it in log.walks(table, columns=[...]).",
                    )
                    for name in lost
                ]
            )

    # ---- forecasts -------------------------------------------------------------------------------

    def predict(self, X: Walks, horizon: Span | None = None) -> Floats:
        """Forecast the expected number of orders within the horizon, one value a customer.

        Parameters
        ----------
        X : Walks
            With rows of the time ahead in their table.
        horizon : str or number, optional

        Returns
        -------
        ndarray of shape (n_customers,)

        Raises
        ------
        DataContractError
            If the table ends before the horizon does: customers, and the first missing period.
        """
        return self._orders_ahead(*self._ahead(X, self._time(horizon)))

    def predict_alive(self, X: Walks, at: Span | None = None) -> Floats:
        """P(still a customer) of each, now or a while after the as-of date.

        Parameters
        ----------
        X : Walks
        at : str or number, optional
            How long after the as-of date.

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        return self._alive_ahead(*self._ahead(X, 0.0 if at is None else self._time(at, "at")))

    def predict_proba_any(self, X: Walks, horizon: Span | None = None) -> Floats:
        """Chance of at least one order within the horizon, one value a customer.

        Parameters
        ----------
        X : Walks
        horizon : str or number, optional

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        return self._any_ahead(*self._ahead(X, self._time(horizon)))

    def score_samples(self, X: Walks) -> Floats:
        """Log-likelihood of each customer.

        Parameters
        ----------
        X : Walks

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        rows = self._rows(X)
        found: Floats = self._fitted_law().log_likelihoods(self.fitted_.values, rows)
        return found

    def sample_future(
        self,
        X: Walks,
        horizon: Span | None = None,
        *,
        size: int = 1,
        random_state: int | np.random.Generator | None = None,
    ) -> npt.NDArray[np.int64]:
        """Draw numbers of orders within the horizon from each customer's predictive law.

        Parameters
        ----------
        X : Walks
        horizon : str or number, optional
        size : int, default=1
        random_state : int or Generator, optional

        Returns
        -------
        ndarray of shape (n_customers, size), int
        """
        rows, ahead = self._ahead(X, self._time(horizon))
        size, rng = check_count("size", size, 1), np.random.default_rng(random_state)
        self._check_draws(float(self._orders_ahead(rows, ahead).sum()) * size)
        out = np.empty((rows.size, size), dtype=np.int64)
        for j in range(size):
            out[:, j] = self._draw_ahead(rows, ahead, rng)
        return out

    def sample(
        self, X: Walks, *, random_state: int | np.random.Generator | None = None
    ) -> pd.DataFrame:
        """Simulate the orders of customers with these first orders and columns up to their end.

        Parameters
        ----------
        X : Walks
            What they tell of repeat orders is not read: a log of first orders alone will do.
        random_state : int or Generator, optional

        Returns
        -------
        DataFrame
            One row an order, the first ones too: the customer column, ``date`` and ``alive``
            (whether the customer is one at the end).
        """
        walks, effects, rng = self._walks(X), self._effects(), np.random.default_rng(random_state)
        Z, place = self._design(walks, walks.past)
        self._check_constant(walks, walks.past, effects, Z, place)
        past = Stretches(walks.past.start, walks.past.length, Z[place[walks.past.row]])
        orders = self._draw_past(past, rng)
        # an order in the course of an occasion's grain is one of its end, as in a summary
        tick = orders.time * (days_per(walks.unit) * 86_400.0 / walks.grain)
        after = np.maximum(np.ceil(tick - 1e-9), 0.0).astype(np.int64) * walks.grain
        when = walks.first[orders.owner] + after.astype("timedelta64[s]")
        who = np.concatenate([np.arange(len(walks)), orders.owner])
        date = np.concatenate([walks.first, when])
        by = np.lexsort((date, who))
        return pd.DataFrame(
            {
                walks.customer: walks.ids[who[by]],
                "date": date[by],
                "alive": (orders.left > walks.T)[who[by]],
            }
        )

    def _ahead(self, X: Any, span: float) -> tuple[WalkRows, Stretches]:
        """Histories of customers, and the stretches of the time ahead."""
        walks, effects = self._walks(X), self._effects()
        later = walks.within(span)
        longest = self.fitted_.report.facts.get("max_T", 0.0)
        warn_beyond(type(self).__name__, walks.T, longest, self.unit_)
        Z, place = self._design(walks, walks.past, later)
        self._check_constant(walks, _joined(walks.past, later), effects, Z, place)
        rows = self._rows_of(walks, effects, Z, place, np.ones(len(walks)))
        return rows, Stretches(later.start, later.length, Z[place[later.row]])

    def _orders_ahead(self, rows: WalkRows, ahead: Stretches) -> Floats:
        raise NotImplementedError

    def _alive_ahead(self, rows: WalkRows, ahead: Stretches) -> Floats:
        raise NotImplementedError

    def _any_ahead(self, rows: WalkRows, ahead: Stretches) -> Floats:
        raise NotImplementedError

    def _draw_ahead(
        self, rows: WalkRows, ahead: Stretches, rng: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        raise NotImplementedError

    def _draw_past(self, past: Stretches, rng: np.random.Generator) -> Orders:
        raise NotImplementedError

    # ---- what the methods share ------------------------------------------------------------------

    def _time(self, span: Span | None, name: str = "horizon") -> float:
        span = self.horizon if span is None else span
        if span is None:
            raise ValueError(
                f"{type(self).__name__} needs a horizon: predict(X, horizon='26W'), or horizon= in "
                "the constructor."
            )
        return in_units(span, self.unit_, name)

    def _check_draws(self, orders: float) -> None:
        cure = "Shorten the horizon, or draw for fewer customers at a time."
        check_work(orders, MOST_DRAWS, "orders to draw", cure)

    def _settings(self) -> dict[str, Any]:
        return {
            "unit": self.unit_,
            "horizon": None if self.horizon is None else plain_span(self.horizon),
            **self._columns_written(),
        }

    @classmethod
    def _from_settings(cls, plain: dict[str, Any]) -> dict[str, Any]:
        plain = super()._from_settings(plain)
        unit, horizon = plain["unit"], plain["horizon"]
        if unit is not None:
            days_per(unit)
        if horizon is not None:
            in_units(horizon, None if isinstance(horizon, (int, float)) else "D")
        return plain


def _joined(past: Walk, later: Walk) -> Walk:
    """Stretches of the past and after it, customer by customer."""
    owner = np.concatenate([past.owner, later.owner])
    by = np.argsort(owner, kind="stable")
    row = np.concatenate([past.row, later.row])[by]
    length = np.concatenate([past.length, later.length])[by]
    return Walk(past.start + later.start, row, length)


def _weights(given: npt.ArrayLike | None, n: int) -> Floats:
    if given is None:
        return np.ones(n)
    weight = np.asarray(given, dtype=np.float64)
    if weight.shape != (n,) or not (np.isfinite(weight) & (weight >= 0.0)).all():
        raise ValueError(
            f"sample_weight must be {n:,} numbers of customers, finite and 0 or more; got "
            f"{weight.shape}."
        )
    if not weight.any():
        raise ValueError("sample_weight is 0 for every customer.")
    return weight


class _Renumbered:
    """Faults of some rows of a table told by their places in the whole one."""

    def __init__(self, rows: Places) -> None:
        self.rows = rows

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, DataContractError) and any(len(p.rows) for p in error.problems):
            raise DataContractError(
                [
                    ContractProblem.at(p.code, p.message, p.cure, self.rows[np.asarray(p.rows)])
                    if len(p.rows)
                    else p
                    for p in error.problems
                ]
            ) from None


def _refuse_known_after(columns: dict[str, npt.NDArray[Any]], ordered: Mask, rows: Places) -> None:
    """Refuse a column that has a value in no period but those with an order: orders made it."""
    share = float(ordered.mean()) if len(ordered) else 0.0
    problems = []
    if 0.0 < share < 1.0:
        few = max(ENOUGH, int(np.ceil(np.log(CHANCE) / np.log(share))))
        for name, values in columns.items():
            code, levels = pd.factorize(values, use_na_sentinel=False)
            usual = int(np.argmax(np.bincount(code)))
            other = np.flatnonzero(code != usual)
            if len(other) >= few and ordered[other].all():
                text = f"column {name!r} is {levels[usual]} in all periods but {len(other):,}, each"
                text += " of which has an order: it was known only after it"
                cure = "Name what was known when the period began, such as last period's value."
                problem = ContractProblem.at("known-after-the-order", text, cure, rows[other])
                problems.append(problem)
    if problems:
        raise DataContractError(problems)
