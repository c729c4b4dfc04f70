"""``python -m benchmarks [part ...]``: run every ``bench_*.py`` here, or those that match."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks
from benchmarks._race import race, show


def main(parts: list[str]) -> None:
    for info in pkgutil.iter_modules(benchmarks.__path__):
        if info.name.startswith("bench_") and (not parts or any(p in info.name for p in parts)):
            module = importlib.import_module(f"benchmarks.{info.name}")
            print(f"## {info.name.removeprefix('bench_')}")
            for job in module.JOBS:
                print(show(race(job)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
