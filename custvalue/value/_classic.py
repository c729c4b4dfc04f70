"""The classic methods as estimators, so that a backtest can rank them against the models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import RegressorMixin

from custvalue import _frames, _sklearn
from custvalue._open_table import Table, open_table
from custvalue._portable import reading
from custvalue._row_scorer import OneRow
from custvalue._typing import Floats
from custvalue._units import Span, in_units
from custvalue._value_model import Terms, Timing, ValueModel
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.value._naive import flat_cost


class Spenders(NamedTuple):
    """Silence and spend a unit of time of each row."""

    silence: Floats
    spend: Floats
    profit: Floats


@dataclass(frozen=True)
class RetentionForecast:
    """What a fitted ``RetentionValue`` knows; times in the unit of the data.

    Parameters
    ----------
    unit : str or None
    lapse : float
        Silence after which a customer is lost.
    leaving_rate : float
        Losses a customer and unit of time.
    shortest : float
        Time that a customer is taken to have been seen for at least.
    new_rate, first : tuple of float
        Mean spend and profit a unit of time as a customer, and of an order.
    """

    unit: str | None
    lapse: float
    leaving_rate: float
    shortest: float
    new_rate: tuple[float, float]
    first: tuple[float, float]


class RetentionValue(ValueModel):
    """Retention-rate value: customers go on spending until they are lost for good.

    A customer silent for longer than ``lapse`` counts as lost (at the last order). The rate of
    leaving is losses over time as a customer; one who is not lost is worth the own rate of spend
    times the time that such a customer is expected to stay within the horizon (Dwyer's retention
    model in continuous time). Lost customers are worth nothing and are not contacted.

    Parameters
    ----------
    lapse : str, timedelta, number or None, default=None
        Silence after which a customer counts as lost; None takes three times the mean gap between
        orders.
    horizon : str, timedelta, number or None, default=None
    annual_discount_rate : float, default=0.0
    margin : float or None, default=None
        Share of spend that is profit; None takes ``total_profit`` where the table has it.
    contact_cost : float, default=0.0
        Cost of a ``period`` of keeping in touch with a customer who is not lost.
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
    period : str, default="1M"
    unit : str or None, default=None
        Unit of time where the table does not say it.

    Attributes
    ----------
    forecast_ : RetentionForecast
    unit_ : str or None
        Unit of time of the data.

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
    _learned = RetentionForecast

    def __init__(
        self,
        *,
        lapse: Span | None = None,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        period: Span = "1M",
        unit: str | None = None,
    ) -> None:
        self.lapse = lapse
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing
        self.period = period
        self.unit = unit

    def fit(
        self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None
    ) -> RetentionValue:
        """Learn the rate of leaving.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
            Columns ``silence``, ``recency``, ``n_orders``, ``total_value``; ``total_profit`` where
            it is known.
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        self : RetentionValue
        """
        table = open_table(X)
        silence, recency, n_orders, spend, profit = self._columns(table, reset=True)
        w = _sklearn.weights_of(sample_weight, silence.size, table)
        w = np.ones(silence.size) if w is None else w
        unit = table.unit(self.unit, caller=type(self).__name__)
        if self.lapse is not None:
            lapse = in_units(self.lapse, unit, "lapse")
        else:
            gaps = float(w @ np.maximum(n_orders - 1.0, 0.0))
            lapse = 3.0 * float(w @ recency) / gaps if gaps > 0 else float(w @ silence)
        exposure = recency + np.minimum(silence, lapse)
        seen, orders = float(w @ exposure), max(float(w @ n_orders), 1e-300)
        money = np.array([w @ spend, w @ profit])
        rate = money / seen if seen > 0 else money * 0.0
        self.forecast_ = RetentionForecast(
            unit,
            lapse,
            float(w @ (silence > lapse)) / seen if seen > 0 else 0.0,
            seen / float(w.sum()) if seen > 0 else 1.0,
            (float(rate[0]), float(rate[1])),
            (float(money[0]) / orders, float(money[1]) / orders),
        )
        return self

    def _columns(self, table: Table, *, reset: bool) -> tuple[Floats, ...]:
        names = ("silence", "recency", "n_orders", "total_value")
        values, named = _sklearn.read_columns(self, table, names, reset=reset, min_columns=4)
        profit = values[:, 3]
        if named and table.has("total_profit"):
            (profit,) = table.floats(["total_profit"])
        return values[:, 0], values[:, 1], values[:, 2], values[:, 3], profit

    def _read(self, X: Any) -> Spenders:
        _sklearn.check_is_fitted(self)
        silence, recency, _, spend, profit = self._columns(open_table(X), reset=False)
        span = np.maximum(recency + silence, self.forecast_.shortest)
        return Spenders(silence, spend / span, profit / span)

    def _rate_of(self, rows: Spenders, terms: Terms) -> Floats:
        if terms.margin is None:
            return rows.profit
        return np.asarray(rows.spend * _number(self, terms.margin))

    def _value(self, rows: Spenders, terms: Terms) -> Floats:
        stays = terms.annuity(self.forecast_.leaving_rate)
        worth = (self._rate_of(rows, terms) - flat_cost(self, terms)) * stays
        return np.where(rows.silence <= self.forecast_.lapse, worth, 0.0)

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        which = 1 if terms.margin is None else 0
        share = 1.0 if terms.margin is None else _number(self, terms.margin)
        rate = share * self.forecast_.new_rate[which] - flat_cost(self, terms)
        stays = terms.annuity(self.forecast_.leaving_rate)
        return share * self.forecast_.first[which], rate * stays

    def _parts(self, rows: Spenders, terms: Terms) -> dict[str, Any]:
        return {
            "lost": rows.silence > self.forecast_.lapse,
            "profit_per_unit": self._rate_of(rows, terms),
            "discounted_units": terms.annuity(self.forecast_.leaving_rate),
        }


class Silences(NamedTuple):
    """Recency class and mean order of each row."""

    state: npt.NDArray[np.int64]
    mean: Floats


@dataclass(frozen=True, eq=False)
class MigrationForecast:
    """What a fitted ``RecencyMigration`` knows.

    Parameters
    ----------
    unit : str or None
        Length of a period.
    buy_chances : ndarray of shape (n_recency,)
        Chance of an order in the next period by periods of silence.
    counts : ndarray of shape (n_recency,)
        Customer-periods behind each.
    orders_per_buying_period : float
    variation : float
        Squared coefficient of variation of a buying period's spend around the customer's mean.
    margin : float
        Profit over spend of the panel.
    first : float
        Mean first order.
    """

    unit: str | None
    buy_chances: Floats
    counts: Floats
    orders_per_buying_period: float
    variation: float
    margin: float
    first: float


class RecencyMigration(ValueModel):
    """Migration value: the chance to buy depends on how long ago the last purchase was.

    Dwyer's customer migration model and Berger & Nasr's case 5, with the chances counted on a
    panel: who last bought j periods ago buys in the next period with chance ``p_j``; who has been
    silent for ``n_recency`` periods is lost. A period with a purchase brings the customer's own
    mean order times the orders of an average buying period.

    Parameters
    ----------
    n_recency : int, default=13
        Periods of silence after which a customer is lost.
    horizon : str, timedelta, number or None, default=None
    annual_discount_rate : float, default=0.0
    margin : float or None, default=None
        Share of spend that is profit; None takes the panel's ``profit`` over its ``spend``.
    contact_cost : float, default=0.0
        Of a period of the panel, for each customer not lost.
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
    unit : str or None, default=None
        Length of a period where the panel does not say it.

    Attributes
    ----------
    forecast_ : MigrationForecast
    unit_ : str or None
        Unit of time of the data.

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
    >>> bool(model.forecast_.buy_chances[0] > model.forecast_.buy_chances[5])
    True
    """

    reads_table: ClassVar[str] = "panel"
    _learned = MigrationForecast

    def __init__(
        self,
        *,
        n_recency: int = 13,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        unit: str | None = None,
    ) -> None:
        self.n_recency = n_recency
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing
        self.unit = unit

    def fit(self, X: Any, y: Any = None) -> RecencyMigration:
        """Count who bought after how long a silence.

        Parameters
        ----------
        X : frame of shape (n_customer_periods, n_columns)
            A panel: the customer column, ``period``, ``silence``, ``orders``, ``spend``,
            ``profit``, ``mean_value``.
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
        table = open_table(X)
        if table.ids is None:
            raise DataContractError(
                ContractProblem(
                    "no-panel", "X does not say which column is the customer",
                    "Make it with custvalue.panel(log, ...).",
                )
            )  # fmt: skip
        names = ("period", "silence", "orders", "spend", "profit", "mean_value")
        values, _ = _sklearn.read_columns(self, table, names, reset=True, min_columns=6)
        period, silence, orders, spend, profit, mean = values.T
        code = pd.factorize(table.ids[1])[0]
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
        counts = np.bincount(state, minlength=self.n_recency).astype(float)
        buys = np.bincount(state, weights=bought, minlength=self.n_recency)
        # half a customer-period of prior at the overall chance, for silences nobody had
        overall = buys.sum() / max(counts.sum(), 1.0)
        buying = orders > 0
        per_period = float(orders[buying].mean()) if buying.any() else 0.0
        usual = mean[here] * per_period
        seen = (orders[after] > 0) & (usual > 0.0)
        ratio = spend[after][seen] / usual[seen]
        spread = np.minimum(ratio, np.quantile(ratio, 0.99)) if len(ratio) else np.ones(1)
        young = silence == orders * 0.0
        first = mean[young & buying]
        self.forecast_ = MigrationForecast(
            table.unit(self.unit, caller=type(self).__name__),
            (buys + 0.5 * overall) / (counts + 0.5),
            counts,
            per_period,
            float(np.mean((spread - spread.mean()) ** 2)) if len(ratio) > 1 else 1.0,
            float(profit.sum()) / float(spend.sum()) if spend.sum() > 0 else 1.0,
            float(first.mean()) if len(first) else 0.0,
        )
        return self

    def _read(self, X: Any) -> Silences:
        _sklearn.check_is_fitted(self)
        wanted = ("silence", "mean_value")
        silence, mean = open_table(X).floats(wanted, caller=type(self).__name__)
        last = len(self.forecast_.buy_chances)
        return Silences(np.minimum(silence, last).astype(np.int64), mean)

    def _worth(self, rows: Silences, terms: Terms) -> Floats:
        """Profit of a buying period."""
        share = self.forecast_.margin if terms.margin is None else _number(self, terms.margin)
        return np.asarray(share * rows.mean * self.forecast_.orders_per_buying_period)

    def _value(self, rows: Silences, terms: Terms) -> Floats:
        buys, contacts, _, _ = self._buying_periods(terms)
        paid = self._worth(rows, terms) * buys[rows.state]
        return np.asarray(paid - flat_cost(self, terms) * contacts[rows.state])

    def _cost(self, rows: Silences, terms: Terms) -> Any:
        return flat_cost(self, terms) * self._buying_periods(terms)[1][rows.state]

    def _spread(self, rows: Silences, terms: Terms) -> tuple[Floats, Floats]:
        first, _, second, none = self._buying_periods(terms)
        squares = _discounted_squares(self.forecast_.buy_chances, terms)
        inner = second - first * first + self.forecast_.variation * squares
        return self._worth(rows, terms) ** 2 * inner[rows.state], none[rows.state]

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        share = self.forecast_.margin if terms.margin is None else _number(self, terms.margin)
        one = Silences(np.zeros(1, dtype=np.int64), np.full(1, self.forecast_.first))
        return share * self.forecast_.first, float(self._value(one, terms)[0])

    def _parts(self, rows: Silences, terms: Terms) -> dict[str, Any]:
        buys, contacts, _, _ = self._buying_periods(terms)
        return {
            "silence": rows.state,
            "discounted_buying_periods": buys[rows.state],
            "profit_of_a_buying_period": self._worth(rows, terms),
            "contact_cost": flat_cost(self, terms) * contacts[rows.state],
        }

    def _buying_periods(self, terms: Terms) -> tuple[Floats, Floats, Floats, Floats]:
        """Discounted buying periods and contacts, the square of the former, the chance of none.

        By recency class; the last class is lost.
        """
        p, lead, delta = self.forecast_.buy_chances, terms.lead, terms.delta
        k = len(p)
        buys, contacts, square = np.zeros(k + 1), np.zeros(k + 1), np.zeros(k + 1)
        none = np.ones(k + 1)
        # backwards: the horizon's last, broken period counts by its share
        for weight in _weights(terms):
            paid = lead * weight
            later = p * buys[0] + (1.0 - p) * buys[1:]
            again = p * square[0] + (1.0 - p) * square[1:]
            square[:k] = p * paid * paid + 2.0 * delta * p * paid * buys[0] + delta**2 * again
            buys[:k] = p * paid + delta * later
            contacts[:k] = paid + delta * (p * contacts[0] + (1.0 - p) * contacts[1:])
            none[:k] = (1.0 - p * weight) * none[1:]
        return buys, contacts, square, none


def _weights(terms: Terms) -> list[float]:
    """Lengths of the horizon's periods, the farthest first."""
    until = terms.until
    if not math.isfinite(until):
        # a lost customer never returns: a hundred rounds of silence are an end
        until = 2000.0
    whole = math.floor(until + 1e-9)
    part = until - whole
    return ([part] if part > 1e-9 else []) + [1.0] * whole


def _discounted_squares(p: Floats, terms: Terms) -> Floats:
    """Sum of squared discount factors of buying periods, by recency class."""
    k = len(p)
    out = np.zeros(k + 1)
    for weight in _weights(terms):
        paid = (terms.lead * weight) ** 2
        out[:k] = p * (paid + terms.delta**2 * out[0]) + (1.0 - p) * terms.delta**2 * out[1:]
    return out


def _number(model: ValueModel, margin: Any) -> float:
    if isinstance(margin, str):
        raise ValueError(
            f"margin={margin!r} names a column, which {type(model).__name__} does not read; give "
            "a number."
        )
    return float(margin)


@dataclass(frozen=True, eq=False)
class CellForecast:
    """What a fitted ``CellMeans`` knows.

    Parameters
    ----------
    unit : str or None
    window : float
        Horizon that ``y`` covered, in the unit of the data.
    cells : ndarray of shape (n_cells, 5)
        R, F, M, customers and shrunk mean of each cell.
    overall : float
        Mean of everybody.
    rfm : dict
        The scores' cut points, as ``RFMTransformer.to_dict`` writes them.
    """

    unit: str | None
    window: float
    cells: Floats
    overall: float
    rfm: Any = field(default=None, repr=False)


class CellMeans(RegressorMixin, ValueModel):
    """RFM-cell means (Hughes): a customer will do what the customers of the same cell did.

    Cells come from ``RFMTransformer``; a cell's mean of ``y`` is shrunk towards the mean of
    everybody, as if ``prior_size`` average customers were in it too, so that a cell of one customer
    is not believed. What a cell brought within the ``horizon`` of ``y`` it is taken to bring evenly
    over it, and at that rate beyond.

    Parameters
    ----------
    n_bins : int, default=5
    method : {"independent", "nested"}, default="nested"
        Hughes nests: F within R, M within R x F.
    prior_size : float, default=20.0
        0 takes the bare means (and everybody's mean for cells never seen).
    horizon : str, timedelta, number or None, default=None
        At ``fit``: what ``y`` covers. At ``predict``: how far to look.
    annual_discount_rate : float, default=0.0
    margin : float or None, default=None
        Share of ``y`` that is profit; None takes all of it.
    contact_cost : float, default=0.0
        Cost of a ``period`` of keeping in touch, for every customer.
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
    period : str, default="1M"
    unit : str or None, default=None
        Unit of time where the table does not say it.

    Attributes
    ----------
    forecast_ : CellForecast
    unit_ : str or None
        Unit of time of the data.
    rfm_ : RFMTransformer

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
    >>> model = CellMeans(n_bins=2, prior_size=0.0, horizon=10)
    >>> model.fit(X, y=np.where(silence < 50, 8.0, 2.0)).predict(X.iloc[[0, 99]])
    array([8., 2.])
    """

    reads_table: ClassVar[str] = "supervised"
    _learned = CellForecast

    def __init__(
        self,
        *,
        n_bins: int = 5,
        method: Literal["independent", "nested"] = "nested",
        prior_size: float = 20.0,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        period: Span = "1M",
        unit: str | None = None,
    ) -> None:
        self.n_bins = n_bins
        self.method = method
        self.prior_size = prior_size
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing
        self.period = period
        self.unit = unit

    def fit(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None = None) -> CellMeans:
        """Learn the cells' cut points and means.

        Parameters
        ----------
        X : frame of shape (n_customers, n_columns)
            Columns ``silence``, ``n_orders``, ``total_value`` as of an earlier date.
        y : array-like of shape (n_customers,)
            What the customers brought within ``horizon`` after it.
        sample_weight : array-like of shape (n_customers,), default=None

        Returns
        -------
        self : CellMeans

        Raises
        ------
        HorizonError
            If ``horizon`` does not say what ``y`` covers.
        """
        from custvalue.rfm import RFMTransformer

        table = open_table(X)
        unit = table.unit(self.unit, caller=type(self).__name__)
        blank = CellForecast(unit, 1.0, np.empty((0, 5)), 0.0)
        window = replace_forecast(self, blank).terms().until
        if not 0.0 < window < math.inf:
            raise ValueError(f"horizon={self.horizon!r} must say what y covers: more than nothing.")
        self.rfm_ = RFMTransformer(n_bins=self.n_bins, method=self.method, remainder="drop")
        self.rfm_.fit(table)
        scores = self._scores(table)
        target = np.asarray(y, dtype=float).ravel()
        if target.shape != (len(scores),) or not np.isfinite(target).all():
            raise ValueError(f"y must be {len(scores)} finite numbers, one a row of X.")
        w = _sklearn.weights_of(sample_weight, target.size)
        w = np.ones(target.size) if w is None else w
        overall = float(np.average(target, weights=w))
        scores["customers"], scores["money"] = w, w * target
        cells = scores.groupby(["R", "F", "M"], as_index=False)[["customers", "money"]].sum()
        size = (cells["customers"] + self.prior_size).to_numpy()
        money = (cells["money"] + self.prior_size * overall).to_numpy()
        cells["mean"] = np.where(size > 0, money / np.where(size > 0, size, 1.0), overall)
        kept = cells[["R", "F", "M", "customers", "mean"]].to_numpy(dtype=np.float64)
        self.n_features_in_ = self.rfm_.n_features_in_
        self.forecast_ = CellForecast(unit, window, kept, overall, self.rfm_.to_dict())
        return self

    def _read(self, X: Any) -> Floats:
        _sklearn.check_is_fitted(self)
        forecast, table = self.forecast_, open_table(X)
        if isinstance(table, OneRow):
            told = self.rfm_.scorer()(table.given)
            scores = np.array([[told[letter] for letter in "RFM"]], dtype=np.float64)
        else:
            scores = self._scores(table).to_numpy()
        cells = forecast.cells
        top = 1.0 + max(scores.max(initial=0.0), cells[:, :3].max(initial=0.0))
        place = np.array([top * top, top, 1.0])  # a cell as one number
        known, asked = cells[:, :3] @ place, scores @ place
        order = np.argsort(known)
        at = order[np.minimum(np.searchsorted(known[order], asked), len(known) - 1)]
        return np.where(known[at] == asked, cells[at, 4], forecast.overall)

    def _value(self, rows: Floats, terms: Terms) -> Floats:
        share = 1.0 if terms.margin is None else _number(self, terms.margin)
        rate = share * rows / self.forecast_.window - flat_cost(self, terms)
        return np.asarray(rate * terms.annuity())

    def _parts(self, rows: Floats, terms: Terms) -> dict[str, Any]:
        return {"mean_of_cell": rows, "discounted_units": terms.annuity()}

    def _scores(self, table: Table) -> pd.DataFrame:
        out = self.rfm_.transform(table)
        columns = (
            {c: _frames.column(out, c) for c in ("R", "F", "M")}
            if _frames.is_frame(out)
            else dict(zip("RFM", np.asarray(out).T[:3], strict=True))
        )
        return pd.DataFrame({c: np.asarray(v, dtype=float) for c, v in columns.items()})

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what ``to_dict`` wrote; it predicts the same numbers.

        Parameters
        ----------
        plain : mapping
            As written, or after a journey through ``json``.

        Returns
        -------
        CellMeans

        Raises
        ------
        ArtefactError
            If it holds another model, a schema this version does not read, or is damaged or
            changed.
        """
        from custvalue.rfm import RFMTransformer

        model = super().from_dict(plain)
        with reading("CellMeans (damaged; write it anew with to_dict)"):
            cells = np.asarray(model.forecast_.cells, dtype=np.float64)
            if cells.ndim != 2 or cells.shape[1] != 5 or not len(cells):
                raise ValueError("a cell is its three scores, its customers and their mean.")
            model.rfm_ = RFMTransformer.from_dict(model.forecast_.rfm)
        model.n_features_in_ = model.rfm_.n_features_in_
        return model


def replace_forecast(model: ValueModel, forecast: Any) -> ValueModel:
    """Return the same model as if it had learned ``forecast``."""
    other = type(model)(**model.get_params(deep=False))
    other.forecast_ = forecast
    return other
