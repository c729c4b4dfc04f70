"""Arrays by what they hold; every signature of the library uses these."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Values: TypeAlias = float | Floats  # letters of a law: numbers or arrays that broadcast
Ints: TypeAlias = npt.NDArray[np.int64]
Places: TypeAlias = npt.NDArray[np.intp]  # rows of another array
Mask: TypeAlias = npt.NDArray[np.bool_]
Objects: TypeAlias = npt.NDArray[np.object_]
Dates: TypeAlias = npt.NDArray[np.datetime64]
ByName: TypeAlias = dict[str, npt.NDArray[Any]]  # columns of a table
