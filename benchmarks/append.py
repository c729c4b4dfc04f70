"""A day of 10^5 rows onto 10^7 customers: `python -m benchmarks.append [customers] [rows]`.

`python -m benchmarks.append panel [customers] [rows]` appends four weeks to a panel instead, of
400,000 customers unless said, and takes `cv.panel` of all rows beside it.

Prints processor and wall seconds of `update_summary` beyond reading and writing, for customers who
are whole numbers and for the same as text, and beside them what a plain copy of the table's numbers
takes in the same run: each column of a new table is written once, whatever the day brings. The rest
are the customers of the day, everybody's age and silence, and gaps that a silence has passed.
10^7 customers need 8 GB.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import custvalue as cv

NAMES = {"customer": "who", "time": "when", "amount": "paid"}
FIRST = np.datetime64("2023-01-01", "us")
LAST = 700  # days


def log(n_customers, rng):
    """A first order each and as many again, spread over 700 days."""
    who = np.concatenate([np.arange(n_customers), rng.integers(0, n_customers, n_customers)])
    day = rng.integers(0, LAST, len(who))
    return rows(who, day, rng)


def rows(who, day, rng):
    paid = rng.integers(100, 9_999, len(who)) / 100
    when = FIRST + day * np.timedelta64(1, "D")
    return pa.table({"who": who, "when": when, "paid": paid})


def timed(work):
    begun, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - begun, time.perf_counter() - wall


def copied(table):
    return [table[name].to_numpy().copy() for name in table.column_names if name != "gaps"]


def show(works):
    for name, work in works.items():
        best = min(timed(work) for _ in range(3))
        print(f"{name:<28} {best[0]:8.2f} {best[1]:8.2f}", flush=True)


def of_panel(n_customers=400_000, n_rows=100_000):
    rng = np.random.default_rng(1)
    old = log(n_customers, rng)
    end = str((FIRST + np.timedelta64(LAST - 1, "D")).astype("datetime64[D]"))
    after = str((FIRST + np.timedelta64(LAST + 27, "D")).astype("datetime64[D]"))
    table = cv.panel(old, **NAMES, as_of=end, period="4W")
    who = rng.integers(0, int(n_customers * 1.001), n_rows)
    new = rows(who, LAST + rng.integers(0, 28, n_rows), rng)
    whole = pa.concat_tables([old, new])
    print(
        f"{n_customers:,} customers, a panel of {table.num_rows:,} rows, {n_rows:,} rows of the "
        "log; seconds (processor, wall), best of three"
    )
    show(
        {
            "update_panel": lambda: cv.update_panel(table, new, **NAMES, as_of=after),
            "update_panel, no rows": lambda: cv.update_panel(table, new[:0], **NAMES, as_of=after),
            "panel of all rows": lambda: cv.panel(whole, **NAMES, as_of=after, period="4W"),
            "copy of the table's numbers": lambda: copied(table),
        }
    )


def main(n_customers=10_000_000, n_rows=100_000):
    rng = np.random.default_rng(1)
    end = str((FIRST + np.timedelta64(LAST - 1, "D")).astype("datetime64[D]"))
    after = str((FIRST + np.timedelta64(LAST, "D")).astype("datetime64[D]"))
    table = cv.summarize(log(n_customers, rng), **NAMES, as_of=end, carry=True)
    who = rng.integers(0, int(n_customers * 1.001), n_rows)
    day = rows(who, np.full(n_rows, LAST), rng)

    def texts(frame):
        """Customers as text of one length, which sorts as the numbers do."""
        padded = pc.utf8_lpad(pc.cast(frame["who"], pa.string()), 12, "0")
        return frame.set_column(0, "who", padded)

    named, its_day = texts(table), texts(day)
    print(f"{n_customers:,} customers, {n_rows:,} rows; seconds (processor, wall), best of three")
    show(
        {
            "update_summary": lambda: cv.update_summary(table, day, **NAMES, as_of=after),
            "update_summary, text ids": lambda: cv.update_summary(
                named, its_day, **NAMES, as_of=after
            ),
            "copy of the table's numbers": lambda: copied(table),
        }
    )


if __name__ == "__main__":
    asked = sys.argv[1:]
    of_panel(*map(int, asked[1:])) if asked[:1] == ["panel"] else main(*map(int, asked))
