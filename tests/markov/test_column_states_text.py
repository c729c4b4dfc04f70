"""States from columns of text."""

import pandas as pd
import polars as pl
import pytest

from custvalue.exceptions import DataContractError
from custvalue.markov import ColumnStates

TABLE = pd.DataFrame({"region": ["west", "east", "west"], "size": [3, 1, 2]})


def test_words_are_classes_in_the_order_of_the_alphabet_beside_numbers():
    states = ColumnStates(["region", "size"]).fit(TABLE)
    assert states.transform(TABLE).tolist() == [[1, 2], [0, 0], [1, 1]]
    assert states.words_ == [["east", "west"], None]


def test_any_number_of_words_stays_apart():
    table = pd.DataFrame({"w": [f"w{k:02d}" for k in range(30)]})
    assert ColumnStates(["w"], n_classes=3).fit_transform(table).ravel().tolist() == list(range(30))


@pytest.mark.parametrize("kind", ["category", "object", "polars"])
def test_every_kind_of_text_column_is_read(kind):
    table = pl.from_pandas(TABLE) if kind == "polars" else TABLE.astype({"region": kind})
    assert ColumnStates(["region"]).fit_transform(table).ravel().tolist() == [1, 0, 1]


def test_a_word_that_was_not_there_is_named_with_its_row():
    states = ColumnStates(["region"]).fit(TABLE)
    with pytest.raises(DataContractError, match=r"'region'.*north; it knows east, west.*first: 1"):
        states.transform(pd.DataFrame({"region": ["west", "north"]}))


def test_a_missing_word_is_refused_by_row():
    with pytest.raises(DataContractError, match=r"'region'.*1 row, first: 1"):
        ColumnStates(["region"]).fit(pd.DataFrame({"region": ["west", None]}))


def test_numbers_where_words_were_fitted_are_refused():
    states = ColumnStates(["region"]).fit(TABLE)
    with pytest.raises(DataContractError, match="no text at all"):
        states.transform(pd.DataFrame({"region": [1, 2]}))
