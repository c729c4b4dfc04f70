"""Data and helpers that every room's tests share."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

# Read when OpenMP starts, so before anything imports it: the boosting trees of two workers with a
# thread a core each spin while they wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

from custvalue.datasets import load_cdnow

settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("default")


# A file is one worker's; the longest ones begin, or a worker is left alone with one at the end.
LONGEST = (
    "tests/value/test_value_models.py",
    "tests/docs/test_pages.py",
    "tests/report/",
    "tests/purchase/",
    "tests/distributed/",
    "tests/campaign/",
    "tests/data/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the last test first where ``CUSTVALUE_TEST_ORDER=reverse``: no test needs another's."""
    if os.environ.get("CUSTVALUE_TEST_ORDER") == "reverse":
        items.reverse()
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


REFERENCE = Path(__file__).parent / "reference"


@pytest.fixture(scope="session")
def reference():
    """``reference(name)``: entries of ``tests/reference/<name>.json`` by their id."""

    def read(name: str) -> dict[str, dict]:
        rows = json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))
        return {row["id"]: row for row in rows}

    return read


@pytest.fixture(scope="session")
def cdnow() -> pd.DataFrame:
    """The full CDNOW log: 23,570 customers, 69,659 transactions."""
    return load_cdnow()


@pytest.fixture(scope="session")
def cdnow_sample() -> pd.DataFrame:
    """The literature's 1/10 sample: 2,357 customers, 6,919 transactions."""
    return load_cdnow("sample")


@pytest.fixture(scope="session")
def online_retail() -> pd.DataFrame:
    """UCI Online Retail from the data folder beside the project; skips where it is absent."""
    folder = Path(os.environ.get("CUSTVALUE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    path = folder / "online_retail.parquet"
    if not path.exists():
        pytest.skip("online_retail.parquet is not here; set CUSTVALUE_DATA to its folder")
    frame = pd.read_parquet(path)
    frame["amount"] = frame["Quantity"] * frame["UnitPrice"]
    return frame


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded generator: tests never depend on an unseeded draw."""
    return np.random.default_rng(20261121)


@pytest.fixture(scope="session")
def spark():
    """A local Spark session with two workers; skips where there is no Java or no pyspark."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs a Java runtime: no java on the path and no JAVA_HOME")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    session = (
        sql.SparkSession.builder.master("local[2]")
        .appName("custvalue")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "3")
        .config("spark.sql.adaptive.enabled", "false")  # it would merge small partitions into one
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def check_words_can_be_read():
    """Every word drawn in a figure has the contrast of WCAG 2.2 AA with what is behind it."""
    from custvalue.plotting._style import contrast

    def check(figure):
        n = 0
        for item, ground in _ground_of_words(figure):
            # a thin line that crosses a word is no ground
            colours, counts = np.unique(ground.round(2), axis=0, return_counts=True)
            enough = [contrast(item.get_color(), colour) >= 4.5 for colour in colours]
            assert counts[enough].sum() >= 0.85 * counts.sum(), item.get_text()
            assert item.get_fontsize() >= 7, item.get_text()
            n += 1
        return n

    return check


def _ground_of_words(figure):
    """Every text that is drawn, with the colours of the pixels that its letters cover."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(figure)

    def drawn():
        canvas.draw()
        return np.array(canvas.buffer_rgba())[::-1, :, :3]

    inked = drawn()
    words = [item for item in figure.findobj(Text) if item.get_text().strip()]
    boxes = [item.get_window_extent(canvas.get_renderer()).extents for item in words]
    before = [item.get_alpha() for item in words]
    for item in words:
        item.set_alpha(0.0)  # the layout stays
    bare = drawn()
    for item, alpha in zip(words, before, strict=True):
        item.set_alpha(alpha)
    letters = (inked != bare).any(axis=2)
    for item, box in zip(words, boxes, strict=True):
        x0, y0, x1, y1 = np.round(np.maximum(box, 0)).astype(int)
        covered = letters[y0:y1, x0:x1]
        if covered.any():
            yield item, bare[y0:y1, x0:x1][covered] / 255
