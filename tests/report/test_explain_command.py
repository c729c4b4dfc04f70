"""``custvalue explain``: one customer's story from a file, as a table and as a picture."""

from __future__ import annotations

import json
import sys

import pandas as pd
import pytest

from custvalue import cli
from custvalue.datasets import make_shop

CALL = ("--customer", "customer_id", "--time", "date", "--amount", "amount", "--as-of",
        "2023-12-31", "--estimator", "rate", "--horizon", "26W")  # fmt: skip


@pytest.fixture(scope="module")
def orders(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "orders.csv"
    rows = make_shop(n_customers=120, random_state=3).log
    rows.assign(customer_id="C" + rows["customer_id"].astype(str)).to_csv(path, index=False)
    return path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["custvalue", "explain", *map(str, arguments)])
    return cli.run()


def test_a_story_is_said_and_written_and_drawn(orders, monkeypatch, capsys, tmp_path):
    table, picture = tmp_path / "c.csv", tmp_path / "c.svg"
    more = ("--customer-id", "C7", "--since", "2023-06-30", "--out", table, "--picture", picture)
    assert run(monkeypatch, orders, *CALL, *more) == 0
    said = capsys.readouterr().out
    assert said.startswith("C7: value ")
    assert "What to do: " in said
    written = pd.read_csv(table)
    assert written["contribution"].iloc[:-1].sum() == pytest.approx(
        written["contribution"].iloc[-1]
    )
    assert written["change"].iloc[:-1].sum() == pytest.approx(written["change"].iloc[-1])
    assert picture.read_text("utf-8").startswith("<svg")
    assert run(monkeypatch, orders, *CALL, *more) == 2  # the files are there


def test_a_story_is_chinese_where_it_is_asked_for(orders, monkeypatch, capsys, tmp_path):
    out = tmp_path / "c.json"
    more = ("--customer-id", "C7", "--language", "zh", "--out", out)
    assert run(monkeypatch, orders, *CALL, *more) == 0
    assert capsys.readouterr().out.startswith("C7：今后26周的价值为")
    plain = json.loads(out.read_text("utf-8"))
    assert plain["mean"] + sum(plain["parts"].values()) == pytest.approx(plain["value"], abs=1e-9)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        (("--customer-id", "c7"), "Did you mean 'C7'?"),
        (("--customer-id", "C7", "--since", "soon"), "since='soon' is no date"),
        (("--customer-id", "C7", "--since", "2024-05-01"), "not before the log's end"),
        (("--customer-id", "C7", "--picture", "x.pdf"), "must end in .svg or .png"),
        (("--customer-id", "C7", "--margin", "30"), "margin"),
    ],
)
def test_wrong_input_is_one_line_of_error(orders, monkeypatch, capsys, more, text):
    assert run(monkeypatch, orders, *CALL, *more) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("custvalue: ")
    assert text in said


@pytest.mark.parametrize(("language", "trade"), [("en", "shop"), ("zh", "grocery")])
def test_what_to_do_is_what_the_report_of_the_same_log_says(
    orders, monkeypatch, capsys, tmp_path, language, trade
):
    from custvalue.evaluation import usual_parts
    from custvalue.report import make_report

    part = usual_parts()["law x own mean"]
    made = make_report(
        pd.read_csv(orders), customer="customer_id", time="date", amount="amount",
        as_of="2023-12-31", horizon="26W", models={"law x own mean": part}, playbook=trade,
        language=language,
    )  # fmt: skip
    told = {one["customer"]: one["advice"] for one in made.facts["stories"]}
    assert len({*told.values()}) > 2
    of_each = {advice: who for who, advice in told.items()}
    for advice, who in list(of_each.items())[:2]:
        out = tmp_path / f"{who}.json"
        call = [*CALL[:-4], "--estimator", "law", "--horizon", "26W", "--trade", trade]
        more = ("--customer-id", who, "--language", language, "--out", out)
        assert run(monkeypatch, orders, *call, *more) == 0
        assert json.loads(out.read_text("utf-8"))["advice"] == advice
        assert advice in capsys.readouterr().out
