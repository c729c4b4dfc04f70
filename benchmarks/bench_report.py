"""Time and memory of a report: ``python -m benchmarks.bench_report [orders ...]``.

Logs of Pareto/NBD customers with log-normal spend over two years, .56 customers an order, ids as
text, written to Parquet once (in ``CUSTVALUE_BENCH_DIR`` or the system's temporary folder). Each
report is made by the command line's functions in a process of its own, so that peak memory is its
own; wall and processor seconds a step of the work.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

SIZES = (100_000, 1_000_000)
BLOCK = 560_000  # customers that are simulated at once
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "2021-12-30"}
JOBS: tuple[Any, ...] = ()
NOTES = ("Run `python -m benchmarks.bench_report 100_000 1_000_000`.",)


def write_log(orders: int) -> Path:
    """About so many orders, in Parquet."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from custvalue.purchase import ParetoNBD

    folder = Path(os.environ.get("CUSTVALUE_BENCH_DIR", tempfile.gettempdir()))
    path = folder / f"custvalue_report_{orders}.parquet"
    if path.exists():
        return path
    law = ParetoNBD.from_params(r=0.4, alpha=20.0, s=0.6, beta=12.0, unit="W")
    left, writer, block = round(0.56 * orders * 1.088), None, 0
    while left > 0:
        n = min(left, BLOCK)
        rng = np.random.default_rng([1, block])
        log = law.sample(n, "104W", births="80W", random_state=block)
        who = log["customer_id"].to_numpy()
        level = np.exp(rng.normal(2.0, 0.7, n))
        table = pd.DataFrame(
            {
                "customer_id": pd.Series(who + block * BLOCK).astype("str"),
                "date": log["date"].dt.floor("D"),
                "amount": np.round(rng.gamma(4.0, 1.0, len(log)) * level[who] + 0.01, 2),
            }
        )
        rows = pa.Table.from_pandas(table, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, rows.schema)
        writer.write_table(rows)
        left, block = left - n, block + 1
    assert writer is not None
    writer.close()
    return path


def report(path: Path) -> None:
    import pandas as pd

    from custvalue.report import make_report

    warnings.simplefilter("ignore")
    began, cpu = time.perf_counter(), time.process_time()
    log = pd.read_parquet(path)
    marks: list[tuple[str, float, float]] = []

    def tell(step: str, done: int, total: int) -> None:
        marks.append((step, time.perf_counter(), time.process_time()))

    made = make_report(log, **NAMES, margin=0.3, progress=tell)
    with tempfile.TemporaryDirectory() as folder:
        marks.append(("write", time.perf_counter(), time.process_time()))
        made.write(Path(folder) / "report", tables="parquet")
    marks.append(("", time.perf_counter(), time.process_time()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"| {len(log):,} | {len(made.customers):,} | {marks[-1][1] - began:.1f} "
        f"| {marks[-1][2] - cpu:.1f} | {peak:.2f} |"
    )
    for (step, wall, used), (_, then, more) in pairwise(marks):
        print(f"| &nbsp; {step} | | {then - wall:.1f} | {more - used:.1f} | |", flush=True)


def main(sizes: list[int]) -> None:
    print("| orders | customers | wall, s | processor, s | peak, GiB |")
    print("| --- | --- | --- | --- | --- |", flush=True)
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.bench_report", "--on", str(write_log(size))]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--on"]:
        report(Path(sys.argv[2]))
    else:
        main([int(v.replace("_", "")) for v in sys.argv[1:]] or list(SIZES))
