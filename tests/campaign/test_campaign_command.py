"""The command ``custvalue campaign``: a file of customers in, words and a table out."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from custvalue import cli
from custvalue.campaign import campaign_effect, plan_test
from custvalue.silence import activation_plan, plan_totals

MEASURE = ["--arm", "arm", "--control", "none", "--outcome", "spend"]


@pytest.fixture
def customers():
    rng = np.random.default_rng(1)
    n = 600
    made = pd.DataFrame(
        {
            "id": [f"{i:05d}" for i in range(n)],
            "arm": rng.choice(["none", "mail", "call"], n),
            "forecast": rng.gamma(1.0, 20.0, n),
            "region": rng.choice(["north", "south", "west"], n),
            "orders": rng.poisson(1.0, n) + 1,
        }
    )
    made["spend"] = (rng.random(n) < 0.4) * rng.gamma(2.0, 0.5 * made["forecast"] + 1.0)
    made["spend"] += 9.0 * (made["arm"] == "mail")
    return made


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["custvalue", "campaign", *map(str, arguments)])
    code = cli.run()
    told = capsys.readouterr()
    return code, told.out, told.err


def of(customers, arm, column):
    return customers.loc[customers["arm"] == arm, column].to_numpy()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_file_of_two_arms_says_what_campaign_effect_says(
    customers, tmp_path, monkeypatch, capsys, kind, language
):
    two = customers[customers["arm"] != "call"]
    path, out = tmp_path / f"two.{kind}", tmp_path / "effect.csv"
    two.to_csv(path, index=False) if kind == "csv" else two.to_parquet(path, index=False)
    code, said, errors = run(
        monkeypatch, capsys, "measure", path, *MEASURE, "--before", "forecast", "--margin", 0.3,
        "--contact-cost", 0.4, "--language", language, "--out", out,
    )  # fmt: skip
    assert (code, errors) == (0, "")
    before = of(two, "mail", "forecast"), of(two, "none", "forecast")
    found = campaign_effect(
        of(two, "mail", "spend"), of(two, "none", "spend"), before=before, margin=0.3,
        contact_cost=0.4,
    )  # fmt: skip
    assert said.startswith(found.sentence(language))
    table = pd.read_csv(out)
    assert table.shape == (1, 9)
    assert table.iloc[0, 3:6].tolist() == pytest.approx([found.effect, found.low, found.high])


def test_several_arms_and_groups_are_one_table(customers, tmp_path, monkeypatch, capsys):
    path, out = tmp_path / "customers.csv", tmp_path / "effect.csv"
    customers.to_csv(path, index=False)
    code, said, errors = run(
        monkeypatch, capsys, "measure", path, *MEASURE, "--customer", "id", "--group", "region",
        "--out", out,
    )  # fmt: skip
    assert (code, errors) == (0, "")
    assert "2 campaigns against one control group" in said
    table = pd.read_csv(out)
    assert set(table["campaign"]) == {"mail", "call"}
    assert table.groupby("campaign")["group"].nunique().tolist() == [3, 3]
    groups = of(customers, "mail", "region"), of(customers, "none", "region")
    alone = campaign_effect(
        of(customers, "mail", "spend"), of(customers, "none", "spend"), groups=groups
    ).group_table()
    mail = table[table["campaign"] == "mail"]
    assert mail["shrunk"].to_numpy() == pytest.approx(alone["shrunk"].to_numpy())
    code, _, errors = run(monkeypatch, capsys, "measure", path, *MEASURE, "--out", out)
    assert code == 2
    assert "--force" in errors


def test_a_ratio_is_told_as_one(customers, tmp_path, monkeypatch, capsys):
    path = tmp_path / "customers.csv"
    customers[customers["arm"] != "call"].to_csv(path, index=False)
    code, said, _ = run(monkeypatch, capsys, "measure", path, *MEASURE, "--per", "orders")
    assert code == 0
    assert "a count" in said


def test_a_plan_says_what_an_effect_needs_and_what_the_customers_can_show(
    customers, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "past.csv"
    customers.to_csv(path, index=False)
    code, said, _ = run(
        monkeypatch, capsys, "plan", path, "--outcome", "spend", "--effect", 3, "--control-share",
        0.2,
    )  # fmt: skip
    spent = customers["spend"]
    assert code == 0
    needed = plan_test(spent, effect=3.0, control_share=0.2)
    shown = plan_test(spent, n_customers=600, control_share=0.2)
    assert said == f"{needed}\n{shown}\n"
    code, said, _ = run(
        monkeypatch, capsys, "plan", path, "--outcome", "spend", "--customers", 9000, "--language",
        "zh",
    )  # fmt: skip
    assert said.strip() == plan_test(spent, n_customers=9000).sentence("zh")


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (lambda f: f, ["--before", "forecasts"], ["no column 'forecasts'", "'forecast'"]),
        (lambda f: f[f["arm"] != "none"], [], ["no customer has arm 'none'", "no effect"]),
        (lambda f: f[f["arm"] == "none"], [], ["every arm is 'none'"]),
        (
            lambda f: f.assign(
                spend=f["spend"].where(f.index != 4), arm=f["arm"].where(f.index > 2)
            ),
            [],
            ["3 rows, first: 0, 1, 2", "'spend'", "first: 4"],
        ),
        (
            lambda f: f.assign(id=f["id"].where(f.index > 30, "00000")),
            ["--customer", "id"],
            ["customers are in", "00000"],
        ),
        (lambda f: f, ["--contact-cost", "-1"], ["contact_cost=-1.0"]),
        (lambda f: f, ["--confidence", "95"], ["confidence=95.0"]),
    ],
)
def test_bad_input_is_named_on_one_line(
    customers, tmp_path, monkeypatch, capsys, change, options, says
):
    path = tmp_path / "customers.csv"
    change(customers).to_csv(path, index=False)
    code, said, errors = run(monkeypatch, capsys, "measure", path, *MEASURE, *options)
    assert (code, said) == (2, "")
    assert errors.count("\n") == 1
    for text in says:
        assert text in errors


def test_a_plan_without_a_column_of_outcomes_is_refused_by_name(
    customers, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "past.csv"
    customers.to_csv(path, index=False)
    code, _, errors = run(monkeypatch, capsys, "plan", path, "--outcome", "arm")
    assert code == 2
    assert "column 'arm' is not numeric" in errors
    assert errors.count("\n") == 1


@pytest.fixture
def offer_files(customers, tmp_path):
    (tmp_path / "offers.csv").write_text(
        "offer,channel,contact_cost,response\nmail,post,1.0,0.05\ncall,phone,4.0,wins\n",
        encoding="utf-8",
    )
    customers.assign(wins=0.3).to_csv(tmp_path / "customers.csv", index=False)
    return tmp_path


def test_a_file_of_offers_gives_the_list_that_activation_plan_gives(
    customers, offer_files, monkeypatch, capsys
):
    out = offer_files / "list.csv"
    code, said, errors = run(
        monkeypatch, capsys, "offers", offer_files / "customers.csv", "--offers",
        offer_files / "offers.csv", "--customer", "id", "--value", "forecast", "--margin", 0.5,
        "--budget", 300, "--capacity", "phone=25", "--seed", 4, "--out", out,
    )  # fmt: skip
    assert (code, errors) == (0, "")
    plan = activation_plan(
        customers, customers["forecast"], margin=0.5, grades=None, seed=4, budget=300,
        capacities={"phone": 25}, customers=customers["id"], offers={
            "mail": {"channel": "post", "contact_cost": 1.0, "response": 0.05},
            "call": {"channel": "phone", "contact_cost": 4.0, "response": 0.3},
        },
    )  # fmt: skip
    written = pd.read_csv(out, dtype={"customer": str})
    pd.testing.assert_frame_equal(written, plan, check_dtype=False)
    assert (written["group"] == "treat")[written["channel"] == "phone"].sum() == 25
    assert plan_totals(plan).round(4).to_string(index=False) in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--capacity", "phone"], "--capacity is CHANNEL=CONTACTS"),
        (["--capacity", "fax=3"], "no offer goes by this channel"),
        (["--customer", "nobody"], "has no column 'nobody'"),
        (["--customer", "region"], "'region' names customers who came before"),
        (["--budget", "-5"], "budget=-5.0 must be 0 or more"),
        (["--contact-cost", "x"], "value"),
    ],
)
def test_wrong_options_of_offers_are_named(offer_files, monkeypatch, capsys, options, words):
    value = [] if "--contact-cost" in options else ["--value", "forecast"]
    code, _, errors = run(
        monkeypatch, capsys, "offers", offer_files / "customers.csv", "--offers",
        offer_files / "offers.csv", *value, *options,
    )  # fmt: skip
    assert code != 0
    assert words in errors
