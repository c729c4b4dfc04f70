"""What to do is said in the words of the reader's trade, or in his own."""

from __future__ import annotations

import json
import re
import sys

import pandas as pd
import pytest

from custvalue import _cli_page, cli
from custvalue.exceptions import DataContractError
from custvalue.lifecycle import playbook
from custvalue.report import make_report
from custvalue.report._collect import GRADES
from custvalue.report._facts import STAGES
from custvalue.report._playbooks import PLAYS, TRADES, playbook_of
from custvalue.report._words import Words

# what belongs between companies, in both languages
B2B = re.compile(
    r"joint|conflict|dispute|trial order|rival|account team|tender|"
    r"key account|decision maker|supplier|共同开发|共同项目|冲突|争议|"
    r"试订货|订货|拜访|竞争|招标|供应商|客户团队"
)
OTHERS = [trade for trade in TRADES if trade != "b2b"]


def texts(book):
    stages = [text for pair in book.stages.values() for text in pair]
    return [*book.segments.values(), *stages, *book.silence.values()]


@pytest.mark.parametrize("trade", TRADES)
def test_every_segment_stage_and_grade_has_advice_in_both_languages(trade):
    book = playbook_of(trade)
    assert set(book.stages) == set(STAGES)
    assert set(book.silence) == set(GRADES)
    assert set(book.segments) == set(PLAYS["shop"]["segments"])
    for text in texts(book):
        assert Words("en").advice(text) == text
        assert re.search(r"[\u4e00-\u9fff]", Words("zh").advice(text)), text


@pytest.mark.parametrize("trade", OTHERS)
def test_no_shop_or_charity_is_told_what_companies_do_to_each_other(trade):
    for text in texts(playbook_of(trade)):
        for language in ("en", "zh"):
            said = Words(language).advice(text)
            assert B2B.search(said) is None, said


def test_companies_get_the_messages_of_the_source():
    source = playbook().set_index("stage")
    for stage, row in source.iterrows():
        assert playbook_of("b2b").stage(stage) == (row["value_message"], row["next_step"])


def test_the_command_line_names_the_trades_that_there_are():
    assert _cli_page.TRADES == TRADES


@pytest.fixture(scope="module")
def shop_log():
    day = pd.Timestamp("2024-01-01")
    rows = [
        (f"c{k}", day + pd.Timedelta(days=(11 * k + gap) % 360), 10.0 + k)
        for k in range(40)
        for gap in range(0, 20 * (1 + k % 5), 20)
    ]
    return pd.DataFrame(rows, columns=["who", "day", "paid"])


CALL = {"customer": "who", "time": "day", "amount": "paid", "as_of": "2025-01-31"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_of_a_grocer_says_his_words_and_no_companys(shop_log, law_alone, language):
    made = make_report(shop_log, **CALL, playbook="grocery", language=language, models=law_alone)
    book, words = playbook_of("grocery"), Words(language)
    page = re.sub(r"<(style|script)>.*?</\1>", "", made.html, flags=re.S)
    for row in made.facts["segments"]:
        assert row["advice"] == book.segment(row["segment"])
        assert words.advice(row["advice"]).replace("'", "&#39;") in page
    for row in made.facts["quiet"]["grades"]:
        assert words.advice(book.grade(row["grade"])).replace("'", "&#39;") in page
    for row in made.facts["stages"]["rows"]:
        assert words.advice(row["step"]).replace("'", "&#39;") in page
    assert not re.search("joint project|conflict|trial order|共同开发|冲突|试订货", page)
    assert not made.customers["next_stage_wants"].str.contains("joint").any()


def test_own_words_stand_on_the_page_as_they_are(shop_log, law_alone):
    own = {
        "trade": "donations",
        "segments": {"champions": "Ring {twice} & <b>sing</b>."},
        "active": "Laat hen met rust.",
        "core": {"message": "Danke", "step": "Anrufen"},
        "established": "Nur Brief",
    }
    book = playbook_of(own)
    assert book.segment("champions") == "Ring {twice} & <b>sing</b>."
    assert book.stages["core"] == ("Danke", "Anrufen")
    assert book.stages["established"] == (
        PLAYS["donations"]["stages"]["established"][0],
        "Nur Brief",
    )
    assert book.grade("silent") == PLAYS["donations"]["silence"]["silent"]
    made = make_report(shop_log, **CALL, playbook=own, models=law_alone, language="zh")
    assert "Laat hen met rust." in made.html
    if (made.customers["segment"] == "champions").any():
        assert "Ring {twice} &amp; &lt;b&gt;sing&lt;/b&gt;." in made.html


FILES = {
    "own.json": json.dumps({"champions": "Hello.", "core": {"step": "Call."}}),
    "own.toml": 'champions = "Hello."\n[stages.core]\nstep = "Call."\n',
    "own.csv": "name,advice\nchampions,Hello.\ncore,Call.\n",
}


@pytest.mark.parametrize("name", FILES)
def test_three_kinds_of_file_say_the_same(tmp_path, name):
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8")
    book = playbook_of(path, "grocery")
    assert book.segment("champions") == "Hello."
    assert book.stages["core"] == (PLAYS["grocery"]["stages"]["core"][0], "Call.")
    assert book.segment("lost") == PLAYS["grocery"]["segments"]["lost"]
    assert playbook_of(str(path)).segment("lost") == PLAYS["shop"]["segments"]["lost"]


def test_names_are_understood_in_chinese_too(tmp_path):
    path = tmp_path / "own.csv"
    rows = "name,advice,message\n冠军客户,致谢,\n核心客户,致电,您最重要\n"
    path.write_bytes(rows.encode("utf-8-sig"))
    book = playbook_of(path)
    assert book.segment("champions") == "致谢"
    assert book.stages["core"] == ("您最重要", "致电")


@pytest.mark.parametrize(
    ("own", "code", "says"),
    [
        ({"champion": "x", "core": "y"}, "unknown-key", "champions"),
        ({"stages": {"champions": "x"}}, "unknown-key", "stages: "),
        ({"champions": "  "}, "no-advice", "'champions'"),
        ({"core": {"do": "x"}}, "no-advice", "'core'"),
        ({"champions": 3}, "no-advice", "'champions'"),
        ({"champions": "x", "冠军客户": "y"}, "repeated-key", "冠军客户"),
    ],
)
def test_names_and_texts_that_are_none_are_refused_with_the_legal_ones(own, code, says):
    with pytest.raises(DataContractError) as caught:
        make_report(None, customer="c", time="t", amount="a", playbook=own)
    assert [p.code for p in caught.value.problems] == [code]
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", "[1]", "one object"),
        ("a.json", "{", "cannot be read"),
        ("a.json", '{"lost": "a", "lost": "b"}', "'lost' twice"),
        ("a.toml", "lost = ", "cannot be read"),
        ("a.csv", "segment,text\nlost,a\n", "'name' and 'advice'"),
        ("a.csv", "name,advice\nlost,a\nlost,b\n", "'lost' twice"),
        ("a.txt", "lost: a", "must end with"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, text, says):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataContractError, match=says):
        playbook_of(tmp_path / name)


def test_a_trade_that_is_none_is_refused():
    with pytest.raises(ValueError, match="neither a trade \\(shop, grocery"):
        playbook_of("bakery")
    with pytest.raises(ValueError, match="'bakery' is not known"):
        playbook_of({"trade": "bakery"})
    with pytest.raises(TypeError, match="not int"):
        playbook_of(3)


def test_the_command_line_takes_a_trade_a_file_and_a_title(tmp_path, monkeypatch, capsys, shop_log):
    shop_log.to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "own.toml").write_text('active = "Say hello."\n', encoding="utf-8")
    call = [
        "custvalue", "report", tmp_path / "log.csv", "--customer", "who", "--time", "day",
        "--amount", "paid", "--as-of", "2025-01-31", "--estimator", "law", "--trade", "grocery",
        "--playbook", tmp_path / "own.toml", "--title", "Our <shop>", "--out", tmp_path / "out",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", [*map(str, call)])
    assert cli.run() == 0, capsys.readouterr().err
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Say hello." in page
    assert "<h1>Our &lt;shop&gt;</h1>" in page
    assert any(text in page for text in PLAYS["grocery"]["silence"].values())
