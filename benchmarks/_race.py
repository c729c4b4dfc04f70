"""Run the same job by several methods, interleaved in one process, and print medians and ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Job:
    """One job done by us and by others on the same data.

    ``prepare`` is called once and returns what every method gets; ``agree`` (if given) is called
    with the results by name and raises where they differ, so that no ratio compares two different
    answers. ``ask`` is the ratio asked for against the method named ``against``.
    """

    name: str
    prepare: Callable[[], object]
    methods: dict[str, Callable[[object], object]]  # "custvalue" first
    agree: Callable[[dict[str, object]], None] | None = None
    against: str | None = None
    ask: float | None = None
    repeats: int = 5
    repeats_of: dict[str, int] = field(default_factory=dict)  # slow peers: fewer runs


def race(job: Job) -> dict[str, object]:
    """Run one job round-robin; returns a row with median seconds and ratios by method."""
    data = job.prepare()
    seconds: dict[str, list[float]] = {name: [] for name in job.methods}
    results: dict[str, object] = {}
    for turn in range(job.repeats):
        for name, method in job.methods.items():
            if turn >= job.repeats_of.get(name, job.repeats):
                continue
            start = time.perf_counter()
            results[name] = method(data)
            seconds[name].append(time.perf_counter() - start)
    if job.agree is not None:
        job.agree(results)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ours = medians["custvalue"]
    return {
        "job": job.name,
        "seconds": medians,
        "ratio": {name: value / ours for name, value in medians.items() if name != "custvalue"},
        "against": job.against,
        "ask": job.ask,
    }


def show(row: dict[str, object]) -> str:
    """One row of the table as text."""
    parts = [f"{name} {value * 1e3:,.1f} ms" for name, value in row["seconds"].items()]  # type: ignore[attr-defined]
    ratios = [f"{value:,.1f}x {name}" for name, value in row["ratio"].items()]  # type: ignore[attr-defined]
    asked = f"  (asked: {row['ask']:g}x {row['against']})" if row["ask"] else ""
    return f"{row['job']}: {'; '.join(parts)}  ->  {'; '.join(ratios)}{asked}"
