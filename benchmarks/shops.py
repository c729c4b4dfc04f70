"""Simulated shops for ``benchmarks.accuracy``: none has the model of any method in it."""

from __future__ import annotations

import numpy as np
import pandas as pd

START = pd.Timestamp("2021-01-01")
DAYS = 1096
CUTOFF = 730  # days known; the 52 weeks after it are forecast
KINDS = ("plain", "growth", "decline", "season", "regular", "heavy", "cohort")


def shop(kind: str, n: int = 2500, seed: int = 1) -> pd.DataFrame:
    """Three years of a shop that wins customers all the time, who leave early or late.

    ``plain``: log-normal rates, leaving by Weibull, spend by customer. ``growth`` and ``decline``:
    everybody's rate rises or falls by 60 % (in logs) a year. ``season``: rates swing by 70 % over
    the year. ``regular``: near equal rates and gaps of gamma shape 6. ``heavy``: Pareto rates and
    wide spend. ``cohort``: all customers begin in the first 80 days.
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} must be one of {KINDS}.")
    rng = np.random.default_rng(seed)
    born = rng.integers(0, 80, n) if kind == "cohort" else np.sort(rng.integers(0, DAYS, n))
    rate = rng.lognormal(-4.6, 1.0, n)
    shape = 1.0
    if kind == "heavy":
        rate = np.minimum(rng.pareto(1.3, n) * 0.006 + 0.001, 0.5)
    elif kind == "regular":
        rate, shape = rng.lognormal(-3.6, 0.4, n), 6.0
    left = born + rng.weibull(0.8, n) * 500
    level = rng.lognormal(3.5, 0.7, n)
    if kind == "heavy":
        level = rng.lognormal(3.2, 1.2, n)
    trend = {"growth": 0.6, "decline": -0.6}.get(kind, 0.0)
    swing = 0.7 if kind == "season" else 0.0
    rows = [(np.arange(n), born)]
    day, alive = born.astype(float), np.arange(n)
    while len(alive):
        gap = rng.gamma(shape, 1.0 / (rate[alive] * shape))
        years = day[alive] / 365.25
        pace = np.exp(trend * (years - CUTOFF / 365.25)) * (1 + swing * np.sin(2 * np.pi * years))
        day[alive] += 1 + gap / np.maximum(pace, 0.05)
        alive = alive[(day[alive] < DAYS) & (day[alive] < left[alive])]
        rows.append((alive, day[alive].astype(int)))
    who, when = (np.concatenate(part) for part in zip(*rows, strict=True))
    paid = (level[who] * rng.lognormal(-0.125, 0.5, len(who))).round(2)
    if kind == "growth":
        paid = paid * np.exp(0.15 * (when - CUTOFF) / 365.25)
    date = START + pd.to_timedelta(when, unit="D")
    return pd.DataFrame({"customer_id": who, "date": date, "amount": paid})
