"""The two public tables of restaurants, where they lie beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest


def _table(name):
    folder = Path(os.environ.get("CUSTVALUE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    path = folder / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is not here; set CUSTVALUE_DATA to its folder")
    return pd.read_parquet(path)


@pytest.fixture(scope="session")
def restaurants():
    """40 students rate 8 restaurants on 1 to 5; ``pref`` is the outcome."""
    return _table("restaurant_ratings")


@pytest.fixture(scope="session")
def restaurant_survey():
    """What matters to 752 students in a restaurant, on 1 to 5."""
    return _table("restaurant_survey")
