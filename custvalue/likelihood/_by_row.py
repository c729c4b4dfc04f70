"""A law whose scale parameters differ from customer to customer by what columns say of them.

The factors of the columns are further parameters of one law, positive as all are, so that fits,
errors, intervals and draws are those of any law. The search centres the columns and counts them in
their standard deviations; what it finds is turned back at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from custvalue._kernels import Objective, Optimum
from custvalue._typing import Floats, Places
from custvalue.likelihood._effects import Effects, own_parameters
from custvalue.likelihood._fit import Penalty
from custvalue.likelihood._law import Law, Plan, Units

BLOCK = 4096
PLAIN = Units()
STEEPEST = 15.0  # log factor of a standard deviation, the edge of the search
ENDLESS = 6.0  # beyond which the likelihood is flat, and the factor has no end
SAMPLES = (2_000, 10_000, 100_000)  # customers on which a search starts where there are many more
NEAR = 1e-6  # squared Newton decrement at which a search on many rows ends


class RowsOfCustomers(NamedTuple):
    """Rows of a law, and the encoded columns of each.

    Parameters
    ----------
    rows : Rows
    Z : ndarray of shape (size, n_labels)
    """

    rows: Any
    Z: Floats

    @property
    def n(self) -> float:
        """Sum of the weights."""
        return float(self.rows.n)

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.rows.size)

    @property
    def w(self) -> Floats | None:
        """Weights; None is one each."""
        w: Floats | None = self.rows.w
        return w

    def part(self, size: int) -> RowsOfCustomers:
        """Take a fixed random sample of the customers."""
        rng = np.random.default_rng(self.size)
        if self.w is None:
            counts = np.bincount(rng.integers(0, self.size, size), minlength=self.size)
        else:
            counts = rng.multinomial(size, self.w / self.n)
        return self._counted(counts)

    def drawn(self, rng: np.random.Generator) -> RowsOfCustomers:
        """Draw as many customers with replacement; those drawn often have more weight."""
        w = np.ones(self.size) if self.w is None else self.w
        return self._counted(rng.multinomial(round(self.n), w / w.sum()))

    def taken(self, rows: Places, w: Floats) -> RowsOfCustomers:
        """Take some rows, and what each now weighs."""
        return RowsOfCustomers(self.rows.taken(rows, w), self.Z[rows])

    def _counted(self, counts: Any) -> RowsOfCustomers:
        some = np.flatnonzero(counts)
        return self.taken(some, counts[some].astype(np.float64))


@dataclass(frozen=True, kw_only=True, eq=False)
class LawByRow(Law):
    """A law together with the effects of columns, as a law of more parameters.

    Parameters
    ----------
    plain : Law
    effects : Effects
        Its columns and terms; the values are parameters here.
    counts_in : Units
        In which the search counts, as for the plain law.
    first : NamedTuple or None
        Summit of the plain law, from which to search.
    """

    plain: Law
    effects: Effects
    counts_in: Units = PLAIN
    first: Any = None

    def __post_init__(self) -> None:
        """Hold by what the plain law declares."""

    @classmethod
    def of(
        cls, plain: Law, effects: Effects, counts_in: Units = PLAIN, first: Any = None
    ) -> LawByRow:
        """Join a law and columns.

        The basis turns coordinates of centred, scaled columns into logs of the parameters: of the
        law at columns of 0, and of the factors of one unit of a column.
        """
        k, m = len(plain.names), len(effects.terms)
        basis = np.eye(k + m)
        if plain.basis is not None:
            basis[:k, :k] = plain.basis
        for names, sign, terms, labels in _moves(plain, effects):
            for i, label in zip(terms, labels, strict=True):
                basis[k + i, k + i] = 1.0 / effects.spread[label]
                basis[names, k + i] = -sign * effects.mean[label] / effects.spread[label]
        return cls(
            name=plain.name,
            params=lambda *values: tuple(values),
            dimensions={**plain.dimensions, **dict.fromkeys(effects.names, "none")},
            log_likelihood=None,
            basis=basis,
            plain=plain,
            effects=effects,
            counts_in=counts_in,
            first=first,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the law's parameters, then of the factors."""
        return (*self.plain.names, *self.effects.names)

    @property
    def k(self) -> int:
        """Number of the plain law's parameters."""
        return len(self.plain.names)

    # ---- the search ------------------------------------------------------------------------------

    def units(self, rows: RowsOfCustomers) -> Units:
        """Count as the search for the plain law did."""
        return self.counts_in

    def counted(self, rows: RowsOfCustomers, units: Units) -> RowsOfCustomers:
        """Give the rows in these units."""
        return rows._replace(rows=self.plain.counted(rows.rows, units))

    def log_unit(self, rows: RowsOfCustomers, units: Units) -> Floats:
        """As for the plain law."""
        return self.plain.log_unit(rows.rows, units)

    def starts(self, rows: RowsOfCustomers) -> Sequence[Floats]:
        """Begin without effects, at the plain law's summit, then where that law would begin."""
        found = list(self.plain.starts(rows.rows))
        if self.first is not None:
            logs = np.log(np.asarray(self.first)) - np.log(self.plain.factors(self.counts_in))
            found.insert(0, self.plain.from_logs(logs))
        none = np.zeros(len(self.effects.terms))
        return [np.concatenate([start, none]) for start in found]

    def plan(self, rows: RowsOfCustomers) -> Plan:
        """Search samples first; the first summit inside the box will do."""
        plain, none = self.plain.plan(rows.rows), np.zeros(len(self.effects.terms))
        few = [size for size in SAMPLES if size <= rows.n / 3.0 and size <= rows.size]
        return Plan(
            np.concatenate([plain.lower, none - STEEPEST]),
            np.concatenate([plain.upper, none + STEEPEST]),
            samples=tuple((size, 1e-5) for size in few),
            hurry=True,
            close=NEAR if few else 1e-13,
        )

    def facts(self, rows: RowsOfCustomers) -> dict[str, float]:
        """As for the plain law."""
        return self.plain.facts(rows.rows)

    def seen(self, facts: Mapping[str, float]) -> str:
        """As for the plain law."""
        return self.plain.seen(facts)

    def trouble(self, rows: RowsOfCustomers) -> str:
        """As for the plain law."""
        return self.plain.trouble(rows.rows)

    def notes(self, params: Any) -> tuple[str, ...]:
        """As for the plain law."""
        return self.plain.notes(self.plain.params(*params[: self.k]))

    def boundaries(self, params: Floats, found: Optimum) -> tuple[tuple[str, ...], set[str]]:
        """Boundaries of the law for a customer of average columns, and of factors without end."""
        k = self.k
        centre = self.plain.to_logs(found.theta[:k])
        part = found._replace(
            theta=found.theta[:k], on_lower=found.on_lower[:k], on_upper=found.on_upper[:k]
        )
        endless = np.flatnonzero(np.abs(found.theta[k:]) > ENDLESS)
        words: tuple[str, ...] = ()
        undefined: set[str] = set()
        if not len(endless) or (part.on_lower | part.on_upper).any():
            words, undefined = self.plain.boundaries(np.exp(centre), part)
        for i in endless:
            process, label = self.effects.names[i].split(":", 1)
            words = (*words, f"{label!r} separates customers, its effect on {process} has no end")
            undefined = {*undefined, self.effects.names[i]}
        return words, undefined

    # ---- the likelihood --------------------------------------------------------------------------

    def split(self, values: Any) -> tuple[Any, Effects]:
        """Parameters of the plain law, and the effects."""
        flat = np.asarray(values, dtype=np.float64)
        params = self.plain.params(*map(float, flat[: self.k]))
        return params, self.effects.moved(np.log(flat[self.k :]))

    def log_likelihoods(self, params: Any, rows: RowsOfCustomers) -> Floats:
        """Log density of each row at its own parameters."""
        plain, effects = self.split(params)
        density, columns = self.plain.log_likelihood, self.plain.columns(rows.rows)
        assert density is not None
        out = np.empty(rows.size)
        for lo in range(0, rows.size, BLOCK):
            part = slice(lo, lo + BLOCK)
            own = own_parameters(self.plain, plain, effects, rows.Z[part])
            out[part] = density(*own, *(v[part] for v in columns))
        return out

    def objective_of(self, rows: RowsOfCustomers) -> Objective:
        """Mean log-likelihood with its derivatives: each row's own, by the chain rule."""
        plain, k, m = self.plain, self.k, len(self.effects.terms)
        columns, w = plain.columns(rows.rows), rows.w
        weight = np.ones(rows.size) if w is None else w
        Z = (rows.Z - self.effects.mean) / self.effects.spread
        moves = [
            (name, sign, terms, np.ascontiguousarray(Z[:, labels]))
            for names, sign, terms, labels in _moves(plain, self.effects)
            for name in names
        ]

        def evaluate(theta: Floats) -> tuple[float, Floats, Floats]:
            logs, gamma = plain.to_logs(theta[:k]), theta[k:]
            value, g, h = 0.0, np.zeros(k + m), np.zeros((k + m, k + m))
            for lo in range(0, rows.size, BLOCK):
                part = slice(lo, lo + BLOCK)
                own: list[Any] = list(logs)
                for name, sign, terms, D in moves:
                    own[name] = own[name] + sign * (D[part] @ gamma[terms])
                v, dg, dh = plain.derivatives_of(own, [c[part] for c in columns])
                some = weight[part]
                value += float(some @ v)
                by_pair = {(i, j): some * d for (i, j), d in dh.items()}
                for i in range(k):
                    g[i] += some @ dg[i]
                for (i, j), d in by_pair.items():
                    h[i, j] += d.sum()
                    if i != j:
                        h[j, i] += d.sum()
                for at, (name, sign, terms, D) in enumerate(moves):
                    block, places = D[part], k + np.array(terms)
                    g[places] += sign * (block.T @ (some * dg[name]))
                    for i in range(k):
                        pair = by_pair.get((min(i, name), max(i, name)))
                        if pair is not None:
                            cross = sign * (block.T @ pair)
                            h[i, places] += cross
                            h[places, i] += cross
                    for other, sign_2, terms_2, D_2 in moves[at:]:
                        pair = by_pair.get((min(name, other), max(name, other)))
                        if pair is None:
                            continue
                        both = sign * sign_2 * (block.T @ (D_2[part] * pair[:, None]))
                        places_2 = k + np.array(terms_2)
                        h[np.ix_(places, places_2)] += both
                        if other != name:
                            h[np.ix_(places_2, places)] += both.T
            if plain.basis is not None:
                full = np.eye(k + m)
                full[:k, :k] = plain.basis
                g, h = full.T @ g, full.T @ h @ full
            return value / rows.n, g / rows.n, h / rows.n

        return evaluate

    def penalty(self, prior: Penalty | None, ridge: float) -> Penalty | None:
        """Log density of what is known beforehand, in logs of the parameters.

        A prior of the plain law speaks of a customer of average columns; ``ridge`` is the belief,
        worth that many customers, that a standard deviation of a column does nothing.
        """
        if prior is None and ridge == 0.0:
            return None
        k, size = self.k, len(self.names)
        centre, pull = np.eye(size), np.zeros(size)
        for names, sign, terms, labels in _moves(self.plain, self.effects):
            for i, label in zip(terms, labels, strict=True):
                centre[names, k + i] = sign * self.effects.mean[label]
                pull[k + i] = ridge * self.effects.spread[label] ** 2

        def log_density(logs: Floats) -> tuple[float, Floats, Floats]:
            value, g, h = 0.0, np.zeros(size), np.zeros((size, size))
            if prior is not None:
                v, dg, dh = prior((centre @ logs)[:k])
                value, g, h = v, centre[:k].T @ dg, centre[:k].T @ dh @ centre[:k]
            value -= 0.5 * float(pull @ logs**2)
            return value, g - pull * logs, h - np.diag(pull)

        return log_density


def _moves(law: Law, effects: Effects) -> list[tuple[list[int], float, list[int], list[int]]]:
    """Of each process with columns: places of its parameters, sign, places of terms and labels."""
    found = []
    for process, (names, sign) in law.processes.items():
        terms, labels = effects.of(process)
        if terms:
            found.append(([law.names.index(name) for name in names], sign, terms, labels))
    return found
