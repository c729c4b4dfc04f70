"""The classic methods as estimators, so that a backtest can rank them against the models."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin

from custvalue import _frames, _sklearn
from custvalue._units import Span, check_annual_rate, in_units
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.value._discounting import rate_per_unit
from custvalue.value._naive import stated

Array = npt.NDArray[np.float64]


class RetentionValue(_sklearn.DocLink, BaseEstimator):
    """Retention-rate value: customers go on spending until they are lost for good.

    A customer silent for longer than ``lapse`` counts as lost (at the last order). The rate of
    leaving is losses over time as a customer; one who is not lost is worth the own rate of spend
    times the time that such a customer is expected to stay within the horizon (Dwyer's retention
    model in continuous time). Lost customers are worth nothing.

    Parameters
    ----------
    lapse : str, timedelta, number or None, default=None
        Silence after which a customer counts as lost; None takes three times the mean gap between
        orders.
    margin : float, default=1.0
    annual_discount_rate : float, default=0.0
    horizon : str, timedelta, number or None, default=None
    unit : str or None, default=None
        Unit of time where the table does not say it.

    Attributes
    ----------
    lapse_ : float
        In the unit of the data.
    leaving_rate_ : float
        Losses a customer and unit of time.
    shortest_ : float
        Time that a customer is taken to have been seen for at least.
    unit_ : str or None

    References
    ----------
    Dwyer, F. R. (1989), Customer lifetime valuation to support marketing decision making, Journal
    of Direct Marketing 3(4), 8-15.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.value import RetentionValue
    >>> table = pd.DataFrame({"silence": [5.0, 80.0], "recency": [95.0, 20.0],
    ...                       "n_orders": [10, 2], "total_value": [200.0, 30.0]})
    >>> RetentionValue(lapse=40.0).fit(table).predict(table, horizon=50).round(1)
    array([85.9,  0. ])
    """

    reads_table: ClassVar[str] = "summary"

    def __init__(
        self,
        *,
        lapse: Span | None = None,
        margin: float = 1.0,
        annual_discount_rate: float = 0.0,
        horizon: Span | None = None,
        unit: str | None = None,
    ) -> None:
        self.lapse = lapse
        self.margin = margin
        self.annual_discount_rate = annual_discount_rate
        self.horizon = horizon
        self.unit = unit

    def fit(
        self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None
    ) -> RetentionValue:
        """Learn the rate of leaving.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
            Columns ``silence``, ``recency``, ``n_orders``, ``total_value``.
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        self : RetentionValue
        """
        silence, recency, n_orders, _ = self._read(X, reset=True)
        w = _sklearn.weights_of(sample_weight, silence.size)
        w = np.ones(silence.size) if w is None else w
        self.unit_ = _frames.unit_of(X, self.unit, caller=type(self).__name__)
        if self.lapse is not None:
            self.lapse_ = in_units(self.lapse, self.unit_, "lapse")
        else:
            gaps = float(w @ np.maximum(n_orders - 1.0, 0.0))
            self.lapse_ = 3.0 * float(w @ recency) / gaps if gaps > 0 else float(w @ silence)
        exposure = recency + np.minimum(silence, self.lapse_)
        seen = float(w @ exposure)
        self.leaving_rate_ = float(w @ (silence > self.lapse_)) / seen if seen > 0 else 0.0
        self.shortest_ = seen / float(w.sum()) if seen > 0 else 1.0
        return self

    def predict(self, X: Any, horizon: Span | None = None) -> Array:
        """Forecast the value of each customer over the horizon.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
        horizon : str, timedelta, number or None, default=None

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        _sklearn.check_is_fitted(self)
        silence, recency, _, total = self._read(X, reset=False)
        until = in_units(stated(self.horizon if horizon is None else horizon), self.unit_)
        rate = self.leaving_rate_ + rate_per_unit(
            check_annual_rate(self.annual_discount_rate), self.unit_
        )
        stays = until if rate * until < 1e-12 else -np.expm1(-rate * until) / rate
        spend = total / np.maximum(recency + silence, self.shortest_)
        return np.where(silence <= self.lapse_, self.margin * spend * stays, 0.0)

    def _read(self, X: Any, *, reset: bool) -> tuple[Array, Array, Array, Array]:
        names = ("silence", "recency", "n_orders", "total_value")
        values, _ = _sklearn.read_columns(self, X, names, reset=reset, min_columns=4)
        return values[:, 0], values[:, 1], values[:, 2], values[:, 3]


class RecencyMigration(_sklearn.DocLink, BaseEstimator):
    """Migration value: the chance to buy depends on how long ago the last purchase was.

    Dwyer's customer migration model and Berger & Nasr's case 5, with the chances counted on a
    panel: who last bought j periods ago buys in the next period with chance ``p_j``; who has been
    silent for ``n_recency`` periods is lost. A period with a purchase brings the customer's own
    mean order times the orders of an average buying period.

    Parameters
    ----------
    n_recency : int, default=13
        Periods of silence after which a customer is lost.
    margin : float, default=1.0
    annual_discount_rate : float, default=0.0
    contact_cost : float, default=0.0
        Of a period, for each customer not lost.
    horizon : str, timedelta, number or None, default=None
    unit : str or None, default=None
        Length of a period where the panel does not say it.

    Attributes
    ----------
    buy_chances_ : ndarray of shape (n_recency,)
    counts_ : ndarray of shape (n_recency,)
        Customer-periods behind each chance.
    orders_per_buying_period_ : float
    unit_ : str or None

    See Also
    --------
    custvalue.markov.MarkovCLVEstimator : the same idea with richer states, shrinkage and intervals.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.value import RecencyMigration
    >>> panel = cv.panel(cv.datasets.load_cdnow("sample"), customer="customer_id", time="date",
    ...                  amount="amount", as_of="1997-09-30", period="4W")
    >>> model = RecencyMigration(horizon="52W").fit(panel)
    >>> bool(model.buy_chances_[0] > model.buy_chances_[5])
    True
    """

    reads_table: ClassVar[str] = "panel"

    def __init__(
        self,
        *,
        n_recency: int = 13,
        margin: float = 1.0,
        annual_discount_rate: float = 0.0,
        contact_cost: float = 0.0,
        horizon: Span | None = None,
        unit: str | None = None,
    ) -> None:
        self.n_recency = n_recency
        self.margin = margin
        self.annual_discount_rate = annual_discount_rate
        self.contact_cost = contact_cost
        self.horizon = horizon
        self.unit = unit

    def fit(self, X: Any, y: Any = None) -> RecencyMigration:
        """Count who bought after how long a silence.

        Parameters
        ----------
        X : frame of shape (n_customer_periods, n_columns)
            A panel: the customer column, ``period``, ``silence``, ``orders``, ``mean_value``.
        y : None
            Not used.

        Returns
        -------
        self : RecencyMigration

        Raises
        ------
        DataContractError
            If the panel's customer column is not known, or no customer has two periods.
        """
        facts = _frames.facts_of(X)
        have = _frames.column_names(X)
        if have is None or facts is None or facts.customer not in have:
            raise DataContractError(
                ContractProblem(
                    "no-panel", "X does not say which column is the customer",
                    "Make it with custvalue.panel(log, ...).",
                )
            )  # fmt: skip
        values = self._read(X, reset=True)
        period, silence, orders = values[:, 0], values[:, 1], values[:, 2]
        self.unit_ = _frames.unit_of(X, self.unit, caller=type(self).__name__)
        code = pd.factorize(_frames.column(X, facts.customer))[0]
        order = np.lexsort((period, code))
        here, after = order[:-1], order[1:]
        linked = (code[here] == code[after]) & (period[after] == period[here] + 1)
        here, after = here[linked], after[linked]
        if here.size == 0:
            raise DataContractError(
                ContractProblem(
                    "no-transitions", "no customer has two periods in a row",
                    "Use a longer history or a shorter period.",
                )
            )  # fmt: skip
        known = silence[here] < self.n_recency
        state = silence[here][known].astype(np.int64)
        bought = orders[after][known] > 0
        self.counts_ = np.bincount(state, minlength=self.n_recency).astype(float)
        buys = np.bincount(state, weights=bought, minlength=self.n_recency)
        # half a customer-period of prior at the overall chance, for silences nobody had
        overall = buys.sum() / max(self.counts_.sum(), 1.0)
        self.buy_chances_ = (buys + 0.5 * overall) / (self.counts_ + 0.5)
        buying = orders > 0
        self.orders_per_buying_period_ = float(orders[buying].mean()) if buying.any() else 0.0
        return self

    def predict(self, X: Any, horizon: Span | None = None) -> Array:
        """Forecast the value of each row's customer over the horizon, from that row on.

        Parameters
        ----------
        X : frame of shape (n_rows, n_columns)
            Rows of a panel, usually each customer's last.
        horizon : str, timedelta, number or None, default=None

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        _sklearn.check_is_fitted(self)
        values = self._read(X, reset=False)
        until = in_units(stated(self.horizon if horizon is None else horizon), self.unit_)
        rate = rate_per_unit(check_annual_rate(self.annual_discount_rate), self.unit_)
        purchases, contacts = self._buying_periods(until, float(np.exp(-rate)))
        state = np.minimum(values[:, 1], self.n_recency).astype(np.int64)
        worth = self.margin * values[:, 3] * self.orders_per_buying_period_
        return np.asarray(purchases[state] * worth - self.contact_cost * contacts[state])

    def _buying_periods(self, until: float, discount: float) -> tuple[Array, Array]:
        """Discounted buying periods and periods of contact, by recency class; the last is lost."""
        k = self.n_recency
        buys, contacts = np.zeros(k + 1), np.zeros(k + 1)
        whole, part = int(np.floor(until + 1e-9)), until - np.floor(until + 1e-9)
        p = self.buy_chances_
        # backwards: the horizon's last, broken period counts by its share
        for weight in [*([max(part, 0.0)] if part > 1e-9 else []), *([1.0] * whole)]:
            next_buys = p * (weight + buys[0]) + (1.0 - p) * buys[1:]
            next_contacts = weight + p * contacts[0] + (1.0 - p) * contacts[1:]
            buys[:k], contacts[:k] = discount * next_buys, discount * next_contacts
        return buys, contacts

    def _read(self, X: Any, *, reset: bool) -> Array:
        names = ("period", "silence", "orders", "mean_value")
        return _sklearn.read_columns(self, X, names, reset=reset, min_columns=4)[0]


class CellMeans(RegressorMixin, _sklearn.DocLink, BaseEstimator):
    """RFM-cell means (Hughes): a customer will do what the customers of the same cell did.

    Cells come from ``RFMTransformer``; a cell's mean of ``y`` is shrunk towards the mean of
    everybody, as if ``prior_size`` average customers were in it too, so that a cell of one customer
    is not believed.

    Parameters
    ----------
    n_bins : int, default=5
    method : {"independent", "nested"}, default="nested"
        Hughes nests: F within R, M within R x F.
    prior_size : float, default=20.0
        0 takes the bare means (and everybody's mean for cells never seen).

    Attributes
    ----------
    rfm_ : RFMTransformer
    cells_ : DataFrame
        A row a cell: ``R``, ``F``, ``M``, ``customers``, ``mean`` (shrunk).
    overall_ : float

    References
    ----------
    Hughes, A. M. (1994), Strategic Database Marketing.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custvalue.value import CellMeans
    >>> silence = np.arange(100.0)
    >>> X = pd.DataFrame({"silence": silence, "n_orders": 1 + silence % 5,
    ...                   "total_value": 10 + silence % 7})
    >>> model = CellMeans(n_bins=2, prior_size=0.0).fit(X, y=np.where(silence < 50, 8.0, 2.0))
    >>> model.predict(X.iloc[[0, 99]])
    array([8., 2.])
    """

    reads_table: ClassVar[str] = "supervised"

    def __init__(
        self,
        *,
        n_bins: int = 5,
        method: Literal["independent", "nested"] = "nested",
        prior_size: float = 20.0,
    ) -> None:
        self.n_bins = n_bins
        self.method = method
        self.prior_size = prior_size

    def fit(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> CellMeans:
        """Learn the cells' cut points and means.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
            Columns ``silence``, ``n_orders``, ``total_value`` as of an earlier date.
        y : array-like of shape (n_customers,)
            What the customers brought after it.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        self : CellMeans
        """
        from custvalue.segment import RFMTransformer

        self.rfm_ = RFMTransformer(n_bins=self.n_bins, method=self.method, remainder="drop")
        self.rfm_.fit(X)
        scores = self._scores(X)
        target = np.asarray(y, dtype=float).ravel()
        if target.shape != (len(scores),) or not np.isfinite(target).all():
            raise ValueError(f"y must be {len(scores)} finite numbers, one a row of X.")
        w = _sklearn.weights_of(sample_weight, target.size)
        w = np.ones(target.size) if w is None else w
        self.overall_ = float(np.average(target, weights=w))
        scores["customers"], scores["money"] = w, w * target
        cells = scores.groupby(["R", "F", "M"], as_index=False)[["customers", "money"]].sum()
        size = cells["customers"] + self.prior_size
        cells["mean"] = np.where(
            size > 0,
            (cells["money"] + self.prior_size * self.overall_) / np.where(size > 0, size, 1.0),
            self.overall_,
        )
        self.cells_ = cells[["R", "F", "M", "customers", "mean"]]
        self.n_features_in_ = self.rfm_.n_features_in_
        return self

    def predict(self, X: Any) -> Array:
        """Forecast each customer's value by the mean of the cell.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        _sklearn.check_is_fitted(self)
        found = self._scores(X).merge(self.cells_, on=["R", "F", "M"], how="left", sort=False)
        return found["mean"].fillna(self.overall_).to_numpy(dtype=float)

    def _scores(self, X: Any) -> pd.DataFrame:
        out = self.rfm_.transform(X)
        columns = (
            {c: _frames.column(out, c) for c in ("R", "F", "M")}
            if _frames.is_frame(out)
            else dict(zip("RFM", np.asarray(out).T[:3], strict=True))
        )
        return pd.DataFrame({c: np.asarray(v, dtype=float) for c, v in columns.items()})
