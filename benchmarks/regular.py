"""What the rhythm of customers adds to a forecast, and what a rhythm of one's own could.

``python -m benchmarks.regular`` simulates 4,000 customers whose shape of gaps k differs (1 to 8),
observes them for a year and forecasts the next 26 weeks: by the MBG/NBD, by one k for all, and by
each customer's true k and the true parameters, which is the most that any law of k by customer
(Pareto/GGG) could reach. A second run gives all customers k = 3.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from custvalue.purchase import MBGCNBD, MBGNBD

N, YEAR, AHEAD = 4000, 52.0, 26.0
MEAN_RATE = 0.35  # orders a week
R, A, B = 2.0, 0.8, 8.0


def simulated(shapes: np.ndarray, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Histories of customers with these shapes, and their orders in the time ahead."""
    rng = np.random.default_rng(seed)
    k = rng.choice(shapes, N)
    rate = rng.gamma(R, MEAN_RATE / R, N)
    chance = rng.beta(A, B, N)
    rows, later = [], []
    for shape, often, leaves in zip(k, rate, chance, strict=True):
        last = rng.geometric(max(leaves, 1e-12))
        times = np.cumsum(rng.gamma(shape, 1.0 / (shape * often), min(last, 400)))[: last - 1]
        past = times[times <= YEAR]
        gaps = np.diff(past, prepend=0.0)
        rows.append((len(past), past[-1] if len(past) else 0.0, YEAR, np.log(gaps).sum(), shape))
        later.append(np.count_nonzero((times > YEAR) & (times <= YEAR + AHEAD)))
    names = ["frequency", "recency", "T", "litt", "k"]
    return pd.DataFrame(rows, columns=names).astype(float), np.array(later, dtype=float)


def forecasts(X: pd.DataFrame) -> dict[str, np.ndarray]:
    """Forecast by the plain law, by one k for all, and by who knows everything."""
    one = MBGCNBD(k="auto").fit(X)
    known = np.empty(len(X))
    for k, part in X.groupby("k"):
        truth = MBGCNBD.from_params(k=int(k), r=R, alpha=R / (MEAN_RATE * k), a=A, b=B)
        known[part.index] = truth.predict(part, horizon=AHEAD)
    return {
        "MBG/NBD": MBGNBD().fit(X).predict(X, horizon=AHEAD),
        f"MBG/CNBD-{one.k_}": one.predict(X, horizon=AHEAD),
        "true k of each, true law": known,
    }


def main() -> None:
    """Print mean absolute and root mean squared error of each, and the totals."""
    for name, shapes in (("k from 1 to 8", np.arange(1, 9)), ("k = 3 for all", np.array([3]))):
        X, came = simulated(shapes, 11)
        print(f"{name}: {came.sum():,.0f} orders came")
        for law, said in forecasts(X).items():
            off = said - came
            print(
                f"  {law:26s} mean absolute error {np.abs(off).mean():.4f}, root mean square "
                f"{np.sqrt((off**2).mean()):.4f}, total {said.sum() / came.sum() - 1:+.1%}"
            )


if __name__ == "__main__":
    main()
