"""Say how far a long computation is: to a callable, or as a bar on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = "bool | Callable[[int, int, str], None] | None"
PATIENCE = 2.0  # seconds before a bar shows by itself
_WIDTH = 24


class Teller:
    """Count steps and tell of them.

    Parameters
    ----------
    progress : bool, callable or None
        A callable gets (done, total, text). True draws a bar on standard error, None does so after
        two seconds where that is a terminal, False never.
    total : int
    """

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total = progress, total
        self.done, self.start, self.drawn = 0, time.perf_counter(), False

    def __call__(self, text: str) -> None:
        self.done += 1
        if callable(self.progress):
            self.progress(self.done, self.total, text)
            return
        slow = time.perf_counter() - self.start > PATIENCE
        if self.progress or (self.progress is None and slow and sys.stderr.isatty()):
            full = round(_WIDTH * min(self.done / max(self.total, 1), 1.0))
            bar = "#" * full + "." * (_WIDTH - full)
            sys.stderr.write(f"\r[{bar}] {self.done}/{self.total} {text:<40.40}")
            self.drawn = True
            if self.done >= self.total:
                self.close()

    def close(self) -> None:
        """End the line of a bar that was drawn."""
        if self.drawn:
            sys.stderr.write("\n")
            self.drawn = False
