"""The sales manager's page: its numbers, both languages, the command line."""

from __future__ import annotations

import re
import sys

import numpy as np
import pandas as pd
import pytest

from custvalue import cli
from custvalue._words import disagreements
from custvalue.funnel import FunnelChain
from custvalue.report import make_funnel_report, make_report

DAY0 = np.datetime64("2023-01-02")
AS_OF = "2024-03-31"


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(2)
    rows = []
    for deal in range(900):
        day = int(rng.integers(0, 450))
        rep, amount = f"rep{deal % 3}", float(rng.integers(50, 500))
        for stage in ("contract", "negotiation"):
            rows.append((deal, stage, day, amount, rep))
            day += int(rng.integers(6, 60))
            if rng.random() < 0.35:
                rows.append((deal, "lost", day, np.nan, rep))
                break
        else:
            if rng.random() < 0.8:
                rows.append((deal, "won", day, 0.9 * amount, rep))
    log = pd.DataFrame(rows, columns=["deal", "stage", "day", "amount", "rep"])
    log["time"] = DAY0 + log.pop("day").to_numpy()
    return log[log["time"] <= pd.Timestamp(AS_OF)]


def settings(**more):
    return FunnelChain(
        ["contract", "negotiation"], **{"horizon": "8W", "age_classes": 6, "by": "rep", **more}
    )


@pytest.fixture(scope="module")
def made(events):
    return make_funnel_report(events, settings(), as_of=AS_OF, currency="USD", source="CRM")


def test_the_page_has_the_numbers_of_its_tables(made, events):
    total = made.pipeline.iloc[-1]
    assert total["deals"] == len(made.open_deals)
    assert made.open_deals["expected_money"].sum() == pytest.approx(total["expected_money"])
    assert made.forecast["money_open"].sum() >= total["expected_money"]  # undiscounted
    assert f"{int(total['deals']):,}" in made.html
    assert f"USD {total['expected_money']:,.0f}" in made.html
    assert made.ledger["rows_in"] == len(events)
    assert made.text.startswith(f"{len(made.open_deals)} open deals")
    assert len(made.backtest.table) == 12


def test_the_chinese_page_has_no_english_sentence(events):
    page = make_funnel_report(events, settings(expire="26W"), as_of=AS_OF, language="zh").html
    body = re.sub(r"<(style|script|title).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
    left = set(re.findall(r"[A-Za-z]{4,}", body))
    assert left <= {"custvalue", "Brier", "skip"}, left
    assert "未来8 周预期赢单" in body
    assert "停留超过26 周" in body


def test_a_funnel_without_money_or_losses_still_has_a_page(events):
    log = events[events["stage"] != "lost"].drop(columns="amount")
    page = make_funnel_report(log, settings(by=None), as_of=AS_OF)
    assert "no deal was ever seen lost" in page.html
    assert page.backtest is not None
    assert "face value" not in page.html


def test_days_stand_right_as_numbers_do_and_what_never_ends_sorts_last():
    from custvalue.report._blocks import table
    from custvalue.report._words import Words

    columns = [("stage", "Stage", "text"), ("median_days", "Median days", "int")]
    rows = [{"stage": "a", "median_days": 12.4}, {"stage": "b", "median_days": np.inf}]
    made = table("t", "", columns, rows, Words("en"))
    assert [head["kind"] for head in made["columns"]] == ["text", "number"]
    assert [row[1]["text"] for row in made["rows"]] == ["12", "∞"]
    assert made["rows"][1][1]["sort"] == "Infinity"


def test_the_page_of_stages_has_its_days_among_the_numbers(made):
    start = made.html.index('id="funnel-stages"')
    head = made.html[start : made.html.index("</thead>", start)]
    assert re.search(r'class="number"><button[^>]*>Median days', head)


def test_a_sign_is_a_minus_and_nothing_has_none():
    from custvalue.report._words import Words

    w = Words("en")
    assert [w.cell(x, "number") for x in (-1.5, -0.001, 0.25)] == ["−1.50", "0.00", "0.25"]
    assert [w.cell(x, "share") for x in (-0.2, 0.0, 0.05)] == ["−20 %", "0 %", "5.0 %"]
    assert w.cell(0.1234, "fine") == "0.123"


def test_every_sentence_has_the_same_numbers_in_chinese():
    from custvalue._words import REPORT

    for english, chinese in REPORT.zh.items():
        holes = [sorted(re.findall(r"\{(\w*)", text)) for text in (english, chinese)]
        assert holes[0] == holes[1], english


def test_a_forecast_that_the_past_contradicts_is_called_so(events):
    # sales dry up: what was won before is no guide to the last months
    last = events["time"] > pd.Timestamp("2023-10-01")
    dry = events[~(last & (events["stage"] == "won"))]
    funnel = settings(by=None, observed_from="2023-01-02")
    made = make_funnel_report(dry, funnel, as_of=AS_OF)
    english = made.html
    warned = english.index("it promised too much. Read it as an upper end")
    assert warned < english.index("Expected money, next")  # before the figure that it speaks of
    assert "80 % range USD" not in english
    assert "it promised too much" in made.text
    assert "预测偏高" in make_funnel_report(dry, funnel, as_of=AS_OF, language="zh").html


def test_a_page_needs_a_horizon(events):
    with pytest.raises(ValueError, match="needs a horizon"):
        make_funnel_report(events, settings(horizon=None), as_of=AS_OF)


def test_the_customer_report_shows_deals_where_they_are_given(events, cdnow_sample, law_alone):
    how = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}
    moved = events.assign(time=events["time"] - pd.Timedelta("9679D"))
    page = make_report(cdnow_sample, **how, deals=(moved, settings()), models=law_alone).html
    assert 'id="funnel-stages"' in page
    assert page.index('id="funnel"') < page.index('id="ledger"')


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["custvalue", *map(str, arguments)])
    return cli.run()


def test_the_command_line_writes_page_tables_and_ledger(events, tmp_path, monkeypatch, capsys):
    path, out = tmp_path / "events.csv", tmp_path / "out"
    events.to_csv(path, index=False)
    code = run(monkeypatch, "funnel", path, "--stages", "contract,negotiation", "--horizon", "8W",
               "--by", "rep", "--as-of", AS_OF, "--out", out)  # fmt: skip
    said = capsys.readouterr()
    assert code == 0, said.err
    assert {p.name for p in out.iterdir()} == {
        "funnel.html", "open_deals.csv", "stages.csv", "pipeline.csv", "forecast.csv",
        "overdue.csv", "backtest.csv", "ledger.json",
    }  # fmt: skip
    assert "open deals" in said.out


def test_the_command_line_reads_one_row_a_deal(tmp_path, monkeypatch, capsys):
    n = 200
    crm = pd.DataFrame({"id": [f"{k:03d}" for k in range(n)], "engaged": DAY0 + np.arange(n)})
    crm["closed"] = crm["engaged"] + pd.to_timedelta(14 + np.arange(n) % 50, unit="D")
    crm["status"] = np.where(np.arange(n) % 3 == 0, "Lost", "Won")
    is_open = crm["closed"] > "2023-07-20"
    crm.loc[is_open, ["closed", "status"]] = [pd.NaT, "Engaging"]
    crm["value"] = 100.0
    path, out = tmp_path / "deals.csv", tmp_path / "out"
    crm.to_csv(path, index=False)
    code = run(monkeypatch, "funnel", path, "--deal", "id", "--start", "engaged", "--close",
               "closed", "--outcome", "status", "--won", "Won", "--lost", "Lost", "--close-amount",
               "value", "--as-of", "2023-07-20", "--language", "zh", "--out", out)  # fmt: skip
    said = capsys.readouterr()
    assert code == 0, said.err
    deals = pd.read_csv(out / "open_deals.csv", dtype={"deal": str})
    assert len(deals) == is_open.sum()
    assert deals["deal"].str.len().eq(3).all()
    assert "在途机会点" in said.out


def test_bad_input_is_one_line_and_an_exit_code(events, tmp_path, monkeypatch, capsys):
    path = tmp_path / "events.csv"
    events.to_csv(path, index=False)
    assert run(monkeypatch, "funnel", path, "--stages", "contract") == 2
    said = capsys.readouterr().err
    assert "negotiation" in said
    assert said.count("\n") == 1
    assert run(monkeypatch, "funnel", path, "--start", "time") == 2
    assert "--close, --outcome" in capsys.readouterr().err


def test_words_agree_with_their_numbers_on_the_page(made):
    bare = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", made.html, flags=re.S)
    cells = re.sub(r"</t[dh]>|</d[dt]>", " | ", bare)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cells))
    assert disagreements(text) == []
