"""What every table and sentence over a fitted lifecycle classifier needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue._labels import translate_if_known


def in_language(stages: npt.NDArray[Any], labels: str) -> npt.NDArray[Any]:
    """Known stage names in the language asked for; the user's own names as they are."""
    if labels == "en":
        return stages
    return np.array([translate_if_known(str(stage), labels) for stage in stages], dtype=object)
