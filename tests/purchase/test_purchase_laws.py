"""Every law of the field, over every model of the registry."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

from custvalue.exceptions import CustvalueWarning
from custvalue.purchase import MBGNBD, NBD
from custvalue.testing import check_purchase_model
from custvalue.testing._columns import COLUMN_LAWS
from custvalue.testing._models import PURCHASE_MODELS
from custvalue.testing._purchase import PURCHASE_LAWS, example_params


class Hasty(NBD):
    law = dataclasses.replace(NBD.law, expected_orders=lambda r, alpha, t: 1.1 * r * t / alpha)


@pytest.mark.parametrize("which", ["usual", "edge", "small"])
@pytest.mark.parametrize("law", PURCHASE_LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", PURCHASE_MODELS)
def test_the_model_obeys_the_law(name, law, which):
    kind = PURCHASE_MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CustvalueWarning)
        law(kind, example_params(kind.law, which))


@pytest.mark.parametrize("law", COLUMN_LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", PURCHASE_MODELS)
def test_the_model_obeys_the_law_of_columns(name, law):
    kind = PURCHASE_MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CustvalueWarning)
        law(kind, example_params(kind.law))


class Undoubting(MBGNBD):
    law = dataclasses.replace(
        MBGNBD.law, prob_alive=lambda *args: np.ones(np.broadcast(*args).shape)
    )


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        (Hasty(), ["total probability is one", "simulated means agree"]),
        (
            Undoubting(),
            [
                "silence is the likelihood without orders",
                "forecasts average to the unconditional forecast",
            ],
        ),
    ],
)
def test_a_wrong_model_is_told_which_laws_it_breaks(wrong, broken):
    with pytest.raises(AssertionError, match=f"{type(wrong).__name__} breaks \\d laws") as error:
        check_purchase_model(wrong)
    for law in broken:
        assert law in str(error.value)


def test_options_that_would_not_be_checked_are_refused():
    with pytest.raises(ValueError, match=r"with its default options, not horizon=4"):
        check_purchase_model(NBD(horizon=4))
