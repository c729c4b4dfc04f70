"""The columns that a market table needs, all problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custvalue import _frames
from custvalue.exceptions import ContractProblem, DataContractError, nearest


def check_columns(X: Any, columns: Mapping[str, str | None], table: str) -> None:
    """Refuse a table that lacks some of ``columns`` (what it is for: its name), all at once.

    Raises
    ------
    TypeError
        If ``X`` is no frame.
    DataContractError
        Naming every missing column, with the nearest one that is there.
    """
    have = _frames.column_names(X)
    if have is None:
        raise TypeError(f"{table} must be a frame with named columns, not {type(X).__name__}.")
    problems = [
        ContractProblem(
            "missing-column",
            f"{table} has no column {name!r}; it has {have}",
            f"Name it: {what}=.{nearest(name, have)}",
        )
        for what, name in columns.items()
        if name is not None and name not in have
    ]
    if problems:
        raise DataContractError(problems)
