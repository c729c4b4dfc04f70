"""Errors teach: what is wrong, how many rows, the first of them, what to do."""

from __future__ import annotations

import pickle

import pytest

from custvalue import exceptions
from custvalue.exceptions import ContractProblem, CustvalueWarning, DataContractError, first_ids

PROBLEMS = [
    ContractProblem(
        "refunds", "column 'amount' has negative values", "Choose refunds=.", 1200, ("a",)
    ),
    ContractProblem("missing-column", "the log has no column 'day'", "Name it with time=."),
]


def test_all_problems_of_a_table_are_told_together():
    error = DataContractError(PROBLEMS)
    assert error.problems == tuple(PROBLEMS)
    assert str(error).startswith("2 problems:")
    assert "refunds: column 'amount' has negative values (1,200 rows, first: a)." in str(error)
    assert "missing-column" in str(error)


def test_one_problem_reads_as_one_sentence():
    text = str(DataContractError(PROBLEMS[1]))
    assert text == "missing-column: the log has no column 'day'. Name it with time=."


def test_the_error_survives_pickling_so_that_workers_can_raise_it():
    again = pickle.loads(pickle.dumps(DataContractError(PROBLEMS)))
    assert again.problems == tuple(PROBLEMS)


def test_a_contract_error_is_a_value_error():
    with pytest.raises(ValueError, match="refunds"):
        raise DataContractError(PROBLEMS)


def test_every_warning_has_one_base_and_a_meaning():
    for name in exceptions.__all__:
        thing = getattr(exceptions, name)
        assert thing.__doc__
        if name.endswith("Warning"):
            assert issubclass(thing, CustvalueWarning)


def test_first_ids_stop_at_five():
    assert first_ids(iter("abcdefgh")) == ("a", "b", "c", "d", "e")
