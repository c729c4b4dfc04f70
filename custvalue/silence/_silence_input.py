"""Reading what silence is judged on: a summary by name, or a matrix of gaps by position."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite

from custvalue._open_table import Table
from custvalue._sklearn import read_columns
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.silence._silence import GapFacts, gap_facts

COLUMNS = ("silence", "n_gaps", "gap_max", "gap_sum", "n_gaps_shorter")
MISSING_OK = ("gap_max", "n_gaps_shorter")


def is_summary(table: Table) -> bool:
    """Whether a table is read by the names of a summary's columns."""
    return not set(COLUMNS).isdisjoint(table.names or ())


def read_gaps(estimator: Any, table: Table, *, reset: bool) -> GapFacts:
    """Gap figures of a summary (by name) or of a matrix of gaps (by position), checked.

    Raises
    ------
    DataContractError
        If a column is missing, has bad values, or contradicts another.
    TimeUnitError
        If the table counts time in another unit than the fitted one.
    ValueError
        If the kind of table differs from the fitted one, or a number is negative or not finite.
    """
    name = type(estimator).__name__
    if not reset and is_summary(table) != estimator.is_named_:
        kinds = ("a matrix of gaps", "a summary")
        raise ValueError(
            f"{name} was fitted on {kinds[estimator.is_named_]}, and X is read as "
            f"{kinds[not estimator.is_named_]}: pass the same kind of table. A summary is a frame "
            f"with the columns {', '.join(COLUMNS)}."
        )
    values, named = read_columns(estimator, table, COLUMNS, reset=reset, allow_missing=MISSING_OK)
    if not named:
        assert_all_finite(values, estimator_name=name, input_name="X")
        below = np.flatnonzero((values < 0).any(axis=1))
        if len(below):
            text = f"Negative values in data passed to {name}"
            cure = "A gap is a length of time, 0 or more."
            raise DataContractError(ContractProblem.at("negative-gap", text, cure, below))
        return gap_facts(values)
    facts = GapFacts(
        silence=values[:, 0],
        n_gaps=values[:, 1],
        gap_max=np.nan_to_num(values[:, 2]),
        gap_sum=values[:, 3],
        n_shorter=np.nan_to_num(values[:, 4]),
    )
    check_facts(facts)
    return facts


def check_facts(facts: GapFacts) -> None:
    """Refuse gap figures that cannot belong together, naming column and rows."""
    tests = {
        "negative-silence": (facts.silence < 0, "'silence' is negative"),
        "gap-count": (
            (facts.n_gaps < 0) | (facts.n_gaps != np.floor(facts.n_gaps)),
            "'n_gaps' is not a whole number >= 0",
        ),
        "gap-max": (
            (facts.n_gaps > 0) & ~(facts.gap_max > 0),
            "'gap_max' is missing or 0 though 'n_gaps' is not 0",
        ),
        "gap-sum": (
            (facts.n_gaps > 0) & (facts.gap_sum < facts.gap_max * (1 - 1e-9)),
            "'gap_sum' is less than 'gap_max'",
        ),
        "shorter-gaps": (
            (facts.n_shorter < 0) | (facts.n_shorter > facts.n_gaps),
            "'n_gaps_shorter' does not lie between 0 and 'n_gaps'",
        ),
    }
    cure = "custvalue.summarize makes these columns."
    problems = [
        ContractProblem.at(code, text, cure, np.flatnonzero(bad))
        for code, (bad, text) in tests.items()
        if bad.any()
    ]
    if problems:
        raise DataContractError(problems)
