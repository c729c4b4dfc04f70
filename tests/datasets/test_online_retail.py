"""The public data are fetched once, checked by content and kept."""

from __future__ import annotations

import http.server
import threading

import pandas as pd
import pytest

from custvalue.datasets import _online_retail as module
from custvalue.datasets import fetch_online_retail
from custvalue.exceptions import DataContractError

CSV = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,"HOLDER, WHITE",6,12/1/2010 8:26,2.55,17850,United Kingdom
C536379,D,Discount,-1,12/1/2010 9:41,27.5,14527,United Kingdom
536414,22139,,56,12/1/2010 11:52,0,,United Kingdom
"""


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The text file on loopback, and the paths asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = CSV.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pytest.importorskip("pooch")
    yield f"http://127.0.0.1:{server.server_port}/data.csv", asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def small(monkeypatch):
    """Let the three lines above be the published data."""
    frame = pd.DataFrame(
        {
            "Quantity": [6, -1, 56],
            "UnitPrice": [2.55, 27.5, 0.0],
            "InvoiceDate": pd.to_datetime(
                ["2010-12-01 08:26", "2010-12-01 09:41", "2010-12-01 11:52"]
            ),
            "CustomerID": pd.array([17850, 14527, None], dtype="Int32"),
        }
    )
    monkeypatch.setattr(module, "CONTENT", module.content_of(frame))


def test_what_is_fetched_is_kept_and_not_fetched_again(served, small, tmp_path):
    url, asked = served
    first = fetch_online_retail(tmp_path / "cache", url=url)
    again = fetch_online_retail(tmp_path / "cache", url=url)
    assert asked == ["/data.csv"]
    pd.testing.assert_frame_equal(first, again)
    assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == ["online_retail.parquet"]
    assert first["amount"].tolist() == pytest.approx([15.3, -27.5, 0.0])
    assert first["CustomerID"].isna().tolist() == [False, False, True]
    assert first["InvoiceNo"].tolist() == ["536365", "C536379", "536414"]


def test_another_content_is_refused_and_nothing_is_kept(served, tmp_path):
    url, _ = served
    with pytest.raises(DataContractError, match="is not the published Online Retail data"):
        fetch_online_retail(tmp_path, url=url)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_cache_is_refused(served, small, tmp_path):
    url, _ = served
    frame = fetch_online_retail(tmp_path, url=url).drop(columns="amount")
    frame.assign(Quantity=7).to_parquet(tmp_path / "online_retail.parquet")
    with pytest.raises(DataContractError, match="checksum"):
        fetch_online_retail(tmp_path, url=url)


def test_the_environment_names_the_cache(served, small, tmp_path, monkeypatch):
    url, asked = served
    monkeypatch.setenv("CUSTVALUE_DATA", str(tmp_path))
    fetch_online_retail(url=url)
    assert (tmp_path / "online_retail.parquet").exists()
    fetch_online_retail(url=url, download_if_missing=False)
    assert len(asked) == 1


def test_the_real_file_passes_the_check(online_retail, tmp_path):
    module._check(online_retail, "here")
    assert len(online_retail) == 541_909
