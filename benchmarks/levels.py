"""How strongly a forecast's total should follow earlier dates: ``python -m benchmarks.levels``.

Every scenario of ``benchmarks.accuracy``, the made shops with three seeds and the simulated ones
with two; the parts of ``BestValue`` are fitted once a cutoff, then the total is held with every
prior spread of its factor. Printed by kind of log: the mean absolute log of the total said over
what came, the share of cutoffs off by more than a tenth, and how many of its 80 % intervals held.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks.accuracy import _CDNOW, MADE, SCENARIOS, Scenario
from benchmarks.shops import CUTOFF, KINDS, START, shop
from custvalue._units import span_days
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import known_season, operational
from custvalue.datasets import make_shop
from custvalue.evaluation import _stacked as stacked
from custvalue.evaluation._best import choose
from custvalue.evaluation._stacking import level_of

SPREADS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5)
AT = [START + pd.Timedelta(days=CUTOFF - 1)]


def logs() -> Iterator[tuple[str, Scenario]]:
    for name, make in SCENARIOS.items():
        if not name.startswith(("shop_", "simulated_")):
            try:
                yield "real", make()
            except FileNotFoundError as reason:
                print(f"{name} skipped: {reason}")
    for seed in (7, 11, 12):
        for kind in MADE:
            made = make_shop(kind, 2500, days=1096, start=START, random_state=seed)
            yield "shop", Scenario(made.log, _CDNOW, AT, "52W")
    for seed in (1, 2):
        for kind in KINDS:
            yield "simulated", Scenario(shop(kind, seed=seed), _CDNOW, AT, "52W")


def misses(scenario: Scenario) -> Iterator[dict[float, tuple[float, float]]]:
    """By spread: log of the total that came over that said, and the error stated of it."""
    whole, days = TransactionLog(scenario.log, **scenario.names), span_days(scenario.horizon)
    for cutoff in scenario.cutoffs:
        known = whole.until(pd.Timestamp(cutoff))
        end = known.as_of + np.timedelta64(int(days), "D")
        came = whole.between(known.as_of, end).totals(known.customers())[0].sum()
        models, sample = stacked.usual_parts(), stacked.sample_of(known, 20_000, 0)
        season = known_season(sample, days_only=True)
        origins, _ = stacked.past_origins(models, sample, "4W", season)
        if not origins:
            continue
        w = choose(origins, list(models), 0.2, 0.2).weights
        if w is None:
            buyers = np.mean([(o.came > 0).sum() for o in origins])
            w = stacked.stacking.convex_weights(origins, 0.2 / np.sqrt(buyers))
        spans = [season.length(known.as_of, d) for d in (days, stacked._longest(known))]
        known, sample = operational(known, season), operational(sample, season)
        parts = [stacked.fitted_part(m, known, sample, "4W") for m in models.values()]
        asked, longest = (
            np.array([stacked._plain(p, known, "4W", d).sum() for p in parts]) for d in spans
        )
        found = {}
        for spread in SPREADS:
            level = level_of(origins, spread)
            scales = level.factor * np.exp(level.weights @ np.log(longest)) / longest
            found[spread] = float(np.log(came / (asked @ (w * scales)))), level.error
        yield found


if __name__ == "__main__":
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind, scenario in logs():
            for found in misses(scenario):
                rows += [(kind, s, abs(m), abs(m) > 0.1, abs(m) < 1.2816 * e)
                         for s, (m, e) in found.items()]  # fmt: skip
    table = pd.DataFrame(rows, columns=["logs", "spread", "off", "by a tenth", "held"])
    print(table.groupby(["logs", "spread"]).mean().unstack("logs").round(3).to_string())
