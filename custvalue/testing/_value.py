"""The laws that every value model must obey, checked on tables of a small simulated shop."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from custvalue._warn import heard
from custvalue.exceptions import HorizonError, NotSupportedError

if TYPE_CHECKING:
    import pandas as pd

    from custvalue.contracts import SubscriptionTable

HORIZON = "26W"
AS_OF = "2021-06-30"


def value_models() -> dict[str, Any]:
    """All value models of the library by name, unfitted.

    Returns
    -------
    dict of str to estimator

    Examples
    --------
    >>> from custvalue.testing import value_models
    >>> "MarkovCLVEstimator" in value_models()
    True
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from custvalue.contracts import ContractValue, WeibullGamma
    from custvalue.evaluation import BestValue, StackedValue
    from custvalue.markov import MarkovCLVEstimator
    from custvalue.purchase import BGNBD, MBGNBD, NBD
    from custvalue.rfm import RFMTransformer
    from custvalue.spend import OwnMean
    from custvalue.value import (
        CellMeans,
        CustomerValue,
        LearnedValue,
        RateForward,
        RecencyMigration,
        RetentionValue,
        SameForAll,
        SeasonalValue,
    )

    return {
        "MarkovCLVEstimator": MarkovCLVEstimator(),
        "MarkovCLVEstimator of counts": MarkovCLVEstimator(transitions="counts"),
        "MarkovCLVEstimator by law": MarkovCLVEstimator(transitions="bayes", purchases=NBD()),
        "MarkovCLVEstimator by move": MarkovCLVEstimator(reward_by="transition"),
        "MarkovCLVEstimator of RFM": make_pipeline(RFMTransformer(n_bins=3), MarkovCLVEstimator()),
        "CustomerValue": CustomerValue(),
        "CustomerValue of own means": CustomerValue(purchases=BGNBD(), spend=OwnMean()),
        "CustomerValue of repeat orders": CustomerValue(orders="repeat"),
        "RateForward": RateForward(),
        "SameForAll": SameForAll(),
        "RetentionValue": RetentionValue(),
        "RecencyMigration": RecencyMigration(),
        "CellMeans": CellMeans(horizon=HORIZON),
        "LearnedValue": LearnedValue(
            classifier=make_pipeline(StandardScaler(), LogisticRegression()),
            regressor=make_pipeline(StandardScaler(), Ridge()),
            law=CustomerValue(purchases=MBGNBD()),
            n_dates=2,
        ),
        "BestValue": BestValue({"law": CustomerValue(purchases=MBGNBD()), "rate": RateForward()}),
        "SeasonalValue": SeasonalValue(),
        "ContractValue": ContractValue(),
        "ContractValue of any time": ContractValue(WeibullGamma()),
        "StackedValue": StackedValue(
            {
                "law": CustomerValue(purchases=MBGNBD()),
                "chain": MarkovCLVEstimator(transitions="counts"),
                "same for all": SameForAll(),
            }
        ),
    }


class Shop:
    """Tables of a simulated shop, of the kind that a model reads.

    Parameters
    ----------
    kind : {"summary", "panel", "supervised", "log", "contracts"}
    random_state : int, default=0

    Examples
    --------
    >>> len(Shop("summary").rows) == 400
    True
    """

    def __init__(self, kind: str, random_state: int = 0) -> None:
        self.kind = kind
        self.log = _log(random_state)
        self.table = self._table(self.log)
        self.rows = self._latest(self.table)
        self.y = None
        if kind == "supervised":
            rng = np.random.default_rng([random_state, 9])
            self.y = rng.gamma(1.0, 20.0, len(self.rows))

    def _table(self, log: pd.DataFrame, unit: str = "W") -> Any:
        import custvalue as cv

        names: dict[str, Any] = {"customer": "who", "time": "day", "amount": "paid", "as_of": AS_OF}
        if self.kind == "panel":
            return cv.panel(log, **names, period="4W")
        if self.kind == "contracts":
            return _contracts(log).contracts()
        if self.kind == "log":
            return cv.data.TransactionLog(log, **names, unit=unit)
        return cv.summarize(log, **names, unit=unit)

    def _latest(self, table: Any) -> Any:
        return table.groupby("who").tail(1) if self.kind == "panel" else table

    def fit(self, model: Any, table: Any = None) -> Any:
        """Fit a clone of ``model`` on this shop's table, or on another of its kind."""
        X = self.table if table is None else table
        more = () if self.y is None else (self.y,)
        return clone(model).fit(X, *more)


def _log(random_state: int) -> pd.DataFrame:
    import pandas as pd

    rng = np.random.default_rng([random_state, 1])
    n, days = 400, 540
    born = rng.integers(0, 300, n)
    rate, lifetime = rng.gamma(0.9, 1 / 45.0, n), rng.exponential(400.0, n)
    usual = rng.gamma(4.0, 8.0, n)
    who, when = [], []
    for c in range(n):
        end = min(days, born[c] + lifetime[c])
        times = born[c] + np.cumsum(rng.exponential(1.0 / rate[c], 200))
        times = np.append(born[c], times[times < end])
        who.append(np.full(len(times), c))
        when.append(np.floor(times))
    owner = np.concatenate(who)
    day = pd.Timestamp("2020-01-08") + pd.to_timedelta(np.concatenate(when), unit="D")
    paid = np.round(rng.gamma(5.0, usual[owner] / 5.0) + 0.01, 2)
    return pd.DataFrame({"who": owner, "day": day, "paid": paid})


def _contracts(log: pd.DataFrame) -> SubscriptionTable:
    """A contract a customer, from the first order to some time after the last."""
    import pandas as pd

    from custvalue.contracts import SubscriptionTable

    by = log.groupby("who")
    paid, more = by["paid"].mean().round(2), by["paid"].first() % 1.0
    end = by["day"].max() + pd.to_timedelta(1.0 + np.floor(120.0 * more), unit="D")
    rows = pd.DataFrame({"start": by["day"].min(), "end": end, "paid": paid}).reset_index()
    return SubscriptionTable(
        rows, customer="who", start="start", end="end", money="paid", period="4W", as_of=AS_OF,
        future="open",
    )  # fmt: skip


def check_value_model(model: Any, *, shop: Shop | None = None) -> None:
    """Hold a value model to the laws of its kind.

    Parameters
    ----------
    model : estimator
        Unfitted; a ``ValueModel``, or a Pipeline that ends in one.
    shop : Shop, optional
        The tables to check on; None makes one of the kind that the model reads.

    Raises
    ------
    AssertionError
        Naming the law that is broken.

    Examples
    --------
    >>> from custvalue.testing import check_value_model
    >>> from custvalue.value import RateForward
    >>> check_value_model(RateForward())
    """
    final = model.steps[-1][1] if hasattr(model, "steps") else model
    shop = Shop(final.reads_table) if shop is None else shop
    with heard():
        case = _Case(model, shop)
        for law in _LAWS:
            words = (law.__doc__ or "").strip().rstrip(".")
            try:
                law(case)
            except AssertionError as error:
                raise AssertionError(
                    f"{type(final).__name__} breaks the law {words!r}: {error}"
                ) from error


class _Case:
    """A fitted model, its rows, and its last step asked with them."""

    def __init__(self, model: Any, shop: Shop) -> None:
        self.model, self.shop = model, shop
        self.fitted = shop.fit(model)
        self.rows = shop.rows
        self.n = len(shop.rows.customers()) if shop.kind == "log" else len(shop.rows)

    def final(self, fitted: Any = None) -> Any:
        fitted = self.fitted if fitted is None else fitted
        return fitted.steps[-1][1] if hasattr(fitted, "steps") else fitted

    def ask(
        self, method: str, *more: Any, fitted: Any = None, rows: Any = None, **named: Any
    ) -> Any:
        fitted = self.fitted if fitted is None else fitted
        rows = self.rows if rows is None else rows
        if hasattr(fitted, "steps"):
            rows = fitted[:-1].transform(rows)
        return getattr(self.final(fitted), method)(rows, *more, **named)

    def value(self, horizon: Any = HORIZON, **more: Any) -> Any:
        return self.ask("predict", horizon, **more)

    def said(self, method: str, *more: Any, **named: Any) -> Any | None:
        """Answer, or None where the model refuses by name."""
        try:
            return self.ask(method, *more, **named)
        except NotSupportedError as error:
            reason = str(error)
        assert reason, f"{type(self.final()).__name__}.{method} refuses without a reason"
        return None

    def ask_newcomer(self) -> tuple[float, float] | None:
        try:
            final = self.final()
            return (
                final.new_customer_value(HORIZON),
                final.new_customer_value(HORIZON, include_first_order=False),
            )
        except NotSupportedError:
            return None


def _same(a: Any, b: Any, what: str, rtol: float = 1e-9) -> None:
    scale = max(float(np.max(np.abs(np.asarray(b, dtype=float)), initial=0.0)), 1e-12)
    off = float(np.max(np.abs(np.asarray(a, float) - np.asarray(b, float)), initial=0.0))
    assert off <= rtol * scale, f"{what} (off by {off:.3g} of {scale:.3g})"


def _no_horizon(case: _Case) -> None:
    """No horizon is one named error."""
    bare = case.shop.fit(case.model)
    final = case.final(bare)
    final.set_params(horizon=None)
    for method in ("predict", "predict_chance", "predict_total", "predict_interval", "explain"):
        try:
            case.ask(method, fitted=bare)
        except HorizonError:
            continue
        raise AssertionError(f"{method} without a horizon raises no HorizonError")


def _zero(case: _Case) -> None:
    """A horizon of nothing is worth nothing."""
    _same(case.value("0W"), np.zeros(case.n), "predict(X, '0W') is not 0")
    chance = case.said("predict_chance", "0W")
    if chance is not None:
        _same(chance, np.zeros(case.n), "predict_chance(X, '0W') is not 0")


def _longer(case: _Case) -> None:
    """Longer is never less."""
    worth = [case.value(h) for h in ("4W", "10W", "26W", "52W", "104W")]
    for near, far in itertools.pairwise(worth):
        assert np.all(far >= near - 1e-9 * np.abs(far).max()), "a longer horizon is worth less"
    chances: list[Any] = [case.said("predict_chance", h) for h in ("4W", "26W", "52W")]
    if chances[0] is not None:
        for near, far in itertools.pairwise(chances):
            assert np.all(far >= near - 1e-12), "a longer horizon has a smaller chance"
        assert np.all((chances[-1] >= 0) & (chances[-1] <= 1)), "a chance outside 0 to 1"


def _adds_up(case: _Case) -> None:
    """Totals add up over any grouping."""
    value = case.value()
    rng = np.random.default_rng(3)
    for k in (1, 2, 7):
        group = rng.integers(0, k, len(value))
        table = case.ask("predict_total", HORIZON, groups=group)
        _same(table["value"], np.bincount(group, weights=value), "predict_total is not the sum")
        assert int(table["customers"].sum()) == len(value), "customers are lost in predict_total"
        if "lower" in table:
            held = (table["lower"] <= table["value"]) & (table["value"] <= table["upper"])
            assert held.all(), "the interval of a total does not hold it"


def _holds(case: _Case) -> None:
    """The interval holds the value, and a higher level holds a lower one's."""
    value = case.value()
    for kind in ("outcome", "parameter"):
        narrow = case.said("predict_interval", HORIZON, level=0.5, kind=kind)
        if narrow is None:
            continue
        wide = case.ask("predict_interval", HORIZON, level=0.95, kind=kind)
        slack = 1e-9 * np.abs(value).max()
        inside = (narrow[:, 0] <= value + slack) & (value <= narrow[:, 1] + slack)
        assert inside.all(), f"{(~inside).sum()} intervals of kind {kind!r} do not hold the value"
        held = (wide[:, 0] <= narrow[:, 0] + slack) & (narrow[:, 1] <= wide[:, 1] + slack)
        assert held.all(), f"kind {kind!r}: an interval of 95 % does not hold that of 50 %"


def _averages(case: _Case) -> None:
    """Draws average to the value."""
    value = case.value()
    for kind in ("outcome", "parameter"):
        drawn = case.said("draws", HORIZON, n_draws=400, kind=kind, random_state=5)
        if drawn is None:
            continue
        assert drawn.shape == (400, len(value)), f"draws have shape {drawn.shape}"
        total = drawn.sum(axis=1)
        error = float(total.std() / np.sqrt(len(total))) + 1e-9 * float(np.abs(value).sum())
        off = abs(float(total.mean() - value.sum()))
        # a spread of parameters bends the value: its mean may lie a hundredth of the total off
        slack = 0.02 * abs(float(value.sum())) if kind == "parameter" else 0.0
        assert off < 5.0 * error + slack, (
            f"draws of kind {kind!r} sum to {total.mean():.6g}, the values to {value.sum():.6g}"
        )


def _terms(case: _Case) -> None:
    """set_params and then predict is a refit."""
    changes: tuple[dict[str, Any], ...] = (
        {"annual_discount_rate": 0.3},
        {"margin": 0.6},
        {"contact_cost": 1.5},
        {"timing": "end", "annual_discount_rate": 0.3},
        {"horizon": "13W"},
    )
    for change in changes:
        late = case.shop.fit(case.model)
        case.final(late).set_params(**change)
        early = clone(case.model)
        case.final(early).set_params(**change)
        early = case.shop.fit(early)
        if "horizon" in change and case.shop.kind == "supervised":
            continue  # there the horizon also says what y covers
        asked = None if "horizon" in change else HORIZON
        for method in ("predict", "predict_interval", "predict_total"):
            if method != "predict" and case.said(method, HORIZON) is None:
                continue
            a = case.ask(method, asked, fitted=late)
            b = case.ask(method, asked, fitted=early)
            if method == "predict_total":
                a, b = a.to_numpy(dtype=float), b.to_numpy(dtype=float)
            _same(a, b, f"{method} after set_params({change}) differs from a refit")


def _money(case: _Case) -> None:
    """Margin and cost act on every answer, and a margin of 30 is refused."""
    final = case.final()
    before = final.get_params(deep=False)
    try:
        final.set_params(margin=0.25)
        quarter = case.value()
        final.set_params(margin=0.5)
        _same(case.value(), 2.0 * quarter, "twice the margin is not twice the value")
        final.set_params(contact_cost=2.0)
        dear = case.value()
        assert np.all(dear <= 2.0 * quarter + 1e-9), "a contact cost raises a value"
        assert dear.sum() < 2.0 * quarter.sum(), "a contact cost changes nothing"
        table = case.ask("predict_total", HORIZON)
        _same(table["value"].sum(), dear.sum(), "predict_total leaves the contact cost out")
        for method, kind in (("predict_interval", "outcome"), ("predict_interval", "parameter")):
            ends = case.said(method, HORIZON, kind=kind)
            if ends is not None:
                held = (ends[:, 0] <= dear + 1e-9) & (dear <= ends[:, 1] + 1e-9)
                assert held.all(), f"{method} of kind {kind!r} leaves the contact cost out"
        final.set_params(contact_cost=0.0)
        for bad in (30, 1.5, float("nan"), True):
            final.set_params(margin=bad)
            try:
                case.value()
            except ValueError:
                continue
            raise AssertionError(f"margin={bad!r} is taken")
    finally:
        final.set_params(**before)


def _order_and_names(case: _Case) -> None:
    """Permuted rows and renamed ids change nothing."""
    value = case.value()
    if case.shop.kind == "log":  # customers come in the order of their ids
        mixed, expected = case.shop._table(case.shop.log.sample(frac=1.0, random_state=8)), value
    else:
        turn = np.random.default_rng(8).permutation(case.n)
        mixed, expected = case.rows.iloc[turn], value[turn]
        mixed.attrs = case.rows.attrs
    _same(case.value(rows=mixed), expected, "rows in another order have other values")
    named = case.shop.log.assign(who=case.shop.log["who"].map(lambda v: f"c{v:05d}"))
    table = case.shop._table(named)
    other = case.shop.fit(case.model, table)
    rows = case.shop._latest(table)
    _same(case.value(fitted=other, rows=rows), value, "renamed customers have other values", 1e-7)


def _units(case: _Case) -> None:
    """Weeks or days give the same money."""
    if case.shop.kind in ("panel", "contracts"):
        spans = ("182D", HORIZON)
        _same(case.value(spans[0]), case.value(spans[1]), "182D is not 26W")
        return
    table = case.shop._table(case.shop.log, unit="D")
    other = case.shop.fit(case.model, table)
    for model in (case.fitted, other):
        case.final(model).set_params(annual_discount_rate=0.2, contact_cost=0.5)
    found = case.value(fitted=other, rows=table), case.value()
    for model in (case.fitted, other):
        case.final(model).set_params(annual_discount_rate=0.0, contact_cost=0.0)
    _same(found[0], found[1], "a summary in days has other values than one in weeks", 1e-5)


def _tables(case: _Case) -> None:
    """Every table agrees with predict."""
    value = case.value()
    total = float(value.sum())
    ahead = case.ask("value_by_period", HORIZON)
    _same(ahead["cumulative"].iloc[-1], total, "value_by_period does not end at the total", 1e-6)
    _same(ahead["discounted"].sum(), total, "value_by_period does not add up", 1e-6)
    told = case.ask("explain", HORIZON)
    _same(told["value"], value, "explain has other values")
    assert len(told) == len(value), "explain loses rows"
    equity = case.said("equity", HORIZON)
    if equity is not None:
        _same(equity.loc["current", "value"], total, "equity has another total")
    if hasattr(case.final(), "state_table"):
        states = case.final().state_table(HORIZON)
        _same((states["value"] * states["customers"]).sum(), total,
              "state_table's value x customers is not the total")  # fmt: skip
        held = (states["lower"] <= states["value"]) & (states["value"] <= states["upper"])
        assert held.all(), "state_table's interval does not hold the value"
    won = case.ask_newcomer()
    if won is not None:
        both, later = won
        assert both >= later, "a first order is worth less than nothing"


def _opened(case: _Case) -> None:
    """An opened table answers as the table, under changed terms too, and for its fit alone."""
    final, opened = case.final(), case.ask("open")
    for method in ("predict", "predict_chance", "predict_interval", "predict_total", "explain"):
        plain = case.said(method, HORIZON)
        if plain is not None:
            again = getattr(final, method)(opened, HORIZON)
            for name in getattr(plain, "columns", (None,)):
                a, b = (np.asarray(v if name is None else v[name]) for v in (again, plain))
                same = np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
                assert same, f"{method} says of an opened table what it does not of the table"
    before = {k: final.get_params(deep=False)[k] for k in ("annual_discount_rate", "margin")}
    final.set_params(annual_discount_rate=0.3, margin=0.5)
    found = final.predict(opened, HORIZON), case.value()
    final.set_params(**before)
    _same(*found, "a table opened before set_params has other values", 0.0)
    try:
        case.final(case.shop.fit(case.model)).predict(opened, HORIZON)
    except ValueError:
        return
    raise AssertionError("a table opened by another fit is taken")


def _json(case: _Case) -> None:
    """JSON and back predicts the same numbers and holds no customer."""
    final = case.final()
    try:
        plain = json.loads(json.dumps(final.to_dict()))
    except NotSupportedError:
        return
    again = type(final).from_dict(plain)
    rows = case.rows
    if hasattr(case.fitted, "steps"):
        rows = case.fitted[:-1].transform(rows)
    _same(again.predict(rows, HORIZON), case.value(), "the model read back predicts otherwise")
    assert len(json.dumps(plain)) < 5_000_000, "the model holds more than a model"


_LAWS: tuple[Callable[[_Case], None], ...] = (
    _no_horizon,
    _zero,
    _longer,
    _adds_up,
    _holds,
    _averages,
    _terms,
    _money,
    _order_and_names,
    _units,
    _tables,
    _opened,
    _json,
)
