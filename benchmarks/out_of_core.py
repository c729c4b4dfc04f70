"""A log larger than memory, on one machine: ``python -m benchmarks.out_of_core 100_000_000``.

Writes a synthetic log to Parquet once (in ``CUSTVALUE_BENCH_DIR`` or the system's temporary
folder), then, each in its own process so that peak memory is its own: ``summarize`` on a DuckDB
relation with a memory limit, the same table by the SQL of ``summary_sql``, and the same on
polars lazily; then compress, fit, and the value of the base.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

NAMES = {"customer": "who", "time": "when", "amount": "paid", "as_of": "2025-12-31"}
LIMIT = os.environ.get("CUSTVALUE_BENCH_MEMORY", "4GB")


def folder() -> Path:
    return Path(os.environ.get("CUSTVALUE_BENCH_DIR", tempfile.gettempdir()))


def connect():
    import duckdb

    con = duckdb.connect()
    con.sql(f"SET memory_limit = '{LIMIT}'")
    con.sql(f"SET temp_directory = '{folder() / 'custvalue_spill'}'")
    con.sql("SET preserve_insertion_order = false")
    return con


def write_log(rows: int) -> Path:
    """rows of rows/9 customers, whose rates differ (squared uniform), over two years, in cents."""
    path = folder() / f"custvalue_log_{rows}.parquet"
    if not path.exists():
        connect().sql(f"""
            COPY (
              SELECT CAST(floor({rows // 9} * random() * random()) AS BIGINT) * 7 AS who,
                TIMESTAMP '2024-01-01' + to_seconds(CAST(random() * 63072000 AS BIGINT)) AS when,
                round(exp(3 + 0.8 * (random() + random() + random() - 1.5) * 2), 2) AS paid
              FROM range({rows})
            ) TO '{path}' (FORMAT parquet)""")
    return path


def by_custvalue(path: Path, out: Path) -> None:
    import custvalue as cv

    con = connect()
    cv.summarize(con.read_parquet(str(path)), **NAMES, unit="W").write_parquet(str(out))


def by_sql(path: Path, out: Path) -> None:
    from custvalue.data import summary_sql

    con = connect()
    con.sql(f"CREATE VIEW log AS SELECT * FROM '{path}'")
    con.sql(summary_sql("duckdb", table="log", **NAMES, unit="W")).write_parquet(str(out))


def by_polars(path: Path, out: Path) -> None:
    import polars as pl

    import custvalue as cv

    cv.summarize(pl.scan_parquet(path), **NAMES, unit="W").sink_parquet(out)


def fit_and_value(path: Path, out: Path) -> None:
    """From the summary on disk to the parameters of a law, through compressed rows."""
    import custvalue as cv
    from custvalue.purchase import MBGNBD

    small = cv.compress(connect().read_parquet(str(out))).df()
    model = MBGNBD(unit="W").fit(small, sample_weight=small["weight"])
    orders = float((model.predict(small, horizon="52W") * small["weight"]).sum())
    customers = int(small["weight"].sum())
    print(f"  {customers:,} customers, {len(small):,} distinct rows; {orders:,.0f} orders in 52W")


STEPS = {
    "custvalue on DuckDB": by_custvalue,
    "the SQL of summary_sql": by_sql,
    "custvalue on polars lazy": by_polars,
    "compress, fit, predict": fit_and_value,
}


def main(rows: int, steps: list[str]) -> None:
    path = write_log(rows)
    out = folder() / f"custvalue_summary_{rows}.parquet"
    print(f"{rows:,} rows, {path.stat().st_size / 1e9:.2f} GB of Parquet, DuckDB limit {LIMIT}")
    for step in steps or list(STEPS):
        command = [sys.executable, "-m", "benchmarks.out_of_core", "--step", step, path, out]
        subprocess.run([str(part) for part in command], check=True)


def run_step(step: str, path: Path, out: Path) -> None:
    warnings.simplefilter("ignore")
    start, cpu = time.perf_counter(), time.process_time()
    STEPS[step](path, out)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{step}: {wall:.1f} s wall, {cpu:.1f} s CPU, peak {peak:.2f} GiB", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--step":
        run_step(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main(int(sys.argv[1].replace("_", "")), sys.argv[2:])
