"""The page about perceived value: its numbers are the tables', in both languages."""

from __future__ import annotations

import html
import re
import sys

import numpy as np
import pandas as pd
import pytest

from custvalue import cli
from custvalue.report import make_report, make_survey_report
from custvalue.survey import PerceivedValue

pytestmark = pytest.mark.filterwarnings("ignore::custvalue.exceptions.FontWarning")
HOSTILE = "<script>alert(1)</script>"


def ratings(brands=("us", "A", "B"), waves=(1,)):
    random = np.random.default_rng(0)
    rows = []
    for wave in waves:
        for i in range(30):
            for b, brand in enumerate(brands):
                quality, price = np.clip(np.round(random.normal([4 - b, 3], 0.6)), 1, 5)
                rows.append(
                    {"id": i, "brand": brand, "value": quality, "price": price, "year": wave}
                )
    return pd.DataFrame(rows).assign(liking=lambda t: t["value"] + 0.5 * t["price"])


def fitted(table, **options):
    given = {"outcome": "liking", "weights": "derived", "respondent": "id", "scale": (1, 5)}
    given |= {"benefits": ["value"], "sacrifices": ["price"], "n_draws": 100}
    return PerceivedValue(**given | options).fit(table)


def words_of(page):
    text = re.sub(r"<(style|script|svg).*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def test_the_page_shows_the_numbers_of_its_tables():
    made = make_survey_report(fitted(ratings()), focal="us", against="B")
    text = words_of(made.html)
    for row in made.tables["value"].itertuples():
        assert f"{row.net_value:,.2f}" in text
    total = made.tables["gaps"]["contribution"].iloc[-1]
    assert f"{total:,.2f}" in text
    assert made.tables["gaps"]["contribution"][:-1].sum() == pytest.approx(total)
    assert "Highest net value: us" in made.summary[0]
    assert made.summary[-1] == "To claim, important and better than B: value."
    assert made.html.count("<svg") >= 2


def test_who_we_are_among_the_brands_is_said_where_we_are_not_the_first():
    made = make_survey_report(fitted(ratings()), focal="A", against="B")
    order = made.tables["value"].sort_values("net_value", ascending=False)["brand"].to_list()
    assert order == ["us", "A", "B"]
    row = made.tables["value"].set_index("brand").loc["A"]
    assert made.summary[1] == (
        f"A comes 2nd of 3 by net value, {row['net_value']:.0f} "
        f"({row['net_value_low']:.0f} to {row['net_value_high']:.0f})."
    )
    chinese = make_survey_report(fitted(ratings()), focal="A", against="B", language="zh")
    assert chinese.summary[1].startswith("A 的感知净值在 3 个品牌中列第 2，")
    assert "（重要且优于 B）：value" in chinese.summary[-1]  # letters stand apart from Chinese


def test_every_finding_leads_to_the_section_that_shows_it():
    page = make_survey_report(fitted(ratings()), focal="us", against="B").html
    links = re.findall(r'<li><a href="#([^"]+)">', page)
    assert links == ["perceived-value", "perceived-value", "compared"]
    assert set(links) <= set(re.findall(r'<section id="([^"]+)"', page))


def test_price_and_value_stand_in_two_tables_that_fit_the_page():
    page = make_survey_report(fitted(ratings()), focal="us").html
    for name, columns in (("map-table", 7), ("value-table", 8)):
        table = page[page.index(f'id="{name}"') :]
        assert table[: table.index("</thead>")].count("<button") == columns
    alone = make_survey_report(fitted(ratings(("us",)), weights="equal", quality_weight=0.6))
    assert "map-table" not in alone.html


def test_the_page_in_chinese_has_no_english_but_the_users_own():
    made = make_survey_report(
        fitted(ratings(waves=(1, 2)), wave="year"), focal="us", language="zh", source="问卷"
    )
    text = words_of(made.html)
    left = set(re.findall(r"[A-Za-z]{2,}", text))
    assert left <= {"us", "value", "price", "liking", "custvalue", "dev"}
    assert "value" in left  # a name of the user's own is not translated
    assert "可作价值主张（重要且优于其他品牌）：value。" in made.summary


def test_names_of_brands_are_text_and_never_code():
    made = make_survey_report(fitted(ratings((HOSTILE, "A"))), focal=HOSTILE, title=HOSTILE)
    assert HOSTILE not in made.html
    assert html.escape(HOSTILE, quote=False) in made.html


def test_without_a_focal_brand_none_is_compared_and_one_brand_has_no_map():
    assert set(make_survey_report(fitted(ratings())).tables) == {"value", "weights"}
    alone = fitted(ratings(("us",)), weights="equal", quality_weight=0.6)
    made = make_survey_report(alone, focal="us")
    assert "advantage" not in made.tables["value"]
    assert "gaps" not in made.tables


def test_an_unknown_brand_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"focal: 'uss' is no brand.*Did you mean 'us'"):
        make_survey_report(fitted(ratings()), focal="uss")


def test_the_report_of_a_log_gets_the_sections_where_ratings_are_given(cdnow_sample, law_alone):
    names = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}
    made = make_report(
        cdnow_sample, **names, ratings=fitted(ratings()), focal="us", models=law_alone
    )
    order = re.findall(r'<section id="([^"]+)"', made.html)
    assert order[-3:-1] == ["perceived-value", "compared"]
    assert order[-1] == "ledger"


# -- command line --


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["custvalue", "survey", *map(str, arguments)])
    return cli.run()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "ratings.csv"
    ratings().to_csv(path, index=False)
    return path


CALL = ["--benefit", "value", "--sacrifice", "price", "--respondent", "id", "--outcome", "liking",
        "--weights", "derived"]  # fmt: skip


def test_the_command_writes_the_page_and_the_tables(file, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    assert run(monkeypatch, file, *CALL, "--scale", 1, 5, "--focal", "us", "--out", out) == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "gaps.csv",
        "ledger.json",
        "propositions.csv",
        "survey.html",
        "value.csv",
        "weights.csv",
    ]
    wanted = fitted(ratings(), n_draws=1000).value_map_table()
    written = pd.read_csv(out / "value.csv", keep_default_na=False)
    assert written["net_value"].to_list() == pytest.approx(wanted["net_value"].to_list())
    assert written["advantage_low"].to_list() == pytest.approx(wanted["advantage_low"].to_list())
    assert "Highest net value: us" in capsys.readouterr().out


def test_what_is_worth_a_note_is_told_once_on_one_line(tmp_path, monkeypatch, capsys):
    path = tmp_path / "few.csv"
    ratings().query("id < 5").to_csv(path, index=False)
    assert run(monkeypatch, path, *CALL, "--scale", 1, 5, "--out", tmp_path / "out") == 0
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if "fewer than 20 answers" in line] == [
        "custvalue: note: fewer than 20 answers in us (5), A (5), B (5): intervals are wide."
    ]
    assert not any("Warning" in line for line in told)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--scale", 1, 4], "outside the scale 1 to 4: 5"),
        (["--scale", 1, 5, "--brand", "shop"], "no column 'shop'"),
        (["--scale", 1, 5, "--against", "A"], "--against needs --focal"),
        (["--scale", 1, 5, "--focal", "C"], "'C' is no brand"),
        ([], "Missing option '--scale'"),
    ],
)
def test_bad_calls_are_one_line_of_error(file, tmp_path, monkeypatch, capsys, more, says):
    assert run(monkeypatch, file, *CALL, *more, "--out", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
