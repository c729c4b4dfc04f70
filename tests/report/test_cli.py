"""The command line: files in, files out, one line of error for bad input."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from custvalue import cli
from custvalue.report import make_report, read_log

CALL = ["--customer", "customer_id", "--time", "date", "--amount", "amount", "--estimator", "law"]


@pytest.fixture(scope="module")
def orders(tmp_path_factory, cdnow_sample):
    path = tmp_path_factory.mktemp("log") / "orders.csv"
    cdnow_sample.sample(frac=1.0, random_state=1).to_csv(path, index=False)
    return path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["custvalue", *map(str, arguments)])
    return cli.run()


@pytest.fixture(scope="module")
def made(tmp_path_factory, orders):
    """The issue's own call, on the sample."""
    out = tmp_path_factory.mktemp("out") / "report"
    done = subprocess.run(
        (
            f"{sys.executable} -m custvalue report {orders} {' '.join(CALL)} --as-of 1997-09-30 "
            f"--period 4W --horizon 52W --annual-discount-rate 0.10 --margin 0.3 --out {out}"
        ).split(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out, done


def test_report_writes_the_page_the_tables_and_the_ledger(made):
    out, done = made
    names = sorted(path.name for path in out.iterdir())
    assert names == [
        "customers.csv",
        "ledger.json",
        "report.html",
        "segments.csv",
        "transitions.csv",
    ]
    assert "2,349 customers" in done.stdout
    assert done.stderr == ""


def test_the_table_of_customers_has_what_was_promised(made):
    table = pd.read_csv(made[0] / "customers.csv")
    assert len(table) == table["customer_id"].nunique()
    for name in ("R", "F", "M", "segment", "silence_score", "silence_grade", "stage"):
        assert table[name].notna().all(), name
    assert (table["future_value_low"] <= table["future_value_high"]).all()
    assert (table["future_value"] > 0).all()
    assert (table["future_value_low"] >= 0).all()
    assert table["chance_of_order"].between(0, 1).all()
    assert (table["chance_of_order_90d"] <= table["chance_of_order"] + 1e-12).all()


def test_the_ledger_adds_up(made):
    ledger = json.loads((made[0] / "ledger.json").read_text("utf-8"))
    assert ledger["rows_in"] == 6919
    assert ledger["rows_in"] == ledger["rows_used"] + sum(d["rows"] for d in ledger["dropped"])


def test_rows_of_the_transition_table_sum_to_one(made):
    table = pd.read_csv(made[0] / "transitions.csv")
    assert table.groupby("from")["probability"].sum().to_numpy() == pytest.approx(1.0)


def test_the_same_log_in_another_order_and_process_gives_the_same_bytes(made, report):
    assert (made[0] / "report.html").read_text("utf-8") == report.html


def test_parquet_in_and_out_gives_the_same_customers(
    monkeypatch, tmp_path, made, orders, report, capsys
):
    asked = {}

    def make_report(log, **options):
        asked.update(options, log=log)
        return report

    monkeypatch.setattr("custvalue.report.make_report", make_report)
    pd.read_csv(orders, parse_dates=["date"]).to_parquet(tmp_path / "orders.parquet")
    code = run(
        monkeypatch,
        "report",
        tmp_path / "orders.parquet",
        *CALL,
        "--as-of=1997-09-30",
        "--margin=0.3",
        "--response=0.02",
        "--contact-cost=0.4",
        "--budget=100",
        "--tables=parquet",
        f"--out={tmp_path / 'out'}",
    )
    assert code == 0
    assert (asked["as_of"], asked["margin"], asked["source"]) == (
        "1997-09-30",
        0.3,
        "orders.parquet",
    )
    offer = [asked[name] for name in ("response", "contact_cost", "budget", "holdout")]
    assert offer == [0.02, 0.4, 100.0, 0.1]
    columns = dict(zip(("customer", "time", "amount"), CALL[1:6:2], strict=True))
    text = read_log(orders, **columns).reset_index(drop=True)
    text["date"] = text["date"].astype(asked["log"]["date"].dtype)
    pd.testing.assert_frame_equal(asked["log"], text)
    got = pd.read_parquet(tmp_path / "out" / "customers.parquet")
    want = pd.read_csv(made[0] / "customers.csv")
    assert list(got.columns) == list(want.columns)
    assert got["future_value"].to_numpy() == pytest.approx(want["future_value"], rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report"], "name a LOG file, or --demo"),
        (["report", "nowhere.csv"], "nowhere.csv' does not exist"),
        (["report", "{orders}"], "--customer, --time, --amount missing"),
        (["report", "{orders}", *CALL[:5], "price"], "no column 'price'; it has 'customer_id'"),
        (["report", "{orders}", *CALL, "--horizon", "52"], "not a span of time"),
        (["report", "{orders}", *CALL, "--margin", "30"], "margin=30.0 must be a share"),
        (["report", "{orders}", *CALL, "--response", "0.02"], "need a margin"),
        (["report", "{orders}", *CALL, "--annual-discount-rate", "x"], "not a valid float"),
        (["report", "{orders}", *CALL, "--refunds", "hide"], "'hide' is not one of"),
        (["riport"], "No such command 'riport'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(monkeypatch, capsys, orders, arguments, says):
    code = run(monkeypatch, *(a.format(orders=orders) for a in arguments))
    error = capsys.readouterr().err
    assert code == 2
    assert says in error
    assert error.startswith("custvalue: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_debug_shows_where_an_error_arose(monkeypatch, capsys, orders):
    wrong = ["report", orders, *CALL, "--horizon", "52"]
    assert run(monkeypatch, "--debug", *wrong) == 2
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert "span_days" in error
    assert "not a span of time" in error


def test_a_log_without_rows_is_said_so(monkeypatch, capsys, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("customer_id,date,amount\n", encoding="utf-8")
    assert run(monkeypatch, "report", path, *CALL) == 2
    assert "orders.csv names its columns and has no rows" in capsys.readouterr().err


def test_refunds_are_refused_with_count_and_first_customers(monkeypatch, capsys, tmp_path):
    rows = [["7", "2024-01-01", "10"], ["9", "2024-02-01", "-3"], ["9", "2024-03-01", "5"]]
    path = tmp_path / "orders.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["customer_id", "date", "amount"], *rows])
    code = run(monkeypatch, "report", path, *CALL, "--as-of", "2024-04-01", "--out", tmp_path)
    error = capsys.readouterr().err
    assert code == 2
    assert "refund" in error
    assert "1 row" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "rows",
    [
        ["1,2024-01-01,5"],
        ["1,2024-01-01,10", "2,2024-01-05,5"],
        ["1,2024-01-01,10", "1,2024-02-01,10", "1,2024-05-28,10", "2,2024-01-05,5"],
    ],
)
def test_a_tiny_log_that_ends_before_the_as_of_date_makes_a_report(
    monkeypatch, capsys, tmp_path, rows
):
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(["customer_id,date,amount", *rows]) + "\n", encoding="utf-8")
    call = ["report", path, *CALL, "--as-of", "2024-06-01", "--out", tmp_path / "out"]
    assert run(monkeypatch, *call) == 0, capsys.readouterr().err
    word = "row" if len(rows) == 1 else "rows"
    assert f"{len(rows)} {word} in = {len(rows)} used" in capsys.readouterr().out


def test_a_log_of_one_period_has_a_report_without_moves(monkeypatch, capsys, tmp_path):
    path = tmp_path / "orders.csv"
    days = [(c, 1 + (7 * c + 3 * k) % 20) for c in range(30) for k in (0, 2)]
    rows = [f"{c},2024-01-{day:02d},{5 + c}.50" for c, day in days]
    path.write_text("\n".join(["customer_id,date,amount", *rows]) + "\n", encoding="utf-8")
    call = ["report", path, *CALL, "--as-of", "2024-01-21", "--out", tmp_path / "out"]
    assert run(monkeypatch, *call) == 0, capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / "out" / "transitions.csv")) == 0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "No customer has two periods yet." in page


@pytest.mark.parametrize("estimator", ["best", "law"])
def test_who_orders_brings_an_order_at_least(monkeypatch, tmp_path, rng, estimator):
    """82 orders of 10.00 each were worth 461: orders came from one model, values from another."""
    who = np.repeat(np.arange(300), rng.geometric(0.3, 300))
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 360, len(who)), unit="D")
    pd.DataFrame({"customer_id": who, "date": days, "amount": 10.0}).to_csv(
        tmp_path / "orders.csv", index=False
    )
    call = [*CALL, "--as-of=2023-12-31", "--annual-discount-rate=0", f"--out={tmp_path / 'out'}"]
    call.append(f"--estimator={estimator}")
    assert run(monkeypatch, "report", tmp_path / "orders.csv", *call) == 0
    table = pd.read_csv(tmp_path / "out" / "customers.csv")
    assert table["future_value"].sum() / table["chance_of_order"].sum() > 10.0
    n, spent = table["n_orders"], table["total_value"]  # two on one day are one order of 20.00
    usual = (spent + spent.sum() / n.sum()) / (n + 1)
    np.testing.assert_allclose(table["future_value"], usual * table["expected_orders"])


def test_an_as_of_date_before_every_order_is_told(monkeypatch, capsys, orders):
    assert run(monkeypatch, "report", orders, *CALL, "--as-of", "1990-01-01") == 2
    assert "no customer has a purchase by 1990-01-01" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ([], ("cycle", "learn")),
        (["--cuts", "quintiles"], ("quintiles", "learn")),
        (["--recency-cuts", "30, 3M", "--stage-windows", "source"], ([30.0, "3M"], "source")),
    ],
)
def test_cuts_and_windows_are_handed_on(monkeypatch, tmp_path, orders, options, asked):
    def stop(frame, **given):
        assert (given["cuts"], given["stage_windows"]) == asked
        raise ValueError("that is what was asked")

    monkeypatch.setattr("custvalue.report.make_report", stop)
    assert run(monkeypatch, "report", orders, *CALL, *options, f"--out={tmp_path / 'out'}") == 2


def test_cuts_are_said_once(monkeypatch, capsys, orders):
    both = ["--cuts", "cycle", "--recency-cuts", "30,90"]
    assert run(monkeypatch, "report", orders, *CALL, *both) == 2
    assert "--cuts and --recency-cuts say the same thing" in capsys.readouterr().err
    assert run(monkeypatch, "report", orders, *CALL, "--recency-cuts", "90,30") == 2
    assert "must be two to four silences above 0, ascending" in capsys.readouterr().err
    assert run(monkeypatch, "report", orders, *CALL, "--stage-windows", "1Y") == 2
    assert "must be 'learn', 'source', or five spans" in capsys.readouterr().err


def test_help_loads_no_heavy_library():
    code = (
        "import sys\nfrom custvalue import cli\nsys.argv = ['custvalue', 'report', '--help']\n"
        "assert cli.run() == 0\n"
        "bad = [m for m in ('numpy', 'pandas', 'sklearn', 'matplotlib') if m in sys.modules]\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--demo" in done.stdout


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_for_long_work_only():
    terminal = Terminal()
    with cli.Progress(terminal, after=0.01) as progress:
        progress("fit", 1, 2)
        time.sleep(0.1)
        progress("draw", 2, 2)
    assert "[1/2] fit" in terminal.getvalue()
    assert "[2/2] draw" in terminal.getvalue()
    short = Terminal()
    with cli.Progress(short, after=60) as progress:
        progress("fit", 1, 2)
    assert short.getvalue() == ""


def test_progress_is_never_written_to_a_file():
    stream = io.StringIO()
    with cli.Progress(stream, after=0.0) as progress:
        progress("fit", 1, 2)
        time.sleep(0.05)
    assert stream.getvalue() == ""


def shop(path, extra=()):
    """Two products of one price in each basket of 24 customers, over a year."""
    rows = ["customer,date,product,amount"]
    for c in range(1, 25):
        for k in range(6):
            day = f"2023-{1 + 2 * k:02d}-{c:02d}"
            rows += [f"{c},{day},tea,{c}.50", f"{c},{day},cup,{c}.50"]
    path.write_text("\n".join([*rows, *extra]) + "\n", encoding="utf-8")
    return path


LINES = ["--customer=customer", "--time=date", "--amount=amount", "--as-of=2023-12-31"]


def test_lines_repeat_where_the_whole_line_does(monkeypatch, tmp_path, capsys):
    log = shop(tmp_path / "lines.csv", ["1,2023-01-01,tea,1.50"])
    assert (
        run(monkeypatch, "report", log, *LINES, "--duplicates=drop", f"--out={tmp_path / 'o'}") == 0
    )
    assert "289 rows in = 288 used + 1 left out" in capsys.readouterr().out


def test_rows_that_cannot_be_used_are_told_once_and_nothing_else(tmp_path):
    log = shop(tmp_path / "lines.csv", [",2023-01-01,tea,1.50", "NULL,2023-01-02,tea,1.50"])
    done = subprocess.run(
        [sys.executable, "-m", "custvalue", "report", str(log), *LINES, "--quiet",
         "--currency=€", f"--out={tmp_path / 'o'}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("custvalue: note: rows left out: customer id is missing: 2.")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--time-format=%m/%d/%Y"], "time-format: time_format='%m/%d/%Y' does not read"),
        (["--time-format=%Q"], "time-format"),
        (["--as-of=03/07/2023"], "as_of='03/07/2023' is no date"),
        (["--as-of=2023-06"], "as_of='2023-06' is no date"),
        (["--customer=Customer"], "Did you mean 'customer'?"),
        (["--amount=product*amount"], "not-numeric: column 'product'"),
        (["--amount=amount*"], "has no column ''"),
    ],
)
def test_a_door_that_does_not_fit_is_one_line(monkeypatch, tmp_path, capsys, arguments, says):
    log = shop(tmp_path / "lines.csv")
    assert run(monkeypatch, "report", log, *LINES, *arguments, f"--out={tmp_path / 'o'}") == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1


def test_a_customer_column_may_be_a_factor_on_the_command_line(monkeypatch, tmp_path):
    log = shop(tmp_path / "lines.csv")
    asked = ["--customer=customer", "--time=date", "--amount=customer*amount",
             "--as-of=2023-12-31", f"--out={tmp_path / 'o'}"]  # fmt: skip
    assert run(monkeypatch, "report", log, *asked) == 0


def test_reading_the_table_of_customers_back_gives_the_table(tmp_path):
    rng = np.random.default_rng(0)
    when = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 300, 80), "D")
    ids = 6_940_095_564_000 + rng.integers(0, 10, 80)
    log = pd.DataFrame({"c": ids.astype(float), "t": when, "a": 123456.78})
    made = make_report(log, customer="c", time="t", amount="a", as_of="2023-12-31")
    made.write(tmp_path)
    # before pandas 3 the default parser of numbers was off in the last digit
    exact = {"float_precision": "round_trip"} if pd.__version__ < "3" else {}
    dates = ["first_order", "last_order"]
    back = pd.read_csv(tmp_path / "customers.csv", parse_dates=dates, **exact)
    assert back["c"].nunique() == 10
    for name in ("c", "n_orders", "total_value", "mean_value", "future_value", "chance_of_order"):
        assert back[name].tolist() == made.customers[name].tolist(), name
    assert (back["first_order"] == made.customers["first_order"]).all()


# what another library says at every copy of a frame
NOISY = """
import sys, warnings
import pandas as pd
from custvalue import cli
copy = pd.DataFrame.copy
def noisy(self, *a, **k):
    warnings.warn("somebody else speaks", FutureWarning)
    return copy(self, *a, **k)
pd.DataFrame.copy = noisy
sys.exit(cli.run())
"""


def notes_of(*arguments):
    """What a terminal is told by a call that succeeds, without "custvalue: note: "."""
    call = [sys.executable, "-c", NOISY, *map(str, arguments)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    notes = done.stderr.splitlines()
    assert all(note.startswith("custvalue: note: ") for note in notes), done.stderr
    return [note.removeprefix("custvalue: note: ") for note in notes]


def assert_each_once(notes, words):
    assert len(notes) == len(words), notes
    for word in words:
        assert sum(word in note for note in notes) == 1, (word, notes)


def test_a_terminal_is_told_each_warning_of_a_log_once_and_no_other_librarys(tmp_path):
    days = (f"2023-{1 + k % 11:02d}-{1 + k * 7 % 28:02d}" for k in range(400))
    rows = ["who,when,paid", *(f"{k % 120:03d},{day},{5 + k % 4}" for k, day in enumerate(days))]
    rows += [rows[0], ",2023-03-01,5", "NULL,2023-03-01,5", "001,2023-04-01,NULL", "002,NULL,4"]
    rows += ["=1+1,2023-04-02,7", "003,1900-01-01,7"]
    (tmp_path / "log.csv").write_text("\n".join(rows) + "\n")
    names = ["--customer=who", "--time=when", "--amount=paid", "--as-of=2034-12-31"]
    notes = notes_of("report", tmp_path / "log.csv", *names, f"--out={tmp_path / 'out'}")
    assert_each_once(
        notes,
        [
            "log.csv repeats its header in 1 line ",
            "customer id is missing: 2; time is missing or unreadable: 1; amount is missing or not",
            "1 row is dated 1900-01-01",
            "as_of=2034-12-31 lies 11 years after the last order",
            "1 cell of customers.csv begin like a formula of a spreadsheet",
        ],
    )


def test_a_terminal_is_told_each_warning_of_a_funnel_and_of_a_campaign_once(tmp_path):
    days = np.arange(120) // 2 * 3 + np.arange(120) % 2  # lead, and won the day after
    when = pd.Timestamp("2023-01-02") + pd.to_timedelta(days, "D")
    deals = pd.DataFrame({"deal": np.arange(120) // 2, "stage": ["lead", "won"] * 60, "time": when})
    deals.to_csv(tmp_path / "deals.csv", index=False)
    notes = notes_of("funnel", tmp_path / "deals.csv", "--stages=lead", "--horizon=8W",
                     "--as-of=2023-12-31", f"--out={tmp_path / 'funnel'}")  # fmt: skip
    assert_each_once(notes, ["60 of 60 moves fall in the first period of a stage"])
    rows = ["id,arm,spend", *(f"王芳李娜{k},{('none', '=mail')[k % 2]},{k % 5}" for k in range(60))]
    (tmp_path / "drawn.csv").write_bytes("\n".join(rows).encode("gb18030"))
    notes = notes_of("campaign", "measure", tmp_path / "drawn.csv", "--arm=arm", "--control=none",
                     "--outcome=spend", "--customer=id", f"--out={tmp_path / 'e.csv'}")  # fmt: skip
    assert_each_once(
        notes,
        [
            "drawn.csv is no UTF-8 and was read as GB 18030",
            "1 cell of e.csv begin like a formula of a spreadsheet (first: '=mail')",
        ],
    )
