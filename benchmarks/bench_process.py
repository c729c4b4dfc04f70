"""A fresh interpreter from a log on disk to every customer's value, imports included.

Each run is a process of its own that reads a million transactions from the same Parquet file,
summarizes them, fits a BG/NBD and a Gamma-Gamma law and values every customer over twelve months;
the peak is that of the process, from nothing. The second job is what imports add to those of pandas
and scikit-learn.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks._race import Job
from custvalue.purchase import BGNBD

N_ORDERS = 1_000_000
N_CUSTOMERS = 400_000

OURS = """
import json, sys
import pandas as pd
from custvalue import BGNBD, CustomerValue, GammaGamma, summarize
log = pd.read_parquet(sys.argv[1])
table = summarize(log, customer="customer", time="date", amount="amount", as_of=sys.argv[2])
model = CustomerValue.from_fitted(
    BGNBD().fit(table), GammaGamma().fit(table), annual_discount_rate=1.01**12 - 1, timing="end",
    period="30D", orders="repeat",
)
value = model.predict(table, horizon="360D")
found = [len(table), float(value.sum())]
"""

THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.utils import summary_data_from_transaction_data
log = pd.read_parquet(sys.argv[1])
table = summary_data_from_transaction_data(
    log, "customer", "date", monetary_value_col="amount", observation_period_end=sys.argv[2]
)
orders = BetaGeoFitter().fit(table["frequency"], table["recency"], table["T"])
repeat = table[table["frequency"] > 0]
spend = GammaGammaFitter().fit(repeat["frequency"], repeat["monetary_value"])
value = spend.customer_lifetime_value(
    orders, table["frequency"], table["recency"], table["T"], table["monetary_value"], time=12,
    discount_rate=0.01, freq="D",
)
found = [len(table), float(value.sum())]
"""

IMPORT = """
import json, sys, time
import pandas, sklearn.base, sklearn.utils.validation
start = time.perf_counter()
exec(sys.argv[1])
took = time.perf_counter() - start
found = [took]
"""


# the kernel's own count: getrusage would carry over the peak of the process that started this one
TELL = """
from pathlib import Path
status = Path("/proc/self/status")
peak = float(status.read_text().split("VmHWM:")[1].split()[0]) / 1024 if status.exists() else 0.0
print(json.dumps([*found, peak]))
"""


class Made(NamedTuple):
    """What a run found, and what it took: seconds from start to end of the process, peak in MB."""

    customers: int
    value: float
    seconds: float
    peak_mb: float


def log_on_disk() -> tuple[str, str]:
    """Path of a million orders of customers who buy and leave as the BG/NBD says, and their end."""
    rng = np.random.default_rng(2)
    model = BGNBD.from_params(r=0.35, alpha=45.0, a=0.8, b=2.5, unit="D")
    log = model.sample(N_CUSTOMERS, "730D", births="365D", random_state=1).iloc[:N_ORDERS]
    who, day = log["customer_id"].to_numpy(), log["date"].to_numpy().astype("datetime64[D]")
    mean = 6.25 / rng.gamma(3.74, 1 / 15.44, N_CUSTOMERS)
    spent = (mean[who] * rng.gamma(6.25, 1 / 6.25, len(log))).round(2) + 0.01
    made = pd.DataFrame({"customer": who, "date": day.astype("datetime64[us]"), "amount": spent})
    path = Path(tempfile.mkdtemp()) / "log.parquet"
    made.iloc[rng.permutation(len(made))].reset_index(drop=True).to_parquet(path)
    return str(path), str(day.max())


def fresh(code: str, *arguments: str) -> list[float]:
    """Numbers printed by a new interpreter that runs ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", code + TELL, *arguments], capture_output=True, text=True, check=True
    )
    found: list[float] = json.loads(done.stdout)
    return found


def values(code: str) -> Callable[[Any], Made]:
    def run(log: Any) -> Made:
        start = time.perf_counter()
        n, value, peak = fresh(code, *log)
        return Made(int(n), value, time.perf_counter() - start, peak)

    return run


def importing(code: str) -> Callable[[Any], list[float]]:
    return lambda _: fresh(IMPORT, code)


def same(found: dict[str, Any]) -> None:
    """As many customers; the same total, but for a month discounted as 30 days or as a twelfth."""
    ours, theirs = found["custvalue"], found["lifetimes"]
    assert ours.customers == theirs.customers
    np.testing.assert_allclose(ours.value, theirs.value, rtol=2e-3)


JOBS = [
    Job(
        "a log of 1,000,000 orders to the value of every customer, fresh process",
        log_on_disk,
        {"custvalue": values(OURS), "lifetimes": values(THEIRS)},
        agree=same,
        against="lifetimes",
        ask=10,
        repeats_of={"lifetimes": 2},
        measured=lambda made: (made.seconds, made.peak_mb),
    ),
    Job(
        "import after pandas and scikit-learn (asked: 300 ms at most)",
        lambda: None,
        {
            "custvalue": importing("import custvalue"),
            "what the first job imports": importing(
                "from custvalue import BGNBD, CustomerValue, GammaGamma, summarize"
            ),
            "lifetimes": importing("import lifetimes"),
        },
        measured=lambda took: (took[0], took[1]),
    ),
]
