"""Time in a stage, where it stands in the stage's usual window, and what the next stage wants."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue.lifecycle._stages import (
    CORE,
    ESTABLISHED,
    EXITED,
    NEW,
    POTENTIAL,
    PROBLEM,
    RULE_STAGE,
    RULES,
    STRATEGIC,
    TARGET,
    Evidence,
    StageThresholds,
    core_conditions,
    held_up,
)

NO_WINDOW, EARLY, DUE, OVERDUE = range(4)
TIMING = ("no window", "early", "due", "overdue")
UNKNOWN, ESTIMATED, EXACT = range(3)
SINCE_IS = ("unknown", "estimated", "exact")

# what a customer still lacks for the next stage, in the order in which it is said
WANTS = (
    "a place in the development plan",
    "a first order",
    "more orders",
    "orders over a longer span",
    "more regular orders",
    "a higher total value",
    "more satisfaction",
    "a joint project",
    "an end to the dispute",
    "an order after the silence",
    "a new beginning",
)
_BIT = {words: 1 << i for i, words in enumerate(WANTS)}
_ID = {rule.code: i for i, rule in enumerate(RULES)}

# stage -> the one that follows; problem and exited lead back to what the orders carry
NEXT = {
    POTENTIAL: TARGET,
    TARGET: NEW,
    NEW: ESTABLISHED,
    ESTABLISHED: CORE,
    CORE: STRATEGIC,
}


class StageProgress(NamedTuple):
    """Where each customer stands within the present stage; arrays of shape (n,).

    ``since`` is the time in the stage (NaN where ``since_is`` is unknown), ``timing`` a place in
    ``TIMING``, ``next_stage`` a stage code (-1 for none), ``wants`` a bit set over ``WANTS``;
    ``orders_missing`` and ``span_missing`` say how much.
    """

    since: Floats
    since_is: npt.NDArray[np.int8]
    timing: npt.NDArray[np.int8]
    next_stage: npt.NDArray[np.int8]
    wants: npt.NDArray[np.int16]
    orders_missing: npt.NDArray[np.int64]
    span_missing: Floats


def time_in_stage(
    evidence: Evidence, rule: npt.NDArray[np.int8], at: StageThresholds
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Time since the stage began, and whether that is exact, estimated or unknown.

    A new customer's trial began with the first order; a silence crosses its line at a moment that
    follows from the last order. When an established (core, strategic) customer became one is not
    in a summary: it is taken as the order that brings count and span together if gaps are even.
    What a CRM flag decided has no date.

    Parameters
    ----------
    evidence : Evidence
    rule : ndarray of shape (n,), int8
        Places in ``RULES``.
    at : StageThresholds

    Returns
    -------
    time, kind : ndarray of shape (n,)
        ``kind`` holds places in ``SINCE_IS``.
    """
    stage = RULE_STAGE[rule]
    age = evidence.span + evidence.silence
    longest = np.nan_to_num(evidence.gap_max, nan=0.0)
    mean_gap = np.divide(
        evidence.span, evidence.n_orders - 1, out=np.zeros_like(age), where=evidence.n_orders > 1
    )
    time = np.full(age.shape, np.nan)
    kind = np.full(age.shape, UNKNOWN, dtype=np.int8)

    def put(where: npt.NDArray[np.bool_], value: Floats, how: int) -> None:
        time[where] = value[where]
        kind[where] = how

    put(rule == _ID["trial"], age, EXACT)
    for code, span, orders in (
        (ESTABLISHED, at.established_span, at.established_orders),
        (CORE, at.core_span, at.core_orders),
        (STRATEGIC, at.strategic_span, at.core_orders),
    ):
        began = np.minimum(np.maximum(span, (orders - 1) * mean_gap), evidence.span)
        put(stage == code, age - began, ESTIMATED)
    crossed_quiet = np.maximum(at.quiet_after, at.quiet_ratio * longest)
    put(rule == _ID["went_quiet"], evidence.silence - crossed_quiet, EXACT)
    crossed_exit = np.maximum(at.exit_after, at.exit_ratio * longest)
    put(rule == _ID["long_silence"], evidence.silence - crossed_exit, EXACT)
    return time, kind


def timing(stage: npt.NDArray[np.int8], time: Floats, at: StageThresholds) -> npt.NDArray[np.int8]:
    """Place in ``TIMING``: before, within or beyond the stage's usual window, edges included.

    Returns
    -------
    ndarray of shape (n,), int8
        Stages without a window, and times that are not known, have none.
    """
    out = np.full(stage.shape, NO_WINDOW, dtype=np.int8)
    for code, (low, high) in windows(at).items():
        here = (stage == code) & ~np.isnan(time)
        t = time[here]
        out[here] = np.where(t < low, EARLY, np.where(t <= high, DUE, OVERDUE))
    return out


def windows(at: StageThresholds) -> dict[int, tuple[float, float]]:
    """Usual length of the stages that have one; core has no upper edge ("about a year")."""
    return {
        NEW: at.new_window,
        ESTABLISHED: at.established_window,
        CORE: (at.core_window, np.inf),
    }


def progress(evidence: Evidence, rule: npt.NDArray[np.int8], at: StageThresholds) -> StageProgress:
    """Everything that :meth:`LifecycleClassifier.upgrade_table` says, as arrays.

    Parameters
    ----------
    evidence : Evidence
    rule : ndarray of shape (n,), int8
        Places in ``RULES``.
    at : StageThresholds

    Returns
    -------
    StageProgress
    """
    stage = RULE_STAGE[rule]
    time, kind = time_in_stage(evidence, rule, at)
    following = np.array([NEXT.get(code, -1) for code in range(8)], dtype=np.int8)[stage]
    established, core = held_up(evidence, at)
    back = np.where(core, CORE, np.where(established, ESTABLISHED, NEW))
    fallen = (stage == PROBLEM) | (stage == EXITED)
    following[fallen] = back[fallen]

    orders_asked = np.zeros(stage.shape)
    orders_asked[stage == NEW] = at.established_orders
    orders_asked[stage == ESTABLISHED] = at.core_orders
    orders_missing = np.maximum(0, orders_asked - evidence.n_orders).astype(np.int64)
    span_asked = np.zeros(stage.shape)
    span_asked[stage == NEW] = at.established_span
    span_asked[stage == ESTABLISHED] = at.core_span
    span_asked[stage == CORE] = at.strategic_span
    span_missing = np.maximum(0.0, span_asked - np.nan_to_num(evidence.span, nan=0.0))

    wants = np.zeros(stage.shape, dtype=np.int16)
    wants[stage == POTENTIAL] |= _BIT["a place in the development plan"]
    wants[stage == TARGET] |= _BIT["a first order"]
    wants[orders_missing > 0] |= _BIT["more orders"]
    wants[span_missing > 0] |= _BIT["orders over a longer span"]
    for name, words in (
        ("regular", "more regular orders"),
        ("valuable", "a higher total value"),
        ("satisfied", "more satisfaction"),
    ):
        holds = core_conditions(evidence, at).get(name)
        if holds is not None:
            wants[(stage == ESTABLISHED) & ~holds] |= _BIT[words]
    no_project = True if evidence.joint_project is None else evidence.joint_project != 1.0
    wants[(stage == CORE) & no_project] |= _BIT["a joint project"]
    wants[rule == _ID["dispute"]] |= _BIT["an end to the dispute"]
    for code in ("went_quiet", "long_silence", "no_return"):
        wants[rule == _ID[code]] |= _BIT["an order after the silence"]
    wants[rule == _ID["terminated"]] |= _BIT["a new beginning"]
    return StageProgress(
        time, kind, timing(stage, time, at), following, wants, orders_missing, span_missing
    )


def wants_words(words: list[str], comma: str) -> list[str]:
    """Sentence for every set of wants, by bit set; ``words`` are those of ``WANTS``, translated."""
    return [
        comma.join(word for i, word in enumerate(words) if bits >> i & 1)
        for bits in range(1 << len(words))
    ]
