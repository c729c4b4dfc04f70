"""A log's past chooses its forecast and says what it may be used for, in figures and words."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from custvalue._warn import heard
from custvalue.evaluation import BestValue, _stacking
from custvalue.evaluation._best import choose
from custvalue.evaluation._progress import Teller
from custvalue.evaluation._verdict import _WORDS, Proof, judged
from custvalue.purchase import MBGNBD
from custvalue.testing._value import Shop
from custvalue.value import CustomerValue, RateForward, SameForAll


def law():
    return CustomerValue(purchases=MBGNBD())


@pytest.fixture(scope="module")
def log():
    return Shop("log").table


@pytest.fixture(scope="module")
def fitted(log):
    parts = {"law": law(), "rate": RateForward(), "same for all": SameForAll()}
    return BestValue(parts, horizon="26W").fit(log)


def proof(ratio=1.0, gini=0.6, deciles=0.1, coverage=0.8):
    return Proof(364, 364, 1000, ratio, gini, 0.4, deciles, coverage)


@pytest.mark.parametrize(
    ("figures", "overall"),
    [
        ({}, "good"),
        ({"gini": 0.02}, "only totals"),
        ({"ratio": 2.0}, "only ranking"),
        ({"ratio": 0.4, "gini": 0.02}, "do not use"),
        ({"deciles": 0.9}, "total and ranking"),
        ({"coverage": 0.3}, "total and ranking"),
    ],
)
def test_the_verdict_follows_from_total_order_and_customers(figures, overall):
    said = judged((proof(**figures), proof(**figures)), "stack", (("law", 1.0),), 1.0)
    assert said.overall == overall


@pytest.mark.parametrize(
    ("coverage", "customer"),
    [(0.71, "rough"), (0.72, "good"), (0.8, "good"), (0.96, "good"), (0.97, "rough"),
     (0.6, "rough"), (0.59, "no")],
)  # fmt: skip
def test_single_customers_are_forecast_well_where_their_intervals_of_80_percent_cover_about_that(
    coverage, customer
):
    said = judged((proof(coverage=coverage),), "stack", (("law", 1.0),), 1.0)
    assert said.uses == {"budget": "good", "list": "good", "customer": customer}


def test_misses_that_cancel_out_do_not_make_a_total_good():
    said = judged((proof(ratio=1.6), proof(ratio=1 / 1.6)), "stack", (("law", 1.0),), 1.0)
    assert said.uses["budget"] == "no"


def test_nothing_is_said_of_what_nothing_proved():
    said = judged((), "law", (("law", 1.0),), 1.0, "30 days of history")
    assert said.overall == "unproven"
    assert set(said.uses.values()) == {"unproven"}
    assert "30 days of history" in said.words()[0]


def test_both_languages_say_the_same_figures():
    assert _WORDS["en"].keys() == _WORDS["zh"].keys()
    for key, text in _WORDS["en"].items():
        fields = [set(re.findall(r"{[^}]*}", t)) for t in (text, _WORDS["zh"][key])]
        assert fields[0] == fields[1], key
    said = judged((proof(), proof(ratio=1.2)), "stack", (("A", 0.7), ("B", 0.3)), 1.1)
    numbers = [re.findall(r"\d+(?:\.\d+)?", " ".join(said.words(lang))) for lang in ("en", "zh")]
    assert sorted(numbers[0]) == sorted(numbers[1])
    chinese = "".join(said.words("zh"))
    assert not re.search("[a-z]{2}", chinese)


def origin(came, said):
    return _stacking.Origin(100, 100, came, said, np.full(said.shape, 0.5))


def origins_of(rng, make):
    found = []
    for _ in range(3):
        mean = rng.gamma(0.7, 40.0, 3000)
        came = mean * rng.gamma(1.0, 1.0, 3000)
        found.append(origin(came, make(mean, came)))
    return found


def test_what_beats_the_blend_clearly_is_taken_alone(rng):
    def parts(mean, came):
        return np.column_stack([mean, rng.permutation(mean), np.full(3000, 5.0)])

    found = choose(origins_of(rng, parts), ["truth", "noise", "same"], 1e9, 0.2)
    assert found.kind == "single"  # a blend that is drawn to equal weights
    assert found.weights.tolist() == [1.0, 0.0, 0.0]


def test_where_nothing_beats_the_same_for_all_that_is_given(rng):
    def parts(mean, came):
        return np.column_stack([rng.permutation(mean), np.full(3000, 5.0)])

    found = choose(origins_of(rng, parts), ["noise", "same"], 0.2, 0.2)
    assert found.kind == "equal"
    assert found.weights.tolist() == [0.0, 1.0]
    said = judged(tuple(Proof(*p) for p in found.proofs), "equal", (("same", 1.0),), 1.0)
    assert said.overall == "only totals"
    assert "same of all" in said.words()[1]


def test_a_date_is_judged_by_the_weights_of_the_others(rng):
    """Two parts that swap: each date alone would take the one that is right there."""
    found = []
    for k in range(2):
        mean = rng.gamma(0.7, 40.0, 3000)
        came = mean * rng.gamma(1.0, 1.0, 3000)
        noise = rng.permutation(mean)
        found.append(origin(came, np.column_stack([mean, noise][:: 1 if k else -1])))
    told = choose(found, ["a", "b"], 0.0, 0.2)
    assert dict(told.deviances)["blend"] > 1.0


def test_a_shop_with_habits_is_judged_good_for_lists(fitted, log):
    said = fitted.verdict()
    assert said.uses["list"] == "good"
    assert len(said.table()) == 3
    assert "Gini" in str(said)
    assert json.dumps(fitted.fit_report())
    assert min(fitted.candidates().values()) < 1.0


def test_a_short_past_is_unproven_and_valued_by_the_law(log):
    short = log.until("2020-02-15")
    model = BestValue({"law": law()}, horizon="26W").fit(short)
    assert model.verdict().overall == "unproven"
    alone = law().set_params(horizon="26W").fit(short.summary("D"))
    np.testing.assert_allclose(model.predict(short), alone.predict(short.summary("D")))


def test_the_verdict_survives_json(fitted, log):
    again = BestValue.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again.verdict() == fitted.verdict()
    np.testing.assert_allclose(again.predict(log), fitted.predict(log))


def test_progress_counts_every_fit(log):
    told = []
    models = {"law": law(), "rate": RateForward()}
    BestValue(models, progress=lambda *step: told.append(step)).fit(log)
    assert [step[0] for step in told] == list(range(1, 9))  # three dates and the end
    assert {step[1] for step in told} == {8}


def test_a_bar_is_drawn_where_it_is_asked_for_and_not_off_a_terminal(capsys):
    loud, quiet = Teller(True, 2), Teller(None, 2)
    for text in ("one", "two"):
        loud(text)
        quiet(text)
    said = capsys.readouterr().err
    assert said.count("2/2 two") == 1
    assert said.endswith("\n")


def test_a_bar_shows_by_itself_on_a_terminal_after_two_seconds(capsys, monkeypatch):
    seconds = iter([0.0, 1.9, 2.1])
    monkeypatch.setattr("custvalue.evaluation._progress.time.perf_counter", lambda: next(seconds))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    tell = Teller(None, 2)
    tell("one")
    assert capsys.readouterr().err == ""
    tell("two")
    assert "2/2 two" in capsys.readouterr().err


def test_scores_of_each_date_are_those_of_models_fitted_then(log, fitted):
    scores = fitted.scores()
    parts = {"law": law(), "rate": RateForward(), "same for all": SameForAll()}
    assert (
        scores.groupby("days_back", sort=False)["method"].apply(list).tolist()
        == [["forecast", *parts]] * scores["days_back"].nunique()
    )
    for row in scores[scores["method"] != "forecast"].itertuples():
        known = log.until(log.before(f"{row.days_back}D"))
        end = log.before(f"{row.days_back - row.days}D") if row.days_back > row.days else log.as_of
        came, _ = log.between(known.as_of, end).totals(known.customers())
        summary = known.summary("D")
        with heard():  # few have left by then
            said = parts[row.method].fit(summary).predict(summary, f"{row.days}D")
        assert row.said == pytest.approx(said.sum())
        assert row.came == pytest.approx(came.sum())
        assert row.mae == pytest.approx(np.abs(said - came).mean())


def test_the_verdict_and_the_tenths_are_of_the_forecast_in_the_scores(fitted):
    ours = fitted.scores().query("method == 'forecast'")
    table = fitted.verdict().table()
    np.testing.assert_allclose(ours["came"] / ours["said"], table["ratio"])
    np.testing.assert_allclose(ours["gini"], table["gini"])
    latest = ours[ours["days"] == ours["days"].max()].iloc[-1]
    tenths = fitted.calibration()
    assert tenths["predicted_total"].sum() == pytest.approx(latest["said"])
    assert tenths["actual_total"].sum() == pytest.approx(latest["came"])
    assert (np.diff(tenths["predicted_mean"]) > 0).all()


def test_scores_survive_their_json(fitted):
    again = BestValue.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again.scores().equals(fitted.scores())
    assert again.calibration().equals(fitted.calibration())


@pytest.mark.parametrize(
    ("language", "blend", "alone"), [("en", "a blend of", "alone"), ("zh", "混合而成", "只用")]
)
def test_a_blend_of_one_is_not_called_a_blend(language, blend, alone):
    both = judged((proof(),), "stack", (("law", 0.4), ("chain", 0.6)), 1.0).words(language)[1]
    one = judged((proof(),), "stack", (("law", 1.0), ("chain", 0.0)), 1.0).words(language)[1]
    assert blend in both
    assert alone not in both
    assert alone in one
    assert "100" not in one


def test_who_says_the_same_of_all_is_not_good_for_a_single_customer():
    apart = judged((proof(gini=0.5),), "stack", (("law", 1.0),), 1.0)
    alike = judged((proof(gini=0.0),), "equal", (("same for all", 1.0),), 1.0)
    assert (apart.uses["customer"], alike.uses["customer"]) == ("good", "rough")
    assert alike.uses["list"] == "no"
