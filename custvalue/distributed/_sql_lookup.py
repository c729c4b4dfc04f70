"""A function of a count and a time as a small table of cosines, with the error measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from custvalue._typing import Floats
from custvalue.distributed._sql_text import Small, digits, total
from custvalue.exceptions import NotSupportedError

ALONE = 40  # counts up to this have a row of their own
TERMS = (16, 24, 32, 48, 64, 96)  # in time
POWERS = (6, 9, 12, 16)  # in the count, beyond
ENOUGH, WORST = 1e-11, 1e-8
FARS = (30.0, 5.0, 300.0)  # scales on which counts beyond are tried


class Lookup(NamedTuple):
    """Logarithm of f(x, T) by Chebyshev's polynomials in log(shift + T).

    Counts x up to ``ALONE`` have a row of ``table`` each, shape (41, n); for larger ones the terms
    are polynomials in 1 / (x + far), ``large`` of shape (m, n), to which ``log(x + grows)`` is
    added where the function grows with the count. ``error`` is the largest relative one seen.
    """

    shift: float
    width: float
    far: float
    grows: float | None
    table: Floats
    large: Floats
    error: float

    def steps(self, name: str) -> list[tuple[str, str]]:
        """Angles of a row: of its time, and of its count."""
        place = f"{digits(2.0 / self.width)} * LN(1 + cv_T / {digits(self.shift)}) - 1"
        near = f"{digits(2.0 * (ALONE + 1 + self.far))} / (GREATEST(cv_x, {ALONE + 1}) + "
        near += f"{digits(self.far)}) - 1"
        return [
            ("entry_of", f"CASE WHEN cv_x <= {ALONE} THEN CAST(cv_x AS INTEGER) END"),
            ("angle", f"ACOS(GREATEST(LEAST({place}, 1e0), -1e0))"),
            (f"angle_{name}", f"ACOS(GREATEST(LEAST({near}, 1e0), -1e0))"),
        ]

    def small(self, name: str) -> Small:
        """Rows of the counts that have their own."""
        rows = tuple((x, *map(float, row)) for x, row in enumerate(self.table))
        return Small("entry_of", tuple(f"{name}_{k}" for k in range(self.table.shape[1])), rows)

    def value(self, name: str) -> str:
        """Write f of a row, its angles and its entry being there."""

        def series(terms: list[str]) -> str:
            return total(
                [terms[0], *(f"{c} * COS({k} * cv_angle)" for k, c in enumerate(terms) if k)]
            )

        own = [f"cv_{name}_{k}" for k in range(self.table.shape[1])]
        beyond = [
            total([digits(c[0]),
                   *(f"{digits(v)} * COS({j} * cv_angle_{name})" for j, v in enumerate(c) if j)])
            for c in self.large.T
        ]  # fmt: skip
        grown = "" if self.grows is None else f" + LN(cv_x + {digits(self.grows)})"
        return (f"EXP(CASE WHEN cv_x <= {ALONE} THEN {series(own)} "
                f"ELSE {series(beyond)}{grown} END)")  # fmt: skip


def lookup_of(
    of: Callable[[Floats, Floats], Floats],
    *,
    shift: float,
    grows: float | None,
    most: float,
    counts: float,
    what: str,
) -> Lookup:
    """Fit a positive function of counts 0, 1, 2, ... and times 0 to ``most``.

    Parameters
    ----------
    of : callable of two arrays of one shape
        Smooth in both; ``log(shift + T)`` is what it bends in.
    shift, grows, most : float
        See :class:`Lookup`; ``most`` is the longest time.
    counts : float
        The largest count, above 41.
    what : str
        Of the function, for the error.

    Raises
    ------
    NotSupportedError
        If no table of reasonable size is right to 1e-8.
    """
    width = float(np.log1p(most / shift))

    def logs(x: Floats, angle: Floats, grown: float | None) -> Floats:
        at = np.expm1(0.5 * width * (np.cos(angle) + 1.0)) * shift
        at = np.clip(at, 1e-13 * min(shift, most), most)
        count, time = (v.ravel() for v in np.broadcast_arrays(x[:, None], at))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.log(of(count, time)).reshape(len(x), -1)
        return found if grown is None else found - np.log(x[:, None] + grown)

    own = np.arange(ALONE + 1.0)
    rest = np.unique(np.rint(np.geomspace(ALONE + 1.0, counts, 10)))
    check = np.pi * np.arange(2 * 40 + 2) / 81
    wanted, wanted_far = logs(own, check, None), logs(rest, check, grows)
    n, before = TERMS[0], np.inf
    for n in TERMS:
        nodes = _nodes(n)
        table = _terms(logs(own, nodes, None))
        error = _worst(table @ _cosines(n, check), wanted)
        if error < ENOUGH or (error < WORST and error > 0.5 * before):
            break  # what is left is the noise of the function itself
        before = error
    best = Lookup(shift, width, 0.0, grows, table, table[:0], np.inf)
    if error < WORST:
        for far, m in ((far, m) for far in FARS for m in POWERS):
            u = 0.5 * (np.cos(_nodes(m)) + 1.0)
            x = np.rint((ALONE + 1 + far) / u - far)  # whole, as counts are
            far_values = _terms(logs(x, nodes, grows))
            large = np.asarray(np.linalg.solve(_cosines(m, _angle(x, far)).T, far_values), float)
            found = _cosines(m, _angle(rest, far)).T @ large @ _cosines(n, check)
            error_far = max(error, _worst(found, wanted_far), 1e-15)
            if error_far < best.error:
                best = best._replace(far=far, large=large, error=error_far)
            if error_far < max(ENOUGH, 2.0 * error):
                break
    if not best.error < WORST:
        raise NotSupportedError(
            f"{what} of these parameters cannot be said in SQL: tables of {n} terms miss it by "
            f"{min(max(error, best.error), 1.0):.1g} of its value. Map the model over partitions "
            "with custvalue.distributed.predict."
        )
    return best


def _angle(x: Floats, far: float) -> Floats:
    return np.asarray(np.arccos(np.clip(2.0 * (ALONE + 1 + far) / (x + far) - 1.0, -1.0, 1.0)))


def _nodes(n: int) -> Floats:
    return np.asarray(np.pi * (np.arange(n) + 0.5) / n)


def _cosines(n: int, angle: Floats) -> Floats:
    return np.asarray(np.cos(np.arange(n)[:, None] * angle))


def _terms(values: Floats) -> Floats:
    """Coefficients of cosines from values at the nodes, along the last axis."""
    n = values.shape[-1]
    terms = 2.0 / n * values @ _cosines(n, _nodes(n)).T
    terms[..., 0] *= 0.5
    return np.asarray(terms)


def _worst(found: Floats, wanted: Floats) -> float:
    """Largest difference of logs; infinite where the function has none."""
    apart = np.abs(found - wanted)
    return float(apart.max()) if np.isfinite(apart).all() else np.inf
