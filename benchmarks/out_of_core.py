"""A log larger than memory, on one machine: ``python -m benchmarks.out_of_core 100_000_000``.

Writes a synthetic log to Parquet once (in ``CUSTVALUE_BENCH_DIR`` or the system's temporary
folder), then, each in its own process so that peak memory is its own: ``summarize`` on a DuckDB
relation with a memory limit, the same table by the SQL of ``summary_sql``, and the same on
polars lazily; then compress, fit, and the value of the base.

``all`` instead of steps, or ``DuckDB`` and ``Spark``: from the log to value, segment and stage of
every customer by the SQL of ``summary_sql`` and ``score_sql`` alone, the models fitted on a sample
of customers. ``--check 100_000`` holds the numbers of both engines to those in memory. Peak memory
is that of the whole process, with Spark's Java machine.
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


# ---- every customer's value, segment and stage, by SQL alone -------------------------------------

SAMPLE = 200_000  # customers, on whom models are fitted
READ = ["frequency", "recency", "T", "silence", "n_orders", "total_value", "gap_max", "gap_mean"]
READ += ["gap_std", "mean_value"]


def models(sample):
    import custvalue as cv
    from custvalue.purchase import MBGNBD

    value = cv.CustomerValue(purchases=MBGNBD(unit="W"), spend=cv.GammaGamma(), horizon="52W")
    stages = cv.LifecycleClassifier(unit="W").fit(sample)
    return value.fit(sample), cv.RFMTransformer(unit="W").fit(sample), stages


def scoring(dialect: str, fitted) -> list[tuple[str, str]]:
    """Views upon views, row by row: nothing is joined, nothing is held."""
    from custvalue import score_sql
    from custvalue.rfm import SegmentMap

    value, rfm, stages = fitted
    rest = [c for c in READ if c not in ("frequency", "recency", "T", "mean_value")]
    rest += ["recency"]
    told = ["value", *rest]
    views = [
        ("valued", score_sql(value, "summary", dialect, customer="who", keep=rest)),
        ("scored", score_sql(rfm, "valued", dialect, customer="who", keep=told)),
        ("named", score_sql(SegmentMap.ready(5), "scored", dialect, customer="who", keep=told)),
    ]
    last = score_sql(stages, "named", dialect, customer="who", keep=["value", "segment"])
    return [*views, ("customers", last)]


def sample_of(con, summary: str):
    return con.sql(
        f"SELECT * FROM '{summary}' USING SAMPLE reservoir({SAMPLE}) REPEATABLE (1)"
    ).df()


def scored_by_duckdb(path: Path, out: Path) -> None:
    con = connect()
    by_sql(path, out)
    clock("summary")
    fitted = models(sample_of(con, str(out)))
    clock("models, on a sample")
    con.sql(f"CREATE VIEW summary AS SELECT * FROM '{out}'")
    for name, text in scoring("duckdb", fitted):
        con.sql(f"CREATE VIEW {name} AS {text}")
    con.sql(f"COPY customers TO '{scores_of(out, 'duckdb')}' (FORMAT parquet)")
    clock("value, segment, stage")


def scored_by_spark(path: Path, out: Path) -> None:
    from pyspark.sql import SparkSession

    from custvalue.data import summary_sql

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "4g")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.local.dir", str(folder() / "custvalue_spark"))
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    there = str(out) + ".spark"
    spark.read.parquet(str(path)).createOrReplaceTempView("log")
    spark.sql(summary_sql("spark", table="log", **NAMES, unit="W")).write.mode("overwrite").parquet(
        there
    )
    clock("summary")
    fitted = models(sample_of(connect(), there + "/*.parquet"))
    clock("models, on a sample")
    spark.read.parquet(there).createOrReplaceTempView("summary")
    for name, text in scoring("spark", fitted):
        spark.sql(text).createOrReplaceTempView(name)
    spark.table("customers").write.mode("overwrite").parquet(scores_of(out, "spark"))
    clock("value, segment, stage")
    spark.stop()


def scores_of(out: Path, engine: str) -> str:
    return str(out).replace("summary", f"scores_{engine}")


def check(rows: int) -> None:
    """The numbers of both engines are those in memory."""
    import duckdb
    import numpy as np
    import pandas as pd

    import custvalue as cv
    from custvalue.rfm import SegmentMap

    path, out = write_log(rows), folder() / f"custvalue_summary_{rows}.parquet"
    log = pd.read_parquet(path)
    table = cv.summarize(log, **NAMES, unit="W", refunds="net_occasion")
    for engine, step in (("duckdb", scored_by_duckdb), ("spark", scored_by_spark)):
        step(path, out)
        summary = str(out) if engine == "duckdb" else f"{out}.spark/*.parquet"
        value, rfm, stages = models(sample_of(connect(), summary))
        where = scores_of(out, engine) + ("" if engine == "duckdb" else "/*.parquet")
        made = duckdb.sql(f"SELECT * FROM '{where}' ORDER BY who").df()
        assert (made["who"].to_numpy() == table["who"].to_numpy()).all()
        np.testing.assert_allclose(made["value"], value.predict(table), rtol=1e-8)
        segments = SegmentMap.ready(5).assign(rfm.transform(table))
        assert (made["segment"].to_numpy() == segments).all()
        assert (made["stage"].to_numpy() == stages.predict(table)).all()
        print(f"{engine}: value, segment and stage of {len(made):,} customers as in memory")


def clock(what: str) -> None:
    """Say what a part took of the processor, with children (Spark's Java machine)."""
    own, rest = _started.get("wall", time.perf_counter()), _started.get("cpu", 0.0)
    wall, cpu = time.perf_counter(), processor()
    print(f"  {what}: {wall - own:.1f} s wall, {cpu - rest:.1f} s CPU", flush=True)
    _started.update(wall=wall, cpu=cpu)


_started: dict[str, float] = {}


def processor() -> float:
    """Seconds of this process and of those it started, running ones too."""
    total = time.process_time()
    for pid, fields in _children():
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if pid else 0.0
    return total


def _children():
    """What /proc says of every process below this one."""
    found, known = {}, {os.getpid()}
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdigit():
                found[int(each.name)] = (each / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
    for _ in range(4):
        known |= {pid for pid, fields in found.items() if int(fields[1]) in known}
    return [(pid, found[pid]) for pid in known - {os.getpid()} if pid in found]


def peak_of_children() -> float:
    """GiB that the processes below this one took at their peak."""
    most = 0.0
    for pid, _ in _children():
        try:
            text = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            continue
        most += sum(int(line.split()[1]) for line in text.splitlines() if line[:6] == "VmHWM:")
    return most / 2**20


STEPS = {
    "DuckDB": scored_by_duckdb,
    "Spark": scored_by_spark,
    "custvalue on DuckDB": by_custvalue,
    "the SQL of summary_sql": by_sql,
    "custvalue on polars lazy": by_polars,
    "compress, fit, predict": fit_and_value,
}


def main(rows: int, steps: list[str]) -> None:
    path = write_log(rows)
    out = folder() / f"custvalue_summary_{rows}.parquet"
    print(f"{rows:,} rows, {path.stat().st_size / 1e9:.2f} GB of Parquet, DuckDB limit {LIMIT}")
    rest = [step for step in STEPS if step not in ("DuckDB", "Spark")]
    for step in list(STEPS) if steps == ["all"] else steps or rest:
        command = [sys.executable, "-m", "benchmarks.out_of_core", "--step", step, path, out]
        subprocess.run([str(part) for part in command], check=True)


def run_step(step: str, path: Path, out: Path) -> None:
    warnings.simplefilter("ignore")
    start, cpu = time.perf_counter(), time.process_time()
    _started.update(wall=start, cpu=cpu)
    STEPS[step](path, out)
    wall, cpu = time.perf_counter() - start, processor() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20 + peak_of_children()
    print(f"{step}: {wall:.1f} s wall, {cpu:.1f} s CPU, peak {peak:.2f} GiB", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--step":
        run_step(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    elif sys.argv[1] == "--check":
        warnings.simplefilter("ignore")
        check(int(sys.argv[2].replace("_", "")))
    else:
        main(int(sys.argv[1].replace("_", "")), sys.argv[2:])
