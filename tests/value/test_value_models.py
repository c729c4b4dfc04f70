"""Every value model obeys the laws of its kind, and a model that breaks one is told which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
import custvalue.value
from custvalue.exceptions import NotSupportedError, TimeUnitError
from custvalue.markov import MarkovCLVEstimator, PanelStates
from custvalue.testing import check_value_model, value_models
from custvalue.testing._value import Shop
from custvalue.value import CustomerValue, RateForward

MODELS = value_models()


@pytest.mark.parametrize("name", list(MODELS))
def test_every_value_model_obeys_the_laws_of_its_kind(name):
    check_value_model(MODELS[name])


# ---- each contradiction put back is caught, and named --------------------------------------------


class DoubledByRefit(RateForward):
    """Bakes its margin into the fit."""

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.baked = 1.0 if self.margin is None else float(self.margin)
        return self

    def _gross(self, rows, terms):
        return rows.spend * self.baked


class ForgetsCost(CustomerValue):
    """Interval without the cost that predict takes off."""

    def predict_interval(self, X, horizon=None, **more):
        return super().predict_interval(X, horizon, **more) + 1e6


class TotalOfOthers(RateForward):
    """A total that is another model's."""

    def predict_total(self, X, horizon=None, **more):
        return super().predict_total(X, horizon, **more) * 1.5


class OwnTable(MarkovCLVEstimator):
    """A table of states that is another chain's."""

    def state_table(self, horizon=None, **more):
        return super().state_table(horizon, **more).assign(value=lambda t: 2.0 * t["value"])


class NoHorizonIsForEver(RateForward):
    """Answers without being asked how far."""

    def terms(self, horizon=None):
        return super().terms("520W" if horizon is None and self.horizon is None else horizon)


class FirstPeriodFree(RateForward):
    """Counts two rewards where the horizon says one."""

    def terms(self, horizon=None):
        found = super().terms(horizon)
        return replace(found, until=found.until + 4.0)


class ByPosition(RateForward):
    """Values a row by where it stands."""

    def _value(self, rows, terms):
        return super()._value(rows, terms) * np.linspace(0.5, 1.5, len(rows.spend))


class DaysForWeeks(RateForward):
    """Takes every table for weeks."""

    def _read(self, X):
        rows = super()._read(X)
        return rows._replace(spend=rows.spend * (1.0 + rows.spend.mean()))


class BiasedDraws(CustomerValue):
    """Draws around something else."""

    def draws(self, X, horizon=None, **more):
        return 1.3 * super().draws(X, horizon, **more)


class Forgets(RateForward):
    """Loses its learning on the way through JSON."""

    @classmethod
    def from_dict(cls, plain):
        model = super().from_dict(plain)
        model.forecast_ = replace(model.forecast_, min_span=2.0 * model.forecast_.min_span)
        return model


class Explains(RateForward):
    """Explains another value than it predicts."""

    def explain(self, X, horizon=None):
        return super().explain(X, horizon).assign(value=1.0)


class AnyMargin(RateForward):
    """Takes thirty for thirty per cent."""

    def terms(self, horizon=None):
        margin, self.margin = self.margin, None
        found = super().terms(horizon)
        self.margin = margin
        return replace(found, margin=margin)


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (DoubledByRefit(), "set_params and then predict is a refit"),
        (ForgetsCost(), "the interval holds the value"),
        (TotalOfOthers(), "totals add up"),
        (OwnTable(PanelStates(monetary_classes=1)), "every table agrees with predict"),
        (NoHorizonIsForEver(), "no horizon is one named error"),
        (FirstPeriodFree(), "a horizon of nothing is worth nothing"),
        (ByPosition(), "permuted rows and renamed ids change nothing"),
        (DaysForWeeks(margin=1.0), "weeks or days give the same money"),
        (BiasedDraws(), "draws average to the value"),
        (Forgets(), "JSON and back"),
        (Explains(), "every table agrees with predict"),
        (AnyMargin(), "margin and cost act on every answer"),
    ],
    ids=lambda v: type(v).__name__ if not isinstance(v, str) else v[:20],
)
def test_a_model_that_breaks_a_law_is_told_which(broken, law):
    with pytest.raises(AssertionError, match=f"(?i){law}"):
        check_value_model(broken)


# ---- what the laws do not say --------------------------------------------------------------------


def test_every_answer_compares_units():
    shop = Shop("summary")
    days = shop._table(shop.log, unit="D")
    for name in ("CustomerValue", "RateForward", "RetentionValue"):
        fitted = shop.fit(MODELS[name])
        for method in ("predict", "predict_total", "explain", "equity", "value_by_period"):
            with pytest.raises(TimeUnitError, match="counts time in 'D'"):
                getattr(fitted, method)(days, "26W")
    panels = Shop("panel")
    weekly = cv.panel(
        panels.log, customer="who", time="day", amount="paid", as_of="2021-06-30", period="1W"
    )
    chain = panels.fit(MODELS["MarkovCLVEstimator of counts"])
    with pytest.raises(TimeUnitError, match="counts time in '1W'"):
        chain.predict(weekly.groupby("who").tail(1), "26W")


def test_units_survive_a_join_and_the_value_with_them():
    shop = Shop("summary")
    fitted = shop.fit(MODELS["CustomerValue"])
    plain = pd.DataFrame({"who": shop.rows["who"], "segment": "a"})
    joined = shop.rows.merge(plain, on="who")
    np.testing.assert_array_equal(fitted.predict(joined, "26W"), fitted.predict(shop.rows, "26W"))


def test_a_formula_that_states_no_spread_says_so_and_names_who_does():
    shop = Shop("summary")
    fitted = shop.fit(RateForward())
    for ask in (fitted.predict_interval, fitted.draws, fitted.predict_chance):
        with pytest.raises(NotSupportedError, match="CustomerValue and MarkovCLVEstimator do"):
            ask(shop.rows, "26W")
    assert list(fitted.predict_total(shop.rows, "26W")) == ["customers", "value"]


def test_words_and_defaults_are_the_same_for_all():
    import inspect

    common = ("horizon", "annual_discount_rate", "margin", "contact_cost", "timing")
    asked = ("predict", "predict_chance", "predict_interval", "predict_total", "draws",
             "value_by_period", "new_customer_value", "equity", "explain")  # fmt: skip
    finals = {type(getattr(m, "steps", [(0, m)])[-1][1]) for m in MODELS.values()}
    reference = next(iter(finals))
    for kind in finals:
        made = inspect.signature(kind.__init__).parameters
        assert [p for p in made if p in common] == list(common), kind
        for name in common:
            assert (
                made[name].default
                == inspect.signature(RateForward.__init__).parameters[name].default
            ), (kind, name)
        for method in asked:
            ours, theirs = (inspect.signature(getattr(k, method)) for k in (kind, reference))
            assert ours == theirs, (kind, method)


def test_no_value_model_is_cut_into_mixins_along_its_methods():
    for model in MODELS.values():
        kind = type(getattr(model, "steps", [(0, model)])[-1][1])
        own = [c for c in kind.__mro__ if c.__module__.startswith("custvalue.")]
        # a base that is a whole model itself is none (BestValue is a StackedValue)
        bases = [c.__name__ for c in own[1:] if c.__name__ not in MODELS]
        assert bases == ["ValueModel", "DocLink"], kind
