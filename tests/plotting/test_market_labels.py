"""Names of markets that lie on one spot are one below the other."""

from __future__ import annotations

import matplotlib as mpl
import pytest

from custvalue.plotting import MarketMatrixDisplay

mpl.use("Agg")


@pytest.mark.parametrize("fit", [0.4, 0.9])  # names to the right of their circles, to the left
def test_names_of_markets_on_one_spot_do_not_lie_on_each_other(fit):
    import matplotlib.pyplot as plt

    names = ["Nigeria", "Zambia", "Tanzania", "Mozambique"]
    display = MarketMatrixDisplay.from_predictions(names, [0.5, 0.51, 0.5, 0.49], [fit] * 4)
    canvas = display.ax_.figure.canvas
    canvas.draw()
    boxes = [t.get_window_extent() for t in display.ax_.texts if t.get_text() in names]
    assert len(boxes) == 4
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:i])
    plt.close(display.ax_.figure)
