"""What the default forecast takes: ``python -m benchmarks.default [orders ...]``.

The logs of ``benchmarks.bench_report``; ``BestValue`` is fitted and asked for every customer in a
process of its own, so that the peak of memory is its own. Seconds are of the processor.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import warnings

from benchmarks.bench_report import NAMES, SIZES, write_log


def forecast(path: str) -> None:
    import pandas as pd

    import custvalue as cv

    warnings.simplefilter("ignore")
    log = cv.TransactionLog(pd.read_parquet(path), **NAMES)
    began = time.process_time()
    model = cv.BestValue(horizon="26W", progress=False).fit(log)
    fitted = time.process_time()
    n = len(model.predict(log))
    asked = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"| {len(log.frame):,} | {n:,} | {fitted - began:.0f} | {asked - fitted:.0f} | {peak:.1f} |"
    )


def main(sizes: list[int]) -> None:
    print(
        "| orders | customers | fit, s | predict, s | peak, GiB |\n|---|---|---|---|---|",
        flush=True,
    )
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.default", "--on", str(write_log(size))]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--on"]:
        forecast(sys.argv[2])
    else:
        main([int(v.replace("_", "")) for v in sys.argv[1:]] or list(SIZES))
