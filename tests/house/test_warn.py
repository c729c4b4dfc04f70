"""One way to warn: it points at the caller, and listening for it touches no other thread."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import custvalue as cv
from custvalue._warn import heard, warn_caller
from custvalue.exceptions import (
    AsOfWarning,
    BinWarning,
    BoundaryFitWarning,
    CustvalueWarning,
    DataWarning,
)
from custvalue.purchase import BGNBD, MBGNBD, ShiftedBetaGeometric
from custvalue.report import make_report
from custvalue.silence._gap_prior import fit_gap_prior
from custvalue.silence._silence import gap_facts
from custvalue.spend import GammaGamma

NAMES = {"customer": "who", "time": "when", "amount": "paid"}


def shop(seed: int, customers: int = 30) -> pd.DataFrame:
    """A small log whose last day, and so whose notes, are its own."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 9, customers)
    days = rng.integers(0, 300 + seed, n.sum())
    return pd.DataFrame(
        {
            "who": np.repeat(np.arange(customers), n),
            "when": np.datetime64("2023-01-01") + days,
            "paid": rng.gamma(2.0, 20.0, n.sum()).round(2),
        }
    )


def regular() -> np.ndarray:
    """Histories of customers who hardly differ: the fit ends on a boundary."""
    return np.column_stack([np.full(30, 4.0), np.full(30, 8.0), np.full(30, 10.0)])


def test_what_is_heard_is_not_said():
    with heard() as told:
        warn_caller("here", DataWarning)
    assert [type(one) for one in told] == [DataWarning]
    assert str(told[0]) == "here"


def test_only_the_categories_asked_for_are_heard_and_the_innermost_hears_first():
    with heard() as outer, heard(BoundaryFitWarning) as inner:
        warn_caller("data", DataWarning)
        warn_caller("boundary", BoundaryFitWarning)
    assert [str(one) for one in outer] == ["data"]
    assert [str(one) for one in inner] == ["boundary"]


def test_listening_ends_with_its_block_even_after_an_error():
    with pytest.raises(RuntimeError), heard():
        raise RuntimeError
    with pytest.warns(DataWarning, match="later"):
        warn_caller("later", DataWarning)


def test_a_filter_that_makes_errors_of_warnings_does_not_reach_what_is_heard():
    with heard(BoundaryFitWarning) as told:
        MBGNBD().fit(regular())  # every warning is an error in these tests
    assert told


def test_a_thread_hears_only_itself():
    inside, said = threading.Event(), threading.Event()
    told_there: list[Warning] = []

    def listen() -> None:
        with heard() as told:
            inside.set()
            assert said.wait(10)
            told_there.extend(told)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=listen)
        thread.start()
        assert inside.wait(10)
        warn_caller("of this thread", DataWarning)
        said.set()
        thread.join()
    assert [str(one.message) for one in caught] == ["of this thread"]
    assert told_there == []


def in_threads(work, arguments):
    """Run it in four threads at once; filters and settings are the same afterwards."""
    filters, settings = list(warnings.filters), dict(mpl.rcParams)
    together = threading.Barrier(min(4, len(arguments)))

    def started(argument):
        together.wait(20)
        return work(argument)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(started, arguments))
    assert list(warnings.filters) == filters
    assert dict(mpl.rcParams) == settings
    return done


def test_reports_in_threads_are_those_of_one_thread_and_leave_the_process_alone():
    shops = [shop(seed) for seed in range(3)]

    def made(log: pd.DataFrame):
        return make_report(log, **NAMES)

    alone = [made(log) for log in shops]
    together = in_threads(made, shops)
    for one, other in zip(alone, together, strict=True):
        assert other.facts["notes"] == one.facts["notes"]
        assert other.html == one.html
    # each says its own last day
    assert len({note for one in alone for note in one.facts["notes"] if "as_of" in note}) == 3


def nested_fits(seed: int) -> None:
    log = shop(seed)
    history = cv.panel(log, **NAMES, as_of="2023-12-01", period="4W")
    cv.MarkovCLVEstimator(horizon="12W").fit(history)
    facts = gap_facts(np.full((40, 3), 9.0))
    with heard():
        cv.silence._gap_prior.choose_regularity(facts, float(np.log(np.full(80, 9.0)).sum()))
    ShiftedBetaGeometric().compare_cohorts([[100.0, 80.0, 70.0], [90.0, 60.0, 50.0]])


def test_fits_inside_of_fits_leave_the_filters_of_the_process_alone():
    in_threads(nested_fits, range(4))
    with pytest.warns(BoundaryFitWarning):  # and nothing has fallen silent
        MBGNBD().fit(regular())


def pipeline() -> None:
    X = pd.DataFrame({"silence": np.arange(30.0), "n_orders": 1.0, "total_value": 1.0})
    make_pipeline(cv.RFMTransformer()).fit(X)


CALLS = {
    "summarize": (AsOfWarning, lambda: cv.summarize(shop(1), **NAMES)),
    "panel": (AsOfWarning, lambda: cv.panel(shop(1), **NAMES, period="4W")),
    "purchase": (BoundaryFitWarning, lambda: MBGNBD().fit(regular())),
    "one-time buyers": (
        CustvalueWarning,
        lambda: BGNBD.from_params(r=1, alpha=1, a=1, b=1).predict_alive([[0, 0, 9.0]]),
    ),
    "spend": (
        BoundaryFitWarning,
        lambda: GammaGamma().fit([[2.0, 5.0], [2.0, 5.0], [3.0, 5.0], [9.0, 5.0]]),
    ),
    "gap prior": (BoundaryFitWarning, lambda: fit_gap_prior(gap_facts(np.full((40, 3), 9.0)))),
    "through a pipeline": (BinWarning, pipeline),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_warning_points_at_the_line_that_called(name):
    category, call = CALLS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    told = [one for one in caught if issubclass(one.category, category)]
    assert told
    assert {one.filename for one in told} == {__file__}
