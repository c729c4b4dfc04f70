"""The report of a dirty log: every row and every penny has its line."""

from __future__ import annotations

import pytest

from custvalue.report import make_report


def test_the_ledger_of_a_dirty_log_adds_up_on_the_page(online_retail, law_alone):
    made = make_report(
        online_retail,
        customer="CustomerID",
        time="InvoiceDate",
        amount="amount",
        as_of="2011-12-09",
        refunds="net_occasion",
        horizon="26W",
        currency="£",
        models=law_alone,
    )
    book = made.ledger
    assert book["rows_in"] == 541_909
    assert book["rows_in"] == book["rows_used"] + sum(d["rows"] for d in book["dropped"])
    total = book["amount_used"] + sum(d["amount"] for d in book["dropped"])
    assert total == pytest.approx(book["amount_in"])
    assert book["amount_in"] == pytest.approx(9_747_747.934)
    assert len(made.customers) == book["customers"]
    assert made.customers["total_value"].sum() == pytest.approx(book["amount_used"])
    for text in ("−135,080", "−7,606"):
        assert text in made.html
    assert "left out: no customer id" in made.html
    assert all(row["gini"] > 0.7 for row in made.facts["forecast"]["dates"])
