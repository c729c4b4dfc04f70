"""Run one job by several methods, interleaved in one process: medians, ratios, peak memory."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """One job done by us and by others on the same data.

    ``prepare`` is called once and returns what every method gets; ``agree`` (if given) is called
    with the results by name and raises where they differ, so that no ratio compares two different
    answers. ``ask`` is the ratio asked for against the method named ``against``. Where the work is
    done in a process of its own, ``measured`` takes a result to the seconds and MB it took there.
    """

    name: str
    prepare: Callable[[], object]
    methods: dict[str, Callable[[object], object]]  # "custvalue" first
    agree: Callable[[dict[str, object]], None] | None = None
    against: str | None = None
    ask: float | None = None
    repeats: int = 5
    repeats_of: dict[str, int] = field(default_factory=dict)  # slow peers: fewer runs
    measured: Callable[[Any], tuple[float, float]] | None = None


@dataclass(frozen=True)
class Row:
    """What one job took: medians of seconds and peaks of memory by method."""

    job: Job
    seconds: dict[str, float]
    runs: dict[str, int]
    peak_mb: dict[str, float]

    def ratio(self, method: str) -> float:
        """How many times longer than custvalue."""
        return self.seconds[method] / self.seconds["custvalue"]


def race(job: Job) -> Row:
    """Run one job round-robin, so that a noisy minute hits every method alike."""
    data = job.prepare()
    seconds: dict[str, list[float]] = {name: [] for name in job.methods}
    peak: dict[str, float] = dict.fromkeys(job.methods, 0.0)
    results: dict[str, object] = {}
    for turn in range(job.repeats):
        for name, method in job.methods.items():
            if turn >= job.repeats_of.get(name, job.repeats):
                continue
            gc.collect()
            before = _reset_peak()
            start = time.perf_counter()
            results[name] = method(data)
            took, most = time.perf_counter() - start, _peak_mb() - before
            if job.measured is not None:
                took, most = job.measured(results[name])
            seconds[name].append(took)
            peak[name] = max(peak[name], most)
    if job.agree is not None:
        job.agree(results)
    return Row(
        job,
        {name: statistics.median(times) for name, times in seconds.items()},
        {name: len(times) for name, times in seconds.items()},
        peak,
    )


def header() -> str:
    """Date, machine, versions and threads: what a figure means nothing without."""
    packages = ["custvalue", "numpy", "scipy", "pandas", "scikit-learn", "polars", "duckdb"]
    packages += ["lifetimes", "clvkit"]
    found = []
    for name in packages:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            if name == "custvalue":
                import custvalue

                found.append(f"{name} {custvalue.__version__}")
            else:
                found.append(f"{name} not installed")
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "default")
    return (
        f"{date.today()}, {_processor()}, {os.cpu_count()} cores, BLAS threads {threads}, Python "
        f"{platform.python_version()}. " + ", ".join(found) + "."
    )


TITLE = (
    "| job | custvalue | others (ratio to custvalue) | peak memory, MB | asked |\n"
    "|---|---|---|---|---|"
)


def show(row: Row) -> str:
    """One row of the table, in Markdown."""
    others = [name for name in row.seconds if name != "custvalue"]
    told = ", ".join(
        f"{n} {_time(row.seconds[n])} ({row.ratio(n):,.1f}x"
        + (")" if row.runs[n] == row.runs["custvalue"] else f", of {row.runs[n]})")
        for n in others
    )
    peaks = ", ".join(f"{n} {mb:,.0f}" for n, mb in row.peak_mb.items())
    asked = f"{row.job.ask:g}x {row.job.against}" if row.job.ask else ""
    ours = f"{_time(row.seconds['custvalue'])}, median of {row.runs['custvalue']}"
    return f"| {row.job.name} | {ours} | {told} | {peaks} | {asked} |"


def _time(seconds: float) -> str:
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{seconds * 1e3:,.2f} ms"


def _reset_peak() -> float:
    """Forget the process's peak of memory; returns what it holds now, in MB (0 off Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return 0.0
    return _status("VmRSS")


def _peak_mb() -> float:
    return _status("VmHWM")


def _status(field_name: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(field_name))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    found = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return found[0] if found else platform.machine()
