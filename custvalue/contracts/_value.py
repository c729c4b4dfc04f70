"""What contracts are worth: the money of each coming period, where it is renewed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custvalue import _sklearn
from custvalue._open_table import Table, open_table
from custvalue._typing import Floats, Mask, Places
from custvalue._units import Span
from custvalue._value_model import Terms, Timing, ValueModel
from custvalue._work import MOST_TERMS, check_work
from custvalue.contracts._law import ContractModel
from custvalue.exceptions import ContractProblem, DataContractError, HorizonError, NotSupportedError

FAR = 40.0  # discounting by e^-40 leaves nothing
CELLS = 4_000_000  # chances held at a time
COLUMNS = ("to_renewal", "price")


@dataclass(frozen=True, eq=False)
class ContractForecast:
    """What a fitted ``ContractValue`` knows.

    Parameters
    ----------
    unit : str or None
        Length of a period.
    law : estimator
        Fitted law of how long contracts last.
    first : float
        Mean money a period of all contracts in ``fit``.
    customers : float
    ended : float
        Share of them that has ended.
    """

    unit: str | None
    law: Any
    first: float
    customers: float
    ended: float


class Payers(NamedTuple):
    """Rows as they are valued; equal ages and renewal dates stand once."""

    table: Table
    price: Floats
    here: Mask
    age: Floats  # of each distinct pair
    wait: Floats
    place: Places  # of each row among them


class ContractValue(ValueModel):
    """Value of contracts: the price of a period at each renewal, times the chance that it is made.

    Money comes at renewal dates, a period's ``price`` at the start of each: the next
    ``to_renewal`` from today, the others a period apart. How likely a contract is still there then
    says a law of how long contracts last. The period that runs has been paid for; a customer whose
    contract has ended is worth nothing; changes of plan and returns are not foreseen.

    Parameters
    ----------
    law : estimator, default=None
        ``ShiftedBetaGeometric`` (None), ``BetaDiscreteWeibull``, ``ExponentialGamma`` or
        ``WeibullGamma``, with covariates where it takes them.
    horizon : str, timedelta, number or None, default=None
    annual_discount_rate : float, default=0.0
    margin : float, str or None, default=None
        Share of the price that is profit, or a column of it; None is all of it.
    contact_cost : float, default=0.0
        Cost of a period of a contract, for each that is renewed.
    timing : {"continuous", "start", "middle", "end"}, default="continuous"

    Attributes
    ----------
    law_ : estimator
        The fitted law.
    forecast_ : ContractForecast
    unit_ : str or None
        Length of a period.

    References
    ----------
    Fader, P. S. & Hardie, B. G. S. (2010), Customer-base valuation in a contractual setting: the
    perils of ignoring heterogeneity, Marketing Science 29(1), 85-93.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.contracts import ContractValue
    >>> table = pd.DataFrame({"frequency": [0, 3, 1, 5] * 9, "T": [2, 3, 4, 5] * 9,
    ...                       "to_renewal": 1.0, "price": 10.0})
    >>> table["recency"] = table["frequency"]
    >>> ContractValue().fit(table).predict(table[:4], horizon=12).round(1)
    array([ 0. , 85.4,  0. , 92.8])
    """

    reads_table: ClassVar[str] = "contracts"
    _learned = ContractForecast

    def __init__(
        self,
        law: Any = None,
        *,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | str | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
    ) -> None:
        self.law = law
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing

    @property
    def law_(self) -> Any:
        """The fitted law."""
        _sklearn.check_is_fitted(self)
        return self.forecast_.law

    def fit(
        self, X: Any, y: Any = None, sample_weight: npt.ArrayLike | None = None
    ) -> ContractValue:
        """Fit the law.

        Parameters
        ----------
        X : table
            As ``SubscriptionTable.contracts`` makes it, with ``spells=True`` too: the columns of
            the law, and ``price``.
        y : None
            Not used.
        sample_weight : array-like of shape (n_rows,), default=None

        Returns
        -------
        self : ContractValue
        """
        table = open_table(X)
        price = self._money(table)[1]
        given = _sklearn.weights_of(sample_weight, len(price), table)
        weights = {} if given is None else {"sample_weight": given}
        w = np.ones(len(price)) if given is None else given
        law = self.law
        if law is None:
            from custvalue.purchase import ShiftedBetaGeometric

            law = ShiftedBetaGeometric()
        law = clone(law).fit(table, **weights)
        here = law.predict_alive(table) > 0
        self.forecast_ = ContractForecast(
            law.unit_,
            law,
            float(np.average(price, weights=w)),
            float(w.sum()),
            float(np.average(~here, weights=w)),
        )
        self.feature_names_in_ = np.array([*law.columns, *COLUMNS], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        return self

    @classmethod
    def from_fitted(cls, law: Any, *, price: float = 0.0, **settings: Any) -> ContractValue:
        """Take a law that is fitted already, or built with ``from_params``.

        Parameters
        ----------
        law : fitted estimator
        price : float, default=0.0
            Money a period of a new customer.
        **settings
            As in the constructor.

        Returns
        -------
        ContractValue
        """
        model = cls(law, **settings)
        model.forecast_ = ContractForecast(law.unit_, law, float(price), 0.0, 0.0)
        return model

    def _money(self, table: Table) -> tuple[Floats, Floats]:
        """When the next period is paid for, and how much."""
        if table.names is None:
            raise DataContractError(
                ContractProblem(
                    "missing-column",
                    f"{type(self).__name__} reads columns by name, and the table has none",
                    "Pass the table of SubscriptionTable.contracts.",
                )
            )
        wait, price = table.floats(COLUMNS, caller=f"{type(self).__name__}'s X")
        faults = (
            ("to_renewal", "'to_renewal' must be above 0 and at most 1, a share of the period",
             ~((wait > 0.0) & (wait <= 1.0))),
            ("price", "'price' is below 0", price < 0.0),
        )  # fmt: skip
        problems = [
            ContractProblem.at(
                code, text, "Pass the table of SubscriptionTable.contracts.", np.flatnonzero(bad)
            )
            for code, text, bad in faults
            if bad.any()
        ]
        if problems:
            raise DataContractError(problems)
        return wait, price

    def _read(self, X: Any) -> Payers:
        table = open_table(X)
        wait, price = self._money(table)
        law = self.law_
        here = law.predict_alive(table) > 0
        (age,) = table.floats([law.columns[0]])
        if _by_columns(law) or len(age) == 1:
            return Payers(table, price, here, age, wait, np.arange(len(age)))
        pairs, place = np.unique(np.column_stack([age, wait]), axis=0, return_inverse=True)
        return Payers(table, price, here, pairs[:, 0], pairs[:, 1], place.ravel())

    def _time_scale_holder(self) -> Any:
        return self.law_

    # ---- periods to come -------------------------------------------------------------------------

    def _periods(self, terms: Terms) -> int:
        """Most payments that fall into the horizon."""
        if not np.isfinite(terms.until):
            if not terms.rate > 0.0:
                raise HorizonError(
                    "a value without end needs annual_discount_rate above 0: its sum does not "
                    "converge. Give a rate, or a horizon that ends."
                )
            check_work(FAR / terms.rate, MOST_TERMS, "periods", "Give a higher rate.")
            return int(np.ceil(FAR / terms.rate))
        check_work(terms.until, MOST_TERMS, "periods", "Shorten the horizon.")
        return int(np.floor(terms.until + 1e-9)) + 1

    def _paid(self, wait: Floats, terms: Terms) -> Floats:
        """Discount money at each payment date, 0 beyond the horizon; (pairs, periods)."""
        at = wait[:, None] + np.arange(self._periods(terms))
        if terms.timing == "continuous":
            counted = at
        else:
            shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[terms.timing]
            counted = np.ceil(at - 1e-9) - 1.0 + shift
        worth = np.exp(-terms.rate * counted)
        return np.where(at <= terms.until + 1e-9, worth, 0.0)

    def _stays(self, rows: Payers, count: int, params: Any = None) -> Floats:
        """Chance that each of the coming payments is made, (pairs, periods)."""
        if _by_columns(self.law_):
            ones = np.ones(1)
            each = [
                self.law_.weighted_lifetime(rows.table, ones * k, ones) for k in range(1, count + 1)
            ]
            return np.column_stack(each)
        return _chances(self.law_, rows, np.arange(1.0, count + 1.0), params)

    def _each(self, rows: Payers, terms: Terms) -> tuple[Floats, Floats]:
        """Profit of a payment of each row, and cost left out of it."""
        if isinstance(terms.margin, str):
            share = rows.table.floats([terms.margin], caller=f"{type(self).__name__}'s X")[0]
        else:
            share = np.full(len(rows.price), 1.0 if terms.margin is None else terms.margin)
        if isinstance(terms.contact_cost, dict):
            raise ValueError("contact_cost by state is for MarkovCLVEstimator; give one number.")
        return share * rows.price, share * rows.price - terms.contact_cost

    def _counted(self, rows: Payers, terms: Terms, params: Any = None) -> Floats:
        """Discounted payments of each row that still has a contract."""
        if _by_columns(self.law_):
            return self._counted_by_columns(rows, terms, params)
        total, step = np.empty(len(rows.age)), max(1, CELLS // max(self._periods(terms), 1))
        for lo in range(0, len(total), step):
            some = rows._replace(age=rows.age[lo : lo + step], wait=rows.wait[lo : lo + step])
            worth = self._paid(some.wait, terms)
            part = slice(lo, lo + step)
            total[part] = (self._stays(some, worth.shape[1], params) * worth).sum(axis=1)
        return np.where(rows.here, total[rows.place], 0.0)

    def _counted_by_columns(self, rows: Payers, terms: Terms, params: Any) -> Floats:
        """As ``_counted``, where every customer has a law of their own: the law sums itself."""
        law = self.law_
        if params is not None:
            law = law.with_params(**dict(zip(law.fitted_.names, params, strict=True)))
        paid = self._paid(rows.wait, terms)
        count = (paid > 0.0).sum(axis=1)
        total = np.zeros(len(count))
        for n in np.unique(count[count > 0]):  # two at most: waits differ by less than a period
            some = count == n
            k = np.arange(1.0, n + 1.0)
            # a wait discounts all payments of a customer alike
            even = self._paid(np.ones(1), replace(terms, until=float(n)))[0, :n]
            lead = paid[some, 0] / even[0]
            total[some] = law.weighted_lifetime(rows.table, k, even)[some] * lead
        return np.where(rows.here, total, 0.0)

    def _value(self, rows: Payers, terms: Terms) -> Floats:
        return np.asarray(self._each(rows, terms)[1] * self._counted(rows, terms))

    def _chance(self, rows: Payers, terms: Terms) -> Floats:
        soon = rows.wait <= (terms.until + 1e-9)
        chance = self._stays(rows, 1)[:, 0] * soon
        return np.where(rows.here, chance[rows.place], 0.0)

    # ---- how outcomes spread ---------------------------------------------------------------------

    def _law_of_payments(self, rows: Payers, terms: Terms) -> tuple[Floats, Floats]:
        """Chances of at least k payments, and what k are worth in all, k = 1, 2, ...; by pair."""
        worth = self._paid(rows.wait, terms)
        stays = np.where(worth > 0.0, self._stays(rows, worth.shape[1]), 0.0)
        return stays, np.cumsum(worth, axis=1)

    def _spread(self, rows: Payers, terms: Terms) -> tuple[Floats, Floats]:
        stays, sums = self._law_of_payments(rows, terms)
        more = np.diff(sums**2, axis=1, prepend=0.0)
        mean = (stays * np.diff(sums, axis=1, prepend=0.0)).sum(axis=1)
        variance = np.maximum((stays * more).sum(axis=1) - mean**2, 0.0)
        each = self._each(rows, terms)[1]
        spread = np.where(rows.here, each**2 * variance[rows.place], 0.0)
        return spread, 1.0 - self._chance(rows, terms)

    def _outcome_interval(self, rows: Payers, terms: Terms, tail: float) -> Floats:
        stays, sums = self._law_of_payments(rows, terms)
        sums = np.column_stack([np.zeros(len(sums)), sums])
        line, each = np.arange(len(sums)), self._each(rows, terms)[1]
        ends = [
            each * np.where(rows.here, sums[line, (stays > level).sum(axis=1)][rows.place], 0.0)
            for level in (1.0 - tail, tail)
        ]
        return np.sort(np.column_stack(ends), axis=1)

    def _outcome_draws(
        self, rows: Payers, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        stays, sums = self._law_of_payments(rows, terms)
        sums = np.column_stack([np.zeros(len(sums)), sums])
        chance = rng.random((n_draws, len(rows.price)))
        count = np.zeros(chance.shape, dtype=np.intp)
        for k in range(stays.shape[1]):
            count += chance < stays[rows.place, k]
        drawn = sums[rows.place, count]
        return np.where(rows.here, self._each(rows, terms)[1] * drawn, 0.0)

    def _parameter_draws(
        self, rows: Payers, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        if self.law_.fit_report().status == "given":
            raise NotSupportedError(
                "parameters were given, so nothing is known of how sure they are."
            )
        each = self._each(rows, terms)[1]
        draws = self.law_.parameter_draws(n_draws, rng)
        return np.stack([each * self._counted(rows, terms, draw) for draw in draws])

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        if _by_columns(self.law_):
            raise NotSupportedError(
                "columns of the customer move the law, and a new customer has no row; value a "
                "table with rows of new customers."
            )
        price = self.forecast_.first * (1.0 if terms.margin is None else terms.margin)
        one = np.ones(1)
        new = Payers(open_table(one), one, one > 0, np.zeros(1), one, np.zeros(1, dtype=np.intp))
        each = price - float(terms.contact_cost)
        return each, each * float(self._counted(new, terms)[0])

    def _parts(self, rows: Payers, terms: Terms) -> dict[str, Any]:
        columns: dict[str, Any] = {"under_contract": rows.here}
        if np.isfinite(terms.until):
            plain = Terms(terms.until, 0.0, terms.timing)
            columns["expected_renewals"] = self._counted(rows, plain)
        return {
            **columns,
            "discounted_renewals": self._counted(rows, terms),
            "profit_per_period": self._each(rows, terms)[0],
            "contact_cost": float(terms.contact_cost),
        }

    def _facts(self) -> dict[str, Any]:
        forecast = self.forecast_
        return {
            "law": type(forecast.law).__name__,
            "unit": forecast.unit,
            "customers": forecast.customers,
            "ended": forecast.ended,
            "price": forecast.first,
        }

    def _settings(self) -> dict[str, Any]:
        own = self.get_params(deep=False)
        return {k: v for k, v in own.items() if k != "law"}  # written as it was fitted


def _by_columns(law: Any) -> bool:
    """Whether columns of a customer move the law."""
    return getattr(law.fitted_, "effects", None) is not None


def _chances(law: Any, rows: Payers, periods: Floats, params: Any) -> Floats:
    """Chance of being there at the coming payments, given being there now."""
    given = law.params_ if params is None else params
    age = rows.age[:, None]
    if isinstance(law, ContractModel):
        ahead = periods if law.law.discrete else rows.wait[:, None] + periods - 1.0
        log_survival = law.law.log_survival
        return np.exp(log_survival(*given, age + ahead) - log_survival(*given, age))
    zero = np.zeros_like(age)
    future = law.law.alive(*given, age, zero, age)
    return np.asarray(law.law.survival(*future, periods))
