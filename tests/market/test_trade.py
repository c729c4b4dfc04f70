"""Trade records: the worked example, names, prices, prospects, and the public shipments."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from custvalue.exceptions import DataContractError, DataWarning, TimeUnitError
from custvalue.market import trade_profile
from custvalue.market._company_names import folded

ROWS = [
    ("K", "S1", "2023-01-10", 100, 1000.0), ("K", "S1", "2023-03-10", 120, 1200.0),
    ("K", "S1", "2023-05-10", 100, 1000.0), ("K", "S2", "2023-06-10", 80, 720.0),
    ("K", "S3", "2023-09-10", 100, 1100.0), ("L", "S2", "2023-02-01", 50, 475.0),
    ("L", "S2", "2023-05-01", 50, 475.0), ("L", "S2", "2023-08-01", 60, 600.0),
]  # fmt: skip
SHIPMENTS = pd.DataFrame(ROWS, columns=["buyer", "supplier", "on", "pieces", "paid"]).assign(
    what="bolt", harbour=["Ningbo"] * 5 + ["Shenzhen"] * 3
)
NAMES = {
    "buyer": "buyer", "supplier": "supplier", "product": "what", "time": "on",
    "quantity": "pieces", "value": "paid",
}  # fmt: skip


def profile(rows=SHIPMENTS, **options):
    return trade_profile(rows, **(NAMES | {"as_of": "2023-10-10"} | options))


def test_two_buyers_by_hand():
    table = profile().buyer_table().set_index("buyer")
    assert table["value"].to_dict() == {"K": 5020.0, "L": 1550.0}
    assert table["concentration"]["K"] == pytest.approx(0.474929, abs=6e-7)
    assert table["concentration"]["L"] == 1.0
    assert table["price_index"]["K"] == pytest.approx(1.008584, abs=6e-7)
    assert table["price_index"]["L"] == pytest.approx(0.973174, abs=6e-7)
    shares = profile().supplier_table("K").set_index("supplier")["share"]
    np.testing.assert_allclose(
        shares[["S1", "S2", "S3"]], [0.637450, 0.143426, 0.219124], atol=6e-7
    )
    prices = profile().price_table()
    np.testing.assert_allclose(prices["market_price"], 9.954545, atol=6e-7)
    spent = prices["mean_price"] * prices["quantity"]
    by_buyer = prices["buyer"]
    mean = spent.groupby(by_buyer).sum() / prices["quantity"].groupby(by_buyer).sum()
    np.testing.assert_allclose(mean, [10.04, 9.6875])


def test_who_supplies_longest_newest_and_when_the_next_order_is_due():
    table = profile().buyer_table().set_index("buyer")
    assert table.loc["K", ["main_supplier", "longest_supplier", "newest_supplier"]].tolist() == [
        "S1", "S1", "S3"
    ]  # fmt: skip
    assert table["newest_share"]["K"] == pytest.approx(1100 / 5020)
    assert table["rank"].tolist() == [1, 2]
    assert table["months_active"].tolist() == [5, 3]
    assert table["silence"].tolist() == [30, 70]
    # K: gaps 59, 61, 31, 92; L: 89, 92
    assert table["silence_score"].tolist() == pytest.approx([30 / 92, 70 / 92])
    assert table["next_due"].tolist() == [
        pd.Timestamp("2023-09-10") + pd.Timedelta(days=round(243 / 4)),
        pd.Timestamp("2023-08-01") + pd.Timedelta(days=round(181 / 2)),
    ]


def test_shares_add_up_and_the_market_pays_its_own_price():
    found = profile()
    assert found.buyer_table()["market_share"].sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found.supplier_table().groupby("buyer")["share"].sum(), 1.0)
    rows = found.rows
    assert (rows["quantity"] * rows["usual_price"]).sum() == pytest.approx(rows["value"].sum())


def test_prices_of_a_quarter_are_held_against_that_quarter():
    rows = pd.DataFrame(
        [("K", "S", "2023-01-10", 1, 10.0), ("L", "S", "2023-02-10", 1, 10.0),
         ("K", "S", "2023-07-10", 1, 30.0), ("L", "S", "2023-08-10", 3, 90.0)],
        columns=["buyer", "supplier", "on", "pieces", "paid"],
    ).assign(what="bolt")  # fmt: skip
    whole = profile(rows).buyer_table().set_index("buyer")["price_index"]
    quarter = profile(rows, quarterly=True).buyer_table().set_index("buyer")["price_index"]
    assert whole["K"] < 1 < whole["L"]
    np.testing.assert_allclose(quarter, 1.0)


def test_odd_prices_count_in_volume_and_in_no_price():
    odd = pd.DataFrame([("K", "S1", "2023-09-20", 1, 500.0), ("L", "S2", "2023-09-21", 9, 0.0)],
                       columns=["buyer", "supplier", "on", "pieces", "paid"])  # fmt: skip
    rows = pd.concat([SHIPMENTS, odd.assign(what="bolt")], ignore_index=True)
    with pytest.warns(DataWarning, match="2 shipments have a price beyond"):
        found = profile(rows)
    assert found.odd_price_table()["row"].tolist() == [8, 9]
    table = found.buyer_table().set_index("buyer")
    assert table["value"]["K"] == 5520.0
    assert table["price_index"]["K"] == pytest.approx(1.008584, abs=6e-7)


def test_prospects_leave_out_our_buyers_and_put_those_due_first():
    rows = pd.concat(
        [
            SHIPMENTS,
            pd.DataFrame(
                [("M", "S2", "2021-01-01", 900, 9000.0), ("M", "S4", "2021-02-01", 900, 9000.0)],
                columns=["buyer", "supplier", "on", "pieces", "paid"],
            ).assign(what="bolt"),
        ]
    )
    found = profile(rows, ours="S3").prospect_table()
    assert found["buyer"].tolist() == ["L", "M"]  # L is due, M has been quiet for years
    assert found["due_soon"].tolist() == [True, False]
    assert found["score"].tolist() == [0.0, 9000.0]
    by_value = profile(rows, ours="S3").prospect_table(by="value")
    assert by_value["score"].tolist() == [1550.0, 18000.0]
    with pytest.raises(ValueError, match="Did you mean 'value'"):
        profile(ours="S3").prospect_table(by="valuex")
    with pytest.raises(ValueError, match="who are we"):
        profile().prospect_table()
    with pytest.raises(TimeUnitError, match="due_within=90"):
        profile(rows, ours="S3").prospect_table(due_within=90)
    with pytest.raises(ValueError, match="ours='S9' is no supplier"):
        profile(ours="S9")


def test_names_are_folded_and_nothing_is_guessed():
    assert (
        folded("ACME Trading Co., Ltd.") == folded("acme  TRADING") == folded("Acme Trading P.L.C.")
    )
    assert folded("华源贸易有限公司") == folded("华源贸易")
    assert folded("Acme Tradings") != folded("Acme Trading")
    assert folded("Limited") == "limited"
    rows = SHIPMENTS.assign(supplier=["S1 Ltd.", "S1 LTD", "S1 Ltd.", *SHIPMENTS["supplier"][3:]])
    with pytest.warns(DataWarning, match="'S1 LTD' = 'S1 Ltd.'"):
        found = profile(rows, ours="S1 LTD")
    assert found.merges[["what", "spelling", "merged_into", "rows"]].to_numpy().tolist() == [
        ["supplier", "S1 LTD", "S1 Ltd.", 1]
    ]
    assert found.ours == "S1 Ltd."
    assert found.buyer_table()["suppliers"].tolist() == [3, 1]


def test_ports_and_seasons():
    found = profile(port="harbour").port_table()
    assert found[["port", "share"]].to_numpy().tolist() == [
        ["Ningbo", pytest.approx(5020 / 6570)], ["Shenzhen", pytest.approx(1550 / 6570)]
    ]  # fmt: skip
    with pytest.warns(DataWarning, match="0 whole calendar years"):
        season = profile().season_table()
    assert season["share"].sum() == pytest.approx(1.0)
    years = pd.date_range("2020-01-01", "2022-12-31", freq="D")
    rows = pd.DataFrame({"on": years, "buyer": "K", "supplier": "S", "what": "bolt", "pieces": 1,
                         "paid": np.where(years.month == 12, 2.0, 1.0), "land": "A"})  # fmt: skip
    season = profile(rows, as_of="2022-12-31", country="land").season_table(language="zh")
    assert season["月份"].tolist() == list(range(1, 13))
    assert season["完整年数"].unique().tolist() == [3]
    assert season["份额"].iloc[11] == pytest.approx(186 / (1096 + 93))
    with pytest.raises(ValueError, match=r"port='name"):
        profile().port_table()


def test_what_is_wrong_is_said_at_once():
    rows = SHIPMENTS.assign(
        buyer=[None, *SHIPMENTS["buyer"][1:]],
        pieces=[0, *SHIPMENTS["pieces"][1:]],
        paid=[-1.0, *SHIPMENTS["paid"][1:]],
        unit=["kg", "pc"] * 4,
        on=["2024-01-01", None, *SHIPMENTS["on"][2:]],
    )
    with pytest.raises(DataContractError) as caught:
        profile(rows, quantity_unit="unit")
    assert {p.code for p in caught.value.problems} == {
        "missing-buyer", "missing-time", "quantity", "value", "after-as-of", "two-units"
    }  # fmt: skip
    with pytest.raises(DataContractError, match="Did you mean 'buyer'"):
        profile(buyer="buyr")
    with pytest.raises(DataContractError, match=r"not ISO 8601, e.g. 'soon'"):
        profile(SHIPMENTS.assign(on=["2024-01-01", "soon", *SHIPMENTS["on"][2:]]))


def test_what_was_given_away_was_shipped_all_the_same():
    gift = pd.DataFrame([("M", "S1", "2023-04-01", 5, 0.0), ("M", "S1", "2023-06-01", 5, 0.0)],
                        columns=["buyer", "supplier", "on", "pieces", "paid"])  # fmt: skip
    with pytest.warns(DataWarning, match="2 shipments have a price"):
        found = profile(pd.concat([SHIPMENTS, gift.assign(what="bolt")]))
    row = found.buyer_table().set_index("buyer").loc["M"]
    assert (row["shipments"], row["silence"]) == (2, 131)
    assert np.isnan(row["price_index"])
    with pytest.raises(TypeError, match="must be a frame"):
        profile(SHIPMENTS.to_numpy())


def test_polars_and_chinese():
    found = profile(pl.from_pandas(SHIPMENTS))
    assert found.buyer_table(language="zh").columns[:4].tolist() == [
        "采购商",
        "金额",
        "名次",
        "市场占比",
    ]
    for method in ("buyer_table", "supplier_table", "price_table", "odd_price_table"):
        columns = getattr(found, method)(language="zh").columns
        assert not [name for name in columns if str(name).isascii()], method


def test_the_public_shipments():
    folder = os.environ.get("CUSTVALUE_DATA")
    if not folder or not (Path(folder) / "trade_shipments.parquet").exists():
        pytest.skip("the shipments are not there: set CUSTVALUE_DATA")
    rows = pd.read_parquet(Path(folder) / "trade_shipments.parquet")
    with pytest.warns(DataWarning):
        found = trade_profile(
            rows, buyer="Country", supplier="Vendor", product="Item Description",
            time="Delivered to Client Date", time_format="%d-%b-%y",
            quantity="Line Item Quantity", value="Line Item Value",
        )  # fmt: skip
    table = found.buyer_table().set_index("buyer")
    assert len(found.rows) == 10_324
    assert len(table) == 43
    assert found.rows["supplier"].nunique() == 73
    assert table.loc["Nigeria", "market_share"] == pytest.approx(0.215, abs=5e-4)
    assert table.loc["Nigeria", ["suppliers", "rank"]].tolist() == [24, 1]
    assert table.loc["Nigeria", "concentration"] == pytest.approx(0.680, abs=5e-4)
    assert table.loc["Tanzania", "suppliers"] == 17
    assert table.loc["Tanzania", "concentration"] == pytest.approx(0.452, abs=5e-4)


@pytest.mark.parametrize("as_of", ["2023", "now", "10/10/2023", 5, True])
def test_the_date_of_a_trade_profile_is_not_guessed(as_of):
    with pytest.raises(DataContractError, match=r"as_of=.* is no date"):
        profile(SHIPMENTS, as_of=as_of)
