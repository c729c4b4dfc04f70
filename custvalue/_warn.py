"""One way to warn: it points at the user's own line, and listening for it touches no other thread.

``warnings.catch_warnings`` changes the filters of the whole process; two threads inside it at once
leave them changed for good. So nothing here silences or records by it: `warn_caller` asks first
whether the code that called wants to hear the warning itself (`heard`), which is known per thread
and task, and otherwise hands it to ``warnings.warn``.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from pathlib import Path

from custvalue.exceptions import CustvalueWarning

Kinds = tuple[type[Warning], ...]
_listening: ContextVar[tuple[tuple[Kinds, list[Warning]], ...]] = ContextVar(
    "custvalue_listening", default=()
)
_WITHIN = tuple(
    str(Path(spec.origin).parent) + os.sep
    for name in ("custvalue", "sklearn", "joblib")
    if (spec := find_spec(name)) is not None and spec.origin is not None
)


def warn_caller(text: str, category: type[Warning]) -> None:
    """Warn at the innermost line that is neither the library's nor scikit-learn's.

    Where a `heard` around the call wants this category, it is told instead.

    Parameters
    ----------
    text : str
    category : type of Warning

    Examples
    --------
    >>> from custvalue._warn import heard, warn_caller
    >>> with heard(UserWarning) as told:
    ...     warn_caller("look here", UserWarning)
    >>> [str(one) for one in told]
    ['look here']
    """
    for kinds, told in reversed(_listening.get()):
        if issubclass(category, kinds):
            told.append(category(text))
            return
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_WITHIN):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


@contextmanager
def heard(*categories: type[Warning]) -> Iterator[list[Warning]]:
    """Take the library's warnings here instead of sending them on, in this thread and task alone.

    Whoever fits a model as a step of something larger listens, and then drops the warnings, puts
    them on a page, or sends some on by `warn_caller`. The process's filters stay untouched, even
    where they turn warnings into errors. Threads started inside do not listen.

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
