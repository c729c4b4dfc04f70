"""The eight relationship stages as a law: evidence in, the rule that decides out.

The stages, their usual lengths (2 to 4 months, 3 months to 1 year, about 1 year) and the 3 %
ceiling for problem customers are those of the source on customer upgrading (客户升级). Moving up
needs evidence that time alone never brings: the span between the first and the last order and the
number of orders grow by ordering only, so a customer who merely gets older never moves up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue._words import HOUSE

STAGES = (
    "potential",
    "target",
    "new",
    "established",
    "core",
    "strategic",
    "problem",
    "exited",
)
POTENTIAL, TARGET, NEW, ESTABLISHED, CORE, STRATEGIC, PROBLEM, EXITED = range(8)

VIEW = ("potential", "new", "mature", "declining")
VIEW_OF = np.array([0, 0, 1, 2, 2, 2, 3, 3], dtype=np.int8)  # stage code -> place in VIEW
# with orders and not gone: those among whom problem customers are counted
PRESENT = np.array([False, False, True, True, True, True, True, False])


def problem_counts(stages: npt.ArrayLike) -> tuple[int, int]:
    """Count problem customers and present ones in a column of stage words, English or Chinese."""
    word = np.asarray(stages, dtype=object)
    code = np.full(len(word), -1)
    for i, stage in enumerate(STAGES):
        code[(word == stage) | (word == HOUSE(stage, "zh"))] = i
    # a stage of one's own making is a customer who is there
    return int((code == PROBLEM).sum()), int((PRESENT[code] | (code < 0)).sum())


def problem_share(stages: npt.ArrayLike) -> float:
    """Return the share of problem customers among the present ones (with orders, not exited).

    Parameters
    ----------
    stages : array-like of shape (n,)
        Stage of each customer, as `LifecycleClassifier` says it, English or Chinese.

    Returns
    -------
    float
        0 where nobody is present.

    Examples
    --------
    >>> from custvalue.lifecycle import problem_share
    >>> problem_share(["new", "core", "problem", "exited", "potential", "established"])
    0.25
    """
    problems, present = problem_counts(stages)
    return problems / present if present else 0.0


class Rule(NamedTuple):
    """One rule: its short name, the stage it gives, and where its evidence comes from."""

    code: str
    stage: int
    source: str
    words: str


# In order of precedence: the first rule that holds decides. ``words`` are templates that
# ``rule_words`` fills with the thresholds; every one has a Chinese twin in ``_words``.
RULES = (
    Rule("terminated", EXITED, "crm", "the relationship was ended"),
    Rule("dispute", PROBLEM, "crm", "open dispute"),
    Rule("in_plan", TARGET, "crm", "no order yet, in the development plan"),
    Rule("contacted", TARGET, "crm", "no order yet, in contact"),
    Rule("no_order", POTENTIAL, "orders", "no order yet, known by name only"),
    Rule("no_return", EXITED, "model", "chance of return below {exit_chance}"),
    Rule(
        "long_silence",
        EXITED,
        "orders",
        "silent for {exit_after} or longer and over {exit_ratio} times the longest own gap",
    ),
    Rule(
        "went_quiet",
        PROBLEM,
        "orders",
        "was established, now silent for {quiet_after} or longer and over {quiet_ratio} times "
        "the longest own gap",
    ),
    Rule(
        "joint_project",
        STRATEGIC,
        "crm",
        "joint project after orders over {strategic_span} or longer",
    ),
    Rule(
        "core_orders",
        CORE,
        "orders",
        "{core_orders} or more orders over {core_span} or longer{core_more}",
    ),
    Rule(
        "repeat_orders",
        ESTABLISHED,
        "orders",
        "{established_orders} or more orders over {established_span} or longer",
    ),
    Rule("trial", NEW, "orders", "trial orders"),
)
RULE_STAGE = np.array([rule.stage for rule in RULES], dtype=np.int8)
_ID = {rule.code: i for i, rule in enumerate(RULES)}


class Evidence(NamedTuple):
    """What the rules read, one entry a customer; None for a column that the table lacks.

    ``n_orders`` (0 where there is none), ``span`` (time from first to last order), ``silence``
    (time since the last), ``gap_max``, ``gap_mean``, ``gap_std`` (NaN without a gap),
    ``total_value``; the rest are CRM columns: flags as 0 or 1 with NaN for unknown, and
    ``satisfaction`` and ``return_chance`` as numbers.
    """

    n_orders: Floats
    span: Floats
    silence: Floats
    gap_max: Floats
    gap_mean: Floats | None = None
    gap_std: Floats | None = None
    total_value: Floats | None = None
    in_plan: Floats | None = None
    contacted: Floats | None = None
    open_dispute: Floats | None = None
    terminated: Floats | None = None
    joint_project: Floats | None = None
    satisfaction: Floats | None = None
    return_chance: Floats | None = None


CRM_FLAGS = ("in_plan", "contacted", "open_dispute", "terminated", "joint_project")


@dataclass(frozen=True)
class StageThresholds:
    """Where the rules cut; spans of time in ``unit``.

    ``None`` in ``core_irregularity``, ``core_value`` or ``satisfied_from`` means that the
    condition is not asked for.
    """

    unit: str | None
    new_window: tuple[float, float]
    established_window: tuple[float, float]
    core_window: float
    established_orders: int
    core_orders: int
    core_irregularity: float | None
    core_value: float | None
    satisfied_from: float | None
    quiet_ratio: float
    quiet_after: float
    exit_ratio: float
    exit_after: float
    exit_chance: float

    def __post_init__(self) -> None:
        for name in ("new_window", "established_window"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name} runs from {low:g} to {high:g}; it must not fall.")
        if not 1 <= self.established_orders <= self.core_orders:
            raise ValueError(
                f"established_orders={self.established_orders} and core_orders={self.core_orders} "
                "must be at least 1 and must not fall."
            )
        for name in ("quiet_ratio", "exit_ratio", "exit_chance"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)!r} must not be below 0.")

    @property
    def established_span(self) -> float:
        """Span of orders from which a customer can be established: the trial's lower edge."""
        return self.new_window[0]

    @property
    def core_span(self) -> float:
        """Span of orders from which a customer can be core."""
        return self.new_window[0] + self.established_window[0]

    @property
    def strategic_span(self) -> float:
        """Span of orders from which a joint project makes a strategic partner."""
        return self.core_span + self.core_window


def held_up(evidence: Evidence, at: StageThresholds) -> tuple[npt.NDArray[np.bool_], ...]:
    """Whether the evidence carries a customer to established and to core.

    Returns
    -------
    established, core : ndarray of shape (n,), bool
        Silence and disputes play no part here; core implies established.
    """
    established = (evidence.n_orders >= at.established_orders) & (
        evidence.span >= at.established_span
    )
    core = established & (evidence.n_orders >= at.core_orders) & (evidence.span >= at.core_span)
    for holds in core_conditions(evidence, at).values():
        core &= holds
    return established, core


def core_conditions(evidence: Evidence, at: StageThresholds) -> dict[str, npt.NDArray[np.bool_]]:
    """Conditions for core beyond count and span, by name, where asked for and answerable."""
    out: dict[str, npt.NDArray[np.bool_]] = {}
    if (
        at.core_irregularity is not None
        and evidence.gap_mean is not None
        and evidence.gap_std is not None
    ):
        out["regular"] = evidence.gap_std <= at.core_irregularity * evidence.gap_mean
    if at.core_value is not None and evidence.total_value is not None:
        out["valuable"] = evidence.total_value >= at.core_value
    if at.satisfied_from is not None and evidence.satisfaction is not None:
        # an unknown answer is no evidence against the customer
        out["satisfied"] = ~(evidence.satisfaction < at.satisfied_from)
    return out


def deciding_rule(evidence: Evidence, at: StageThresholds) -> npt.NDArray[np.int8]:
    """Place in ``RULES`` of the first rule that holds, for every customer.

    Parameters
    ----------
    evidence : Evidence
        Arrays of shape (n,).
    at : StageThresholds

    Returns
    -------
    ndarray of shape (n,), int8
        ``RULE_STAGE[out]`` is the stage.
    """
    established, core = held_up(evidence, at)
    has_orders = evidence.n_orders > 0
    longest = np.nan_to_num(evidence.gap_max, nan=0.0)
    rule = np.full(evidence.n_orders.shape, _ID["trial"], dtype=np.int8)

    # from the weakest to the strongest: what is written last decides
    rule[established] = _ID["repeat_orders"]
    rule[core] = _ID["core_orders"]
    rule[_true(evidence.joint_project) & core & (evidence.span >= at.strategic_span)] = _ID[
        "joint_project"
    ]
    quiet = (evidence.silence >= at.quiet_after) & _exceeds(
        evidence.silence, at.quiet_ratio * longest
    )
    rule[established & quiet] = _ID["went_quiet"]
    gone = (evidence.silence >= at.exit_after) & _exceeds(evidence.silence, at.exit_ratio * longest)
    rule[has_orders & gone] = _ID["long_silence"]
    if evidence.return_chance is not None:
        rule[has_orders & (evidence.return_chance < at.exit_chance)] = _ID["no_return"]
    rule[~has_orders] = _ID["no_order"]
    rule[~has_orders & _true(evidence.contacted)] = _ID["contacted"]
    rule[~has_orders & _true(evidence.in_plan)] = _ID["in_plan"]
    rule[_true(evidence.open_dispute)] = _ID["dispute"]
    rule[_true(evidence.terminated)] = _ID["terminated"]
    return rule


def _exceeds(left: Floats, right: Floats) -> npt.NDArray[np.bool_]:
    # three times a gap in weeks and in days differ in the last bit; an edge must not
    return left > right * (1.0 + 1e-9)


def _true(flag: Floats | None) -> Any:
    """Where a flag is set; unknown (NaN) and absent are not."""
    return False if flag is None else flag == 1.0
