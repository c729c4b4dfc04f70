"""One way to warn: it points at the caller's line, and listening for it touches no other thread.

``warnings.catch_warnings`` changes the filters of the whole process; two threads inside it at once
leave them changed for good. So nothing here silences or records by it: `warn` asks first whether
the code that called wants to hear the warning itself (`heard`), which is known per thread and task,
and otherwise hands it to ``warnings.warn``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from custvalue.exceptions import CustvalueWarning

Kinds = tuple[type[Warning], ...]
_listening: ContextVar[tuple[tuple[Kinds, list[Warning]], ...]] = ContextVar(
    "custvalue_listening", default=()
)
_HOME = str(Path(__file__).parent)
_BETWEEN = {"sklearn", "joblib"}  # they stand between a pipeline's caller and an estimator


def warn(message: str, category: type[CustvalueWarning]) -> None:
    """Warn whoever called the library, or tell the innermost `heard` that wants this category.

    Parameters
    ----------
    message : str
    category : subclass of CustvalueWarning

    Examples
    --------
    >>> from custvalue._warn import heard, warn
    >>> from custvalue.exceptions import DataWarning
    >>> with heard() as told:
    ...     warn("3 rows were dropped", DataWarning)
    >>> [str(one) for one in told]
    ['3 rows were dropped']
    """
    for kinds, told in reversed(_listening.get()):
        if issubclass(category, kinds):
            told.append(category(message))
            return
    warnings.warn(message, category, stacklevel=_level_of_caller())


@contextmanager
def heard(*categories: type[Warning]) -> Iterator[list[Warning]]:
    """Take the library's warnings here instead of sending them on, in this thread and task alone.

    Whoever fits a model as a step of something larger listens, and then drops the warnings, puts
    them on a page, or sends some on by `warn`. The process's filters stay untouched, even where
    they turn warnings into errors. Threads started inside do not listen.

    Parameters
    ----------
    *categories : type
        Default: every `CustvalueWarning`.

    Yields
    ------
    list of Warning
        What was said, in order.
    """
    told: list[Warning] = []
    token = _listening.set((*_listening.get(), (categories or (CustvalueWarning,), told)))
    try:
        yield told
    finally:
        _listening.reset(token)


def _level_of_caller() -> int:
    """Count frames from ``warnings.warn`` in `warn` up to the first one outside the library."""
    level, frame = 2, sys._getframe(2)
    while frame.f_back is not None and (
        frame.f_code.co_filename.startswith(_HOME)
        or str(frame.f_globals.get("__name__")).partition(".")[0] in _BETWEEN
    ):
        level, frame = level + 1, frame.f_back
    return level
