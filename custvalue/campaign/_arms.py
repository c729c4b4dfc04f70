"""A random experiment as it is read: outcomes, arms, and the chance of each arm."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np

from custvalue import _frames
from custvalue._typing import Floats, Places
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.metrics._for_rooms import check_propensity, outcome_scores


class Experiment(NamedTuple):
    """Outcomes and arms of customers; arm 0 is the control group.

    Parameters
    ----------
    y : ndarray of shape (n,)
    arm : ndarray of shape (n,), int
        Position of each customer's arm in ``arms``.
    arms : tuple
        Codes of the arms, the control first.
    """

    y: Floats
    arm: Places
    arms: tuple[Hashable, ...]

    @property
    def size(self) -> Places:
        """Customers of each arm."""
        return np.bincount(self.arm, minlength=len(self.arms))

    @property
    def shares(self) -> Floats:
        """Share of the customers in each arm."""
        return self.size / len(self.arm)

    def scores(self, propensity: Floats, expected: Floats) -> Floats:
        """Doubly robust scores of the outcome under each arm, shape (n, n_arms)."""
        return outcome_scores(self.y, self.arm, propensity, expected)

    def means(self) -> Floats:
        """Mean outcome of each arm, shape (n_arms,)."""
        return np.bincount(self.arm, self.y, len(self.arms)) / self.size


def read_experiment(
    X: Any,
    y: Any,
    treatment: Any,
    control: Hashable,
    *,
    arms: tuple[Hashable, ...] | None = None,
    fewest: int = 2,
) -> Experiment:
    """Read and check outcomes and arms; all that is wrong together.

    With ``arms`` (those of a fit) no other code may come, and none has to.
    """
    outcome = np.asarray(_frames.same_rows(X, y, "y"), dtype=np.float64)
    codes = np.asarray(_frames.same_rows(X, treatment, "treatment"))
    n = len(outcome)
    if outcome.ndim != 1 or codes.shape != (n,):
        raise ValueError(
            f"y has shape {outcome.shape} and treatment {codes.shape}; both must be (n_customers,)."
        )
    problems = []
    if len(gone := np.flatnonzero(~np.isfinite(outcome))):
        problems.append(
            ContractProblem.at(
                "missing-outcome",
                "y has missing or infinite outcomes",
                "A customer who brought nothing has 0; leave out who was not followed up, in every "
                "arm alike.",
                gone,
            )
        )
    missing = np.array([v is None or v != v for v in codes.tolist()], dtype=bool)
    if missing.any():
        problems.append(
            ContractProblem.at(
                "missing-treatment",
                "treatment has missing values",
                "Say for each customer which arm it was; leave out who was in none.",
                np.flatnonzero(missing),
            )
        )
    seen = list(dict.fromkeys(codes[~missing].tolist()))
    if arms is None:
        problems += _faults_of_arms(seen, codes, control, fewest)
        arms = (control, *sorted((c for c in seen if c != control), key=_in_order))
    place = {code: k for k, code in enumerate(arms)}
    at = np.array([place.get(code, -1) for code in codes.tolist()], dtype=np.intp)
    unknown = np.flatnonzero((at < 0) & ~missing)
    if len(unknown):
        problems.append(
            ContractProblem.at(
                "unknown-treatment",
                f"treatment has arms such as {codes[unknown[0]]!s}; the arms are "
                f"{', '.join(map(repr, arms))}",
                "Use the codes of the experiment that was fitted.",
                unknown,
            )
        )
    if problems:
        raise DataContractError(problems)
    return Experiment(outcome, at, arms)


def _faults_of_arms(
    seen: list[Any], codes: Any, control: Hashable, fewest: int
) -> list[ContractProblem]:
    if control not in seen:
        return [
            ContractProblem(
                "no-control",
                f"no customer has treatment={control!r}; there are "
                f"{', '.join(map(repr, seen[:10]))}",
                "Say which arm was left alone: control=.",
            )
        ]
    if len(seen) < 2:
        return [
            ContractProblem(
                "one-arm",
                f"all customers have treatment={control!r}",
                "An effect needs customers who were treated and customers who were not.",
            )
        ]
    if len(seen) > max(20, len(codes) // 10):
        return [
            ContractProblem(
                "too-many-arms",
                f"treatment has {len(seen):,} different values",
                "Pass the arm of each customer, not an amount or an id.",
            )
        ]
    few = [c for c in seen if (codes == c).sum() < fewest]
    return [
        ContractProblem(
            "small-arm",
            f"arm {c!r} has {int((codes == c).sum()):,} customers, fewer than {fewest}",
            "Leave it out, or put arms together that were treated alike.",
        )
        for c in few
    ]


def _in_order(code: Any) -> tuple[str, Any]:
    return (type(code).__name__, code)


def propensity_of(
    given: Any, arms: tuple[Hashable, ...], n: int, shares: Floats | None = None
) -> Floats:
    """Chance of each arm for each customer, shape (n, n_arms), from shares, a mapping or an array.

    An array of shape (n,) is the chance of the only arm beside the control group.
    """
    if given is None:
        assert shares is not None
        return np.broadcast_to(shares, (n, len(arms)))
    if isinstance(given, Mapping):
        unknown = [a for a in given if a not in arms]
        if unknown or len(given) < len(arms) - 1 or (len(given) < len(arms) and arms[0] in given):
            raise ValueError(
                f"propensity={dict(given)!r} must name the chance of each arm of {list(arms)!r}; "
                "that of the control group may be left out."
            )
        chances = np.array([given.get(a, np.nan) for a in arms], dtype=np.float64)
        if arms[0] not in given:
            chances[0] = 1.0 - chances[1:].sum()
        found = np.broadcast_to(chances, (n, len(arms)))
    else:
        found = np.asarray(given, dtype=np.float64)
        if found.ndim <= 1 and len(arms) == 2:
            found = np.broadcast_to(found, (n,))
            found = np.column_stack([1.0 - found, found])
        if found.shape != (n, len(arms)):
            raise ValueError(
                f"propensity has shape {found.shape}; expected ({n}, {len(arms)}), one column an "
                f"arm in the order {list(arms)!r}"
                + (f", or ({n},), the chance of {arms[1]!r}." if len(arms) == 2 else ".")
            )
    check_propensity(found)
    off = np.abs(found.sum(axis=1) - 1.0) > 1e-6
    if off.any():
        raise DataContractError(
            ContractProblem.at(
                "propensity",
                "chances of the arms do not add up to 1",
                "Give the chance of each arm, the control group first.",
                np.flatnonzero(off),
            )
        )
    return found
