"""Is the advice of `custvalue.monthly.compare` right? ``python -m benchmarks.refit``.

On every log, at some dates: an artefact is fitted, `compare` says a quarter later whether to fit
again, and both the old model and one that is fitted anew then forecast the quarter after that. A
refit pays where the total of the new one is nearer to what came by more than a twentieth, in logs,
or its error of a customer smaller by more than a twentieth. Beside the logs as they are stand
simulated shops that break at the date of the fit: half of the orders gone, or prices at one and a
half.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

import custvalue as cv
from benchmarks.accuracy import cdnow, online_retail, retail_transactions, superstore
from benchmarks.shops import DAYS, KINDS, START, shop

GAP = pd.Timedelta(days=91)
PAYS = 0.05
COLUMNS = {"customer": "customer_id", "time": "date", "amount": "amount"}
FIRST = START + pd.Timedelta(days=DAYS - 1 - 3 * 91)


def broken(how: str, seed: int) -> pd.DataFrame:
    """A plain shop in which something changes for good after FIRST."""
    log = shop("plain", 1500, seed)
    after = (log["date"] > FIRST).to_numpy()
    if how == "dearer":
        log.loc[after, "amount"] = (1.5 * log.loc[after, "amount"]).round(2)
        return log
    rng = np.random.default_rng(seed)
    return log[~after | (rng.random(len(log)) < 0.5)]


def cases() -> Iterator[tuple[str, str, cv.TransactionLog, pd.Timestamp]]:
    """Kind of log, its name, the log, and the date of a fit."""
    for make in (cdnow, online_retail, retail_transactions, superstore):
        try:
            scenario = make()
        except FileNotFoundError as reason:
            print(f"{make.__name__} skipped: {reason}")
            continue
        log = cv.TransactionLog(scenario.log, **scenario.names)
        end = pd.Timestamp(log.as_of)
        span = int(log.span_days)
        for share in (0.3, 0.4, 0.5, 0.6, 0.7):
            date = end - pd.Timedelta(days=span - round(span * share))
            if date + 2 * GAP <= end:
                yield "real", make.__name__, log, date
    for seed in (1, 2):
        for kind in KINDS:
            log = cv.TransactionLog(shop(kind, 1500, seed), **COLUMNS)
            for date in (FIRST - 2 * GAP, FIRST):
                yield "as before", kind, log, date
        for how in ("half", "dearer"):
            yield "broken", how, cv.TransactionLog(broken(how, seed), **COLUMNS), FIRST


def read_by(made: cv.monthly.Artefact, log: cv.TransactionLog) -> Any:
    """A summary, or the log itself where a season needs it."""
    return log.summary("D") if made.reads_summary else log


def errors(made: cv.monthly.Artefact, known: cv.TransactionLog, came: Any) -> tuple[float, float]:
    """Log of the total that was said over what came, and the mean error of a customer."""
    said = made.model.predict(read_by(made, known), f"{GAP.days}D")
    return float(np.log(said.sum() / came.sum())), float(np.abs(said - came).mean())


def rows() -> Iterator[dict[str, Any]]:
    for kind, name, log, date in cases():
        fitted_on, known = log.until(date), log.until(date + GAP)
        came, _ = log.between(known.as_of, (date + 2 * GAP).to_datetime64()).totals(
            known.customers()
        )
        old = cv.monthly.fit(fitted_on, horizon="26W")
        then, now = (cv.monthly.score(old, read_by(old, one)) for one in (fitted_on, known))
        found = cv.monthly.compare(then, now, artefact=old)
        new = cv.monthly.fit(known, horizon="26W")
        was, is_now = (errors(made, known, came) for made in (old, new))
        yield {
            "kind": kind, "log": name, "date": str(date.date()), "advice": found.advice,
            "total_old": abs(was[0]), "total_new": abs(is_now[0]),
            "customer": is_now[1] / was[1],
            "pays": abs(was[0]) - abs(is_now[0]) > PAYS or is_now[1] < (1 - PAYS) * was[1],
            "hurts": abs(is_now[0]) - abs(was[0]) > PAYS or is_now[1] > (1 + PAYS) * was[1],
            "why": "; ".join(text.format(**told) for text, told in found.reasons)[:90],
        }  # fmt: skip


def main() -> None:
    warnings.simplefilter("ignore")
    found = []
    for row in rows():
        found.append(row)
        print(
            f"{row['kind']:<10}{row['log']:<20}{row['date']}  {row['advice']:<6}"
            f"{row['total_old']:6.2f}{row['total_new']:6.2f}{row['customer']:7.2f}"
            f"  {'pays' if row['pays'] else '-':<5}{row['why']}",
            flush=True,
        )
    table = pd.DataFrame(found)
    for by in ("advice", ["kind", "advice"]):
        each = table.groupby(by)
        shown = each[["total_old", "total_new", "customer", "pays", "hurts"]].mean().round(2)
        print("\n" + shown.assign(cases=each.size()).to_string())


if __name__ == "__main__":
    main()
