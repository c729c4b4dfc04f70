"""``python -m benchmarks [part ...]``: run every ``bench_*.py`` here, or those that match.

Prints one Markdown table a part: medians, ratios side by side in one run, peak memory above what
the process held before, and the ratio asked for. Seeds are fixed; what is not installed is skipped
with its name. ``python -m benchmarks.accuracy`` prints who forecasts best.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks._race import TITLE, header, race, show


def main(parts: list[str]) -> None:
    print(header())
    for info in pkgutil.iter_modules(benchmarks.__path__):
        if not info.name.startswith("bench_") or (parts and not any(p in info.name for p in parts)):
            continue
        print(f"\n## {info.name.removeprefix('bench_')}\n")
        try:
            module = importlib.import_module(f"benchmarks.{info.name}")
        except ModuleNotFoundError as reason:
            print(f"skipped: {reason}")
            continue
        print(TITLE)
        for job in getattr(module, "JOBS", ()):  # some print tables of their own
            print(show(race(job)), flush=True)
        for note in getattr(module, "NOTES", ()):
            print(note)


if __name__ == "__main__":
    main(sys.argv[1:])
