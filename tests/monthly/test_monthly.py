"""A month: fit once, score, compare; what adds up, what is refused, what a file may hold."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue import cli
from custvalue._portable import checksum
from custvalue.exceptions import (
    ArtefactError,
    DataContractError,
    NotSupportedError,
    TimeUnitError,
)
from custvalue.monthly import Artefact, compare, fit, read_scores, score, write_scores
from custvalue.purchase import MBGNBD
from custvalue.spend import OwnMean

COLUMNS = {"customer": "customer_id", "time": "date", "amount": "amount"}
PARTS = ["orders", "silence", "spend", "peers", "model"]


@pytest.fixture(scope="module")
def log(cdnow_sample):
    return cv.TransactionLog(cdnow_sample, **COLUMNS, as_of="1998-06-30")


@pytest.fixture(scope="module")
def before(log):
    return log.until("1997-06-30")


def law():
    return cv.CustomerValue(purchases=MBGNBD(), spend=OwnMean())


@pytest.fixture(scope="module")
def made(before):
    return fit(before, law(), horizon="26W")


@pytest.fixture(scope="module")
def anew(log):
    return fit(log.until("1997-09-30"), law(), horizon="26W")


@pytest.fixture(scope="module")
def then(made, before):
    return score(made, before.summary("D"))


@pytest.fixture(scope="module")
def now(made, log):
    return score(made, log.until("1997-09-30").summary("D"))


# ---- the artefact --------------------------------------------------------------------------------


def test_an_artefact_says_what_was_seen_and_holds_no_customer(made, before):
    summary = before.summary("D")
    assert (made.as_of, made.n_customers) == ("1997-06-30", len(summary))
    assert made.n_orders == summary["n_orders"].sum()
    assert made.ranges["frequency"] == (0.0, summary["frequency"].max())
    assert made.value == pytest.approx(made.model.predict(summary).sum())
    assert [one["name"] for one in made.schema()][:4] == [
        "customer_id",
        "frequency",
        "recency",
        "T",
    ]
    text = json.dumps(made.to_dict())
    assert len(text) < 10_000
    numbers = {float(word) for word in re.findall(r"-?\d+\.\d+(?:e-?\d+)?", text)}
    means = {value for value in summary["mean_value"].tolist() if value % 1}
    assert len(means & numbers) <= 11  # nine cuts and two ends


def test_the_same_data_in_another_order_have_the_same_hash(made, before, cdnow_sample):
    other = cv.TransactionLog(
        cdnow_sample.sample(frac=1.0, random_state=3), **COLUMNS, as_of="1997-06-30"
    )
    assert fit(other, law(), horizon="26W").data == made.data
    less = cv.TransactionLog(cdnow_sample.iloc[1:], **COLUMNS, as_of="1997-06-30")
    assert fit(less, law(), horizon="26W").data != made.data


def test_an_artefact_comes_back_from_its_file_and_scores_the_same(made, before, then, tmp_path):
    again = Artefact.open(made.write(tmp_path / "model.json"))
    assert again.name == made.name
    pd.testing.assert_frame_equal(score(again, before.summary("D")), then)


def test_old_artefacts_reopen():
    held = json.loads((Path(__file__).parents[1] / "reference" / "monthly.json").read_text("utf-8"))
    for one in held:
        again = Artefact.from_dict(one["plain"])
        rows = pd.DataFrame(one["rows"])
        assert again.model.predict(rows) == pytest.approx(one["values"], rel=1e-9)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": 9}, "schema 9; this version reads 2"),
        ({"model": "MBGNBD"}, "holds 'MBGNBD', not Artefact"),
        ({"n_customers": 7}, "the checksum does not fit"),
        ({"n_customers": "7", "checksum": None}, "n_customers must be a finite number"),
        ({"log": {"customer": "a", "time": "b", "amount": "c", "refunds": "all"}, "checksum": None},
         "refunds='all' must be one of"),
        ({"log": {"customer": "a"}, "checksum": None}, "artefact is broken"),
        ({"as_of": "someday", "checksum": None}, "artefact is broken"),
        ({"shares": {"T": {"cuts": [2, 1], "shares": [0.5, 0.5, 0]}}, "checksum": None},
         "shares do not fit their cuts"),
        ({"more": 1, "checksum": None}, "has more, which does not belong there"),
        ({"fitted": {"run": "me"}, "checksum": None}, "artefact"),
    ],
)  # fmt: skip
def test_a_changed_or_newer_artefact_is_refused_by_name(made, tmp_path, change, says):
    plain = {**made.to_dict(), **change}
    if "checksum" in change:
        plain["checksum"] = checksum(plain)
    (tmp_path / "model.json").write_text(json.dumps(plain))
    with pytest.raises(ArtefactError, match=says) as told:
        Artefact.open(tmp_path / "model.json")
    assert str(told.value).startswith("model.json: ")


def test_a_cut_file_is_refused(made, tmp_path):
    path = made.write(tmp_path / "model.json")
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(ArtefactError, match="or was cut"):
        Artefact.open(path)


# ---- scores --------------------------------------------------------------------------------------


def test_scores_are_what_the_model_says_of_each_row(made, before, then):
    summary = before.summary("D")
    assert then["value"].tolist() == made.model.predict(summary).tolist()
    assert then["chance"].tolist() == made.model.predict_chance(summary).tolist()
    assert (then["low"] <= then["value"]).all()
    assert (then["value"] <= then["high"]).all()
    assert then["customer_id"].tolist() == summary["customer_id"].tolist()
    pd.testing.assert_frame_equal(score(made, before), then)  # a log, and its summary


def test_a_batch_is_each_row_alone(made, before, then):
    summary = before.summary("D")
    for i in (0, 7, 400):
        one = summary.iloc[[i]]
        one.attrs = summary.attrs
        assert score(made, one)["value"].tolist() == pytest.approx([then["value"][i]], rel=1e-12)


def test_every_row_has_its_status(made, before, log):
    summary = before.summary("D")
    rows = summary.head(5).copy()
    rows.attrs = summary.attrs
    rows.loc[0, ["frequency", "recency"]] = [2, 0.0]  # repeats, and no time between
    rows.loc[1, "mean_value"] = 1e6
    rows.loc[2, ["frequency", "recency"]] = [0, 0.0]
    rows.loc[3, ["frequency", "recency", "T"]] = [1, 30.0, 60.0]
    rows.loc[4, "first_order"] = np.datetime64("1997-07-04")
    found = score(made, rows)
    assert found["status"].tolist() == [
        "bad_input", "out_of_training_range", "one_order", "ok", "new_customer"
    ]  # fmt: skip
    assert found["value"].isna().tolist() == [True, False, False, False, False]


def test_scores_come_back_from_their_file(then, tmp_path):
    again = read_scores(write_scores(then, tmp_path / "then.parquet"))
    pd.testing.assert_frame_equal(again, then)
    assert again.attrs == then.attrs
    raw = (tmp_path / "then.parquet").read_bytes()
    (tmp_path / "then.parquet").write_bytes(raw[:-200])
    with pytest.raises(DataContractError, match="was cut"):
        read_scores(tmp_path / "then.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "then.parquet")
    with pytest.raises(DataContractError, match="holds no scores but a table"):
        read_scores(tmp_path / "then.parquet")


def test_a_table_that_cannot_be_scored_is_refused_with_the_reason(made, before, log):
    with pytest.raises(TimeUnitError, match="in W, and the artefact was fitted in D"):
        score(made, before.summary("W"))
    with pytest.raises(DataContractError, match="ends on 1997-05-31, before the artefact's own"):
        score(made, log.until("1997-05-31").summary("D"))
    summary = before.summary("D")
    twice = pd.concat([summary, summary.head(2)])
    twice.attrs = summary.attrs
    with pytest.raises(DataContractError, match="in more than one row"):
        score(made, twice)
    with pytest.raises(DataContractError, match="'recency'"):
        score(made, summary.drop(columns="recency"))
    bare = summary.copy()
    bare.attrs = {}
    with pytest.raises(DataContractError, match="does not say its unit"):
        score(made, bare)


def test_a_model_of_logs_needs_one(before):
    made = fit(before, cv.evaluation.BestValue({"chain": cv.MarkovCLVEstimator()}), horizon="26W")
    assert not made.reads_summary
    with pytest.raises(NotSupportedError, match="needs the log"):
        score(made, before.summary("D"))
    assert score(made, before)["value"].sum() == pytest.approx(made.value)


# ---- two months ----------------------------------------------------------------------------------


def test_parts_of_each_customer_and_of_all_add_up(made, then, now):
    found = compare(then, now, artefact=made)
    rows = found.customers
    assert rows["change"].tolist() == (rows["value_now"] - rows["value_then"]).tolist()
    stayed = rows[rows["move"] == "stayed"]
    assert stayed[PARTS].sum(axis=1).to_numpy() == pytest.approx(stayed["change"], abs=1e-9)
    value = found.bridge()["value"].to_numpy()
    assert value[:-1].sum() == pytest.approx(value[-1])
    assert value[0] == pytest.approx(then["value"].sum())
    assert value[-1] == pytest.approx(now["value"].sum())
    assert set(rows["customer_id"]) == {*then["customer_id"], *now["customer_id"]}
    assert rows["change"].abs().is_monotonic_decreasing


def test_what_came_is_what_the_log_has_between(made, log, then, now):
    found = compare(then, now, artefact=made).came
    between = log.between(np.datetime64("1997-06-30"), np.datetime64("1997-09-30"))
    assert found.came == pytest.approx(between.totals(then["customer_id"].to_numpy())[0].sum())
    plain = law().set_params(horizon="92D").fit(log.until("1997-06-30").summary("D"))
    assert found.said == pytest.approx(plain.predict(log.until("1997-06-30").summary("D")).sum())
    assert found.groups["actual_total"].sum() == pytest.approx(found.came)


def test_a_new_model_is_a_part_of_its_own(made, anew, then, log):
    later = score(anew, log.until("1997-09-30").summary("D"))
    found = compare(then, later, artefact=made, refitted=anew)
    rows = found.customers[found.customers["move"] == "stayed"].set_index("customer_id")
    past = log.until("1997-06-30").summary("D").set_index("customer_id").loc[rows.index]
    says = anew.model.predict(past.reset_index().assign())
    assert rows["model"].to_numpy() == pytest.approx(says - rows["value_then"], abs=1e-9)
    value = found.bridge().set_index("part")["value"]
    assert value[:-1].sum() == pytest.approx(value["value now"])
    assert "the new model" in value.index
    # without it the scores are of two models all the same, and no row says that it moved nothing
    alone = compare(then, later, artefact=made)
    assert "the new model" not in alone.bridge()["part"].tolist()
    assert alone.bridge()["value"][:-1].sum() == pytest.approx(value["value now"])
    assert "The scores are of two models" in alone.text()
    assert "两次评分来自不同模型" in alone.text("zh")
    assert "two models" not in found.text()


def test_nothing_that_moved_says_keep_and_a_collapse_says_refit(made, then):
    later = then.copy()
    later.attrs = json.loads(json.dumps(then.attrs))
    later.attrs["custvalue"]["as_of"] = "1997-07-28"
    quiet = compare(then, later, artefact=made)
    assert quiet.advice == "refit"  # nothing came at all
    assert quiet.reasons[0][0] == "Nothing came of what was expected."
    came = later.copy()
    came.attrs = later.attrs
    came["total_value"] += compare(then, later, artefact=made).came.said / len(then)
    assert compare(then, came, artefact=made).advice == "keep"
    assert compare(then, came, artefact=made).reasons[0][0].startswith("Nothing is beyond chance")
    alone = compare(then, came)  # without the artefact nothing is held to what came
    assert alone.advice == "keep"
    assert "not held to what was expected" in alone.text()
    assert "未与预期对照" in alone.text("zh")
    dear = came.copy()
    dear.attrs = later.attrs
    dear["mean_value"] *= 3
    assert compare(then, dear, artefact=made).advice == "refit"


def test_who_is_gone_is_said_and_counts(made, then, now):
    some = now.iloc[100:].copy()
    some.attrs = now.attrs
    found = compare(then, some, artefact=made)
    gone = set(then["customer_id"]) - set(some["customer_id"])
    rows = found.customers[found.customers["move"] == "gone"]
    assert set(rows["customer_id"]) == gone
    there = then[then["customer_id"].isin(gone)]
    assert -rows["change"].sum() == pytest.approx(there["value"].sum())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"as_of": "1997-06-30"}, "now is of 1997-06-30, which is not after then"),
        ({"horizon": "52W"}, "then was scored with horizon='26W', now with '52W'"),
        ({"unit": "W"}, "then is in D, now in W"),
        ({"customer": "who"}, "'who'"),
        ({"kind": "summary"}, "now is a summary"),
        ({"artefact": "other"}, "refitted is .*, but now was scored by other"),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(made, then, now, change, says):
    other = now.copy()
    other.attrs = json.loads(json.dumps(now.attrs))
    held = other.attrs["custvalue"]
    for name, value in change.items():
        (held["extra"] if name in held["extra"] else held)[name] = value
    with pytest.raises((DataContractError, TimeUnitError), match=says):
        compare(then, other, artefact=made, refitted=made)


def test_words_are_chinese_where_they_are_asked_for(made, then, now):
    found = compare(then, now, artefact=made)
    assert found.text("zh").startswith("从 1997-06-30 到 1997-09-30（92 天）")
    assert "新客户" in found.bridge("zh")["组成"].tolist()
    assert found.to_dict("zh")["text"] == found.text("zh")


# ---- on the command line -------------------------------------------------------------------------


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["custvalue", *map(str, arguments)])
    return cli.run()


def test_a_month_on_the_command_line_gives_the_numbers_of_python(
    monkeypatch, tmp_path, capsys, cdnow_sample
):
    monkeypatch.chdir(tmp_path)
    frame = cdnow_sample[cdnow_sample["customer_id"] % 4 == 0]
    text = frame.assign(amount=[f"{a:.2f}".replace(".", ",") for a in frame["amount"]])
    text[text["date"] <= "1998-03-31"].to_csv("old.csv", index=False, sep=";")
    text.to_csv("all.csv", index=False, sep=";")
    columns = ["--customer", "customer_id", "--time", "date", "--amount", "amount"]
    words = [*columns, "--decimal", ",", "--as-of", "1998-03-31", "--horizon", "26W"]
    assert run(monkeypatch, "fit", "old.csv", *words, "--summary", "old.parquet") == 0
    said = capsys.readouterr().out
    assert "wrote model.json, old.parquet" in said
    assert run(monkeypatch, "fit", "old.csv", *words) == 2  # nobody's file is lost
    assert "--force replaces it" in capsys.readouterr().err
    assert run(monkeypatch, "score", "old.parquet", "--model", "model.json") == 0
    # the artefact knows how its log was read
    model = ["--model", "model.json", "--as-of", "1998-03-31", "--out", "log.parquet"]
    assert run(monkeypatch, "score", "old.csv", *model) == 0
    then = read_scores("scores.parquet")
    pd.testing.assert_frame_equal(then, read_scores("log.parquet"))
    model = ["--model", "model.json", "--as-of", "1998-06-30", "--out", "now.parquet"]
    assert run(monkeypatch, "score", "all.csv", *model) == 0
    capsys.readouterr()
    words = ["scores.parquet", "now.parquet", "--model", "model.json", "--out", "moved.csv"]
    assert run(monkeypatch, "compare", *words) == 0
    said = capsys.readouterr().out
    made = Artefact.open("model.json")
    assert set(made.verdict) == {"overall", "budget", "list", "customer"}
    found = compare(then, read_scores("now.parquet"), artefact=made)
    assert found.text() in said
    again = pd.read_csv("moved.csv", float_precision="round_trip")
    assert again["change"].tolist() == found.customers["change"].tolist()
    log = cv.TransactionLog(frame, **COLUMNS, as_of="1998-03-31", tell_end=True)
    assert then["value"].to_numpy() == pytest.approx(score(made, log)["value"].to_numpy())

    Path("model.json").write_text("{")
    assert run(monkeypatch, "compare", *words[:-1], "more.csv") == 2
    assert "no artefact, or was cut" in capsys.readouterr().err
    assert not Path("more.csv").exists()


def test_a_month_appended_is_a_month_summarized(monkeypatch, tmp_path, capsys, cdnow_sample):
    monkeypatch.chdir(tmp_path)
    frame = cdnow_sample[cdnow_sample["customer_id"] % 8 == 0]
    for name, rows in (
        ("old", frame["date"] <= "1998-05-31"),
        ("new", frame["date"] > "1998-05-31"),
    ):
        frame[rows].to_csv(f"{name}.csv", index=False)
    columns = ["--customer", "customer_id", "--time", "date", "--amount", "amount"]
    words = [*columns, "--as-of", "1998-05-31", "--horizon", "13W", "--estimator", "rate"]
    assert run(monkeypatch, "fit", "old.csv", *words, "--summary", "all.parquet") == 0
    model = ["--model", "model.json"]
    june = ["update", "all.parquet", "new.csv", *model, "--as-of", "1998-06-30", "--batch", "june"]
    assert run(monkeypatch, *june) == 0
    first = Path("all.parquet").read_bytes()
    capsys.readouterr()
    assert run(monkeypatch, *june) == 0  # a batch is appended once
    assert "is in all.parquet already" in capsys.readouterr().out
    assert Path("all.parquet").read_bytes() == first
    assert run(monkeypatch, "score", "all.parquet", *model) == 0
    log = cv.TransactionLog(frame, **COLUMNS, as_of="1998-06-30", tell_end=True)
    wanted = score(Artefact.open("model.json"), log.summary("D"))
    pd.testing.assert_frame_equal(read_scores("scores.parquet"), wanted)
    # rows that were there already are refused, and nothing is lost
    assert run(monkeypatch, *june[:-1], "again") == 2
    assert "before-as-of" in capsys.readouterr().err
    assert Path("all.parquet").read_bytes() == first


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_has_a_chapter_on_what_changed(made, then, now, language):
    from custvalue.report._changed import changed_section
    from custvalue.report._words import Words

    found = compare(then, now, artefact=made)
    made_section = changed_section(found, Words(language))
    assert made_section["lead"] == found.text(language)
    bridge, came, movers, drift, _ = made_section["blocks"]
    assert [row[-1]["sort"] for row in bridge["rows"]] == found.bridge()["value"].tolist()
    assert len(came["rows"]) == len(found.came.groups)
    assert [row[0]["text"] for row in movers["rows"]] == [
        str(one) for one in found.movers(10)["customer_id"]
    ]
    assert len(drift["rows"]) == 6
    with pytest.raises(TypeError, match=r"what custvalue\.monthly\.compare returns"):
        changed_section(then, Words(language))


def test_the_command_makes_the_chapter(monkeypatch, tmp_path, capsys, made, then, cdnow_sample):
    monkeypatch.chdir(tmp_path)
    cdnow_sample.to_csv("log.csv", index=False)
    made.write("model.json")
    write_scores(then, "then.parquet")
    taken = {}

    def make_report(log, **asked):
        taken.update(asked)
        raise ValueError("enough")

    monkeypatch.setattr("custvalue.report.make_report", make_report)
    columns = ["--customer", "customer_id", "--time", "date", "--amount", "amount"]
    words = ["report", "log.csv", *columns, "--as-of", "1997-09-30", "--earlier", "then.parquet"]
    assert run(monkeypatch, *words, "--earlier-model", "model.json") == 2
    assert (taken["changed"].then, taken["changed"].now) == ("1997-06-30", "1997-09-30")
    capsys.readouterr()
    assert run(monkeypatch, *words) == 2
    assert "go together" in capsys.readouterr().err
