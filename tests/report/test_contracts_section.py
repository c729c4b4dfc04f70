"""The section about subscriptions says what their table says, in both languages."""

from __future__ import annotations

import re

import click
import numpy as np
import pandas as pd
import pytest

from custvalue import cli
from custvalue.contracts import ContractValue, SubscriptionTable
from custvalue.report._contracts import contracts_section
from custvalue.report._words import Words


def book(n=300):
    rng = np.random.default_rng(2)
    start = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D")
    days = 20.0 + rng.exponential(1.0, n) / rng.gamma(0.8, 1.0 / 150.0, n)
    end = start + pd.to_timedelta(np.minimum(days.round(), 5000.0), unit="D")
    rows = pd.DataFrame({"who": np.arange(n), "from": start, "to": end, "fee": 9.5})
    return SubscriptionTable(
        rows, customer="who", start="from", end="to", money="fee", as_of="2023-06-30",
        future="open",
    )  # fmt: skip


def test_its_numbers_are_those_of_the_table():
    contracts = book()
    made = contracts_section(contracts, "52W", 0.1, Words("en", "USD"))
    tiles, table, _ = made["blocks"]
    last = contracts.bridge().iloc[-1]
    assert tiles["tiles"][0]["text"] == f"USD {last['closing']:,.0f}"
    assert tiles["tiles"][1]["text"] == f"{last['closing_customers']:,}"
    model = ContractValue(horizon="52W", annual_discount_rate=0.1)
    worth = model.fit(contracts.contracts(spells=True)).predict(contracts.contracts()).sum()
    assert tiles["tiles"][3]["text"] == f"USD {worth:,.0f}"
    assert len(table["rows"]) == 12
    opening, *moves, closing = (cell["sort"] for cell in table["rows"][-1][1:8])
    signs = [1, 1, 1, -1, -1]
    assert opening + np.dot(signs, moves) == pytest.approx(closing)


def test_chinese_has_no_english_left():
    made = contracts_section(book(), "52W", 0.1, Words("zh", "¥"))
    words = re.findall(r"[A-Za-z]{3,}", str([made["title"], made["lead"], made["blocks"][0],
                                             made["blocks"][2]["notes"]]))  # fmt: skip
    assert {*words} <= {"type", "tiles", "label", "text", "note"}


def test_where_too_little_was_seen_there_is_no_value():
    contracts = book().until("2022-01-15")
    made = contracts_section(contracts, "52W", 0.1, Words("en"))
    assert len(made["blocks"][0]["tiles"]) == 3
    with pytest.raises(TypeError, match="must be a SubscriptionTable, not DataFrame"):
        contracts_section(pd.DataFrame(), "52W", 0.1, Words("en"))


def test_the_command_reads_a_file_of_contracts(tmp_path):
    path = tmp_path / "contracts.csv"
    path.write_text("who,from,to,fee\n007,2024-01-01,2024-03-01,5\n8,2024-02-01,,7.5\n")
    asked = {"contracts": path, "encoding": None, "as_of": "2024-02-15"}
    names = "customer=who,start=from,end=to,money=fee"
    made = cli._contracts(asked, contract_columns=names, contract_period="M")
    assert made.customers().tolist() == ["007", "8"]
    assert made.bridge()["closing"].tolist() == [5.0, 12.5]
    with pytest.raises(click.UsageError, match="must say customer="):
        cli._contracts(asked, contract_columns="customer=who", contract_period="M")
