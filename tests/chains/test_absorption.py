"""Where an absorbing chain ends: a chain by hand, laws, and what is refused."""

import numpy as np
import pytest

from custvalue.chains import Chain

STATES = ["lead", "qualified", "proposal", "won", "lost"]
MATRIX = [
    [0.5, 0.3, 0.0, 0.0, 0.2],
    [0.0, 0.4, 0.4, 0.0, 0.2],
    [0.0, 0.0, 0.3, 0.4, 0.3],
    [0.0, 0.0, 0.0, 1.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 1.0],
]


@pytest.fixture(params=["dense", "sparse"])
def chain(request):
    import scipy.sparse as sp

    matrix = MATRIX if request.param == "dense" else sp.csr_array(MATRIX)
    return Chain(STATES, matrix, absorbing=["won", "lost"])


def test_visits_of_a_sales_funnel_by_hand(chain):
    _, visits = chain.fundamental_matrix()
    hand = [[2, 1, 0.571429], [0, 1.666667, 0.952381], [0, 0, 1.428571]]
    np.testing.assert_allclose(visits, hand, atol=5e-7)


def test_chances_and_times_of_a_sales_funnel_by_hand(chain):
    ends = chain.absorption()
    np.testing.assert_allclose(ends.chance[:3, 0], [0.228571, 0.380952, 0.571429], atol=5e-7)
    np.testing.assert_allclose(ends.time[:3], [3.571429, 2.619048, 1.428571], atol=5e-7)
    np.testing.assert_allclose(ends.variance[:3], [4.829932, 1.972789, 0.612245], atol=5e-7)


def test_time_of_those_who_win_and_of_those_who_lose(chain):
    ends = chain.absorption()
    np.testing.assert_allclose(ends.time_given[:3, 0], [5.095238, 3.095238, 1.428571], atol=5e-7)
    np.testing.assert_allclose(ends.time_given[:3, 1], [3.119929, 2.326007, 1.428571], atol=5e-7)


def test_the_given_moments_mix_to_the_moments_of_all(chain):
    ends = chain.absorption()
    b = ends.chance[:3]
    mean = (b * ends.time_given[:3]).sum(axis=1)
    square = (b * (ends.variance_given[:3] + ends.time_given[:3] ** 2)).sum(axis=1)
    np.testing.assert_allclose(mean, ends.time[:3], rtol=1e-12)
    np.testing.assert_allclose(square - mean**2, ends.variance[:3], rtol=1e-10)


def test_simulated_paths_end_as_often_and_as_late_as_absorption_says(chain):
    path = chain.simulate(np.zeros(40_000, dtype=int), 80, random_state=3)
    ends = chain.absorption()
    won = (path[:, -1] == 3).mean()
    steps = (path < 3).sum(axis=1)
    assert won == pytest.approx(ends.chance[0, 0], abs=4 * np.sqrt(0.23 * 0.77 / 40_000))
    assert steps.mean() == pytest.approx(ends.time[0], abs=4 * np.sqrt(4.83 / 40_000))
    late = steps[path[:, -1] == 3]
    assert late.var() == pytest.approx(ends.variance_given[0, 0], rel=0.06)


def test_an_absorbing_state_is_where_it_is(chain):
    ends = chain.absorption()
    assert ends.chance[3].tolist() == [1.0, 0.0]
    assert (ends.time[3:] == 0.0).all()
    assert np.isnan(ends.time_given[3, 1])


def test_a_state_that_never_wins_has_no_time_given_a_win():
    chain = Chain(
        ["a", "won", "lost"], [[0.5, 0, 0.5], [0, 1, 0], [0, 0, 1]], absorbing=["won", "lost"]
    )
    ends = chain.absorption()
    assert ends.of("a") == {"won": 0.0, "lost": 1.0}
    assert np.isnan(ends.time_given[0, 0])


def test_states_without_an_end_are_named():
    loop = Chain(["a", "b", "won"], [[0, 1, 0], [1, 0, 0], [0, 0, 1]], absorbing=["won"])
    with pytest.raises(ValueError, match="for ever without an end: a, b"):
        loop.absorption()
    with pytest.raises(ValueError, match="no absorbing state"):
        Chain(["a"], [[1.0]]).absorption()


def test_the_table_of_an_absorption_has_a_row_a_state(chain):
    table = chain.absorption().to_frame()
    assert list(table.columns) == [
        "won", "lost", "time", "variance", "time_given_won", "time_given_lost",
    ]  # fmt: skip
    assert "lead" in chain.absorption()._repr_html_()
    with pytest.raises(KeyError, match="no state 'x'"):
        chain.absorption().of("x")
