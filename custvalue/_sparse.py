"""Small helpers over scipy's sparse arrays, so that dense and sparse chains share their code."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp

from custvalue._typing import Floats

# scipy's sparse arrays have no useful static shape or dtype: they are typed as what they are here
Sparse: TypeAlias = Any


def is_sparse(matrix: Any) -> bool:
    """Whether ``matrix`` is one of scipy's sparse arrays."""
    return bool(sp.issparse(matrix))


def from_entries(data: Any, rows: Any, cols: Any, n: int) -> Sparse:
    """Build a square sparse array; entries of one cell add up."""
    entries: Any = (np.asarray(data, dtype=np.float64), (np.asarray(rows), np.asarray(cols)))
    return sp.csr_array(entries, shape=(n, n))


def empty(n: int) -> Sparse:
    """Build a square sparse array without entries."""
    return sp.csr_array((n, n), dtype=np.float64)


def csr(matrix: Any) -> Sparse:
    """Turn a dense matrix into a sparse array."""
    return sp.csr_array(matrix)


def row_sums(matrix: Any) -> Floats:
    """Sum each row of a dense or sparse matrix, shape (n,)."""
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def scale_rows(matrix: Sparse, factor: Floats) -> Sparse:
    """Multiply each row by its factor."""
    scaled: Any = sp.diags_array(factor) @ matrix
    return sp.csr_array(scaled)


def times(matrix: Any, other: Any) -> Any:
    """Multiply cell by cell, whichever of the two is sparse."""
    if is_sparse(matrix):
        return matrix.multiply(other)
    return other.multiply(matrix) if is_sparse(other) else matrix * other
