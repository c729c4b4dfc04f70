"""Warnings that point at the user's own line, however deep the library was when it noticed."""

from __future__ import annotations

import os
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

_WITHIN = tuple(
    str(Path(spec.origin).parent) + os.sep
    for name in ("custvalue", "sklearn", "joblib")
    if (spec := find_spec(name)) is not None and spec.origin is not None
)


def warn_caller(text: str, category: type[Warning]) -> None:
    """Warn at the innermost line that is neither the library's nor scikit-learn's.

    Parameters
    ----------
    text : str
    category : type of Warning

    Examples
    --------
    >>> import warnings
    >>> from custvalue._warn import warn_caller
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     warn_caller("look here", UserWarning)
    >>> str(said[0].message)
    'look here'
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_WITHIN):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)
