"""SQL of how customers are classed: RFM scores, segments, silence, stages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from custvalue.distributed._sql_text import (
    Read,
    Score,
    Small,
    bin_of,
    chosen,
    digits,
    exp,
    total,
)
from custvalue.exceptions import NotSupportedError
from custvalue.lifecycle import LifecycleClassifier
from custvalue.lifecycle._for_rooms import RULES, StageRules, check_mapping, rule_words, stage_names
from custvalue.rfm import RFMTransformer, SegmentMap
from custvalue.silence import SilenceScorer
from custvalue.silence._for_rooms import (
    GRADES,
    CalibratedChance,
    PooledGaps,
    ShrunkGaps,
    Threshold,
)

MOST_CELLS = 100_000
EDGE = digits(1.0 + 1e-9)  # an edge in weeks and in days differs in the last bit


def by_name(model: Any, is_named: bool) -> None:
    """Refuse an estimator whose columns have no names.

    Raises
    ------
    NotSupportedError
    """
    if not is_named:
        raise NotSupportedError(
            f"this {type(model).__name__} was fitted on an array, and SQL reads columns by name: "
            "fit it on a table of custvalue.summarize."
        )


# ---- RFM ----------------------------------------------------------------------------------------


def rfm_score(rfm: RFMTransformer) -> Score:
    """Scores of each letter, and their weighted sum."""
    by_name(rfm, hasattr(rfm, "feature_names_in_"))
    score, cycle = Score(), rfm.cycle_
    for j, v in enumerate(rfm.variables_):
        on_cycle = cycle is not None and v.letter == "R"
        score.reads[f"in_{j}"] = Read("silence" if on_cycle else v.column)
    inputs = [f"cv_in_{j}" for j in range(len(rfm.variables_))]
    if cycle is not None:
        score.reads |= {"n": Read("n_orders"), "span": Read("recency")}
        score.reasons.append(("impossible-history", "cv_span < 0 OR cv_n < 1"))
        alike = chosen_number(bin_of("cv_n", cycle.orders, upto=True), [cycle.whole, *cycle.gaps])
        score.steps += [
            ("alike", alike),
            ("own", "CASE WHEN cv_n > 1 THEN cv_span ELSE 0e0 END"),
            ("gaps", "CASE WHEN cv_n > 1 AND cv_span > 0 THEN cv_n - 1 ELSE 0e0 END"),
            ("gap", "(cv_own + cv_alike) / (cv_gaps + 1)"),
        ]
        at = [v.letter for v in rfm.variables_].index("R")
        inputs[at] = f"{inputs[at]} / cv_gap"
    cell = "0"
    for j, v in enumerate(rfm.variables_):
        score.steps.append((f"value_{j}", inputs[j]))
        bins = [bin_of(f"cv_value_{j}", cuts, upto=False) for cuts in v.cuts]
        found = bins[0]
        if v.is_nested:
            score.steps.append((f"cell_{j}", cell))
            cases = " ".join(f"WHEN {c} THEN {text}" for c, text in enumerate(bins))
            found = f"CASE cv_cell_{j} {cases} END"
        point = f"{v.n_bins} - ({found})" if v.less_is_better else f"({found}) + 1"
        score.steps.append((f"score_{j}", point))
        cell = f"({cell}) * {v.n_bins} + cv_score_{j} - 1"
        score.columns[v.letter] = f"cv_score_{j}"
    if rfm.weights_ is not None:
        parts = [f"cv_score_{j} * {digits(w)}" for j, w in enumerate(rfm.weights_)]
        score.columns["score"] = total(parts)
    return score


def chosen_number(code: str, values: Sequence[float]) -> str:
    """Write the number whose place a code is."""
    cases = " ".join(f"WHEN {j} THEN {digits(v)}" for j, v in enumerate(values))
    return f"CASE {code} {cases} END"


def segment_score(segments: SegmentMap) -> Score:
    """Segment of each cell of scores."""
    n = segments.n_bins
    sizes = [n if isinstance(n, int) else n[letter] for letter in segments.letters]
    score = Score(reads={f"in_{j}": Read(letter) for j, letter in enumerate(segments.letters)})
    cell = "0"
    for j, (letter, size) in enumerate(zip(segments.letters, sizes, strict=True)):
        score.reasons.append(
            (
                f"no score from 1 to {size}: {letter}",
                f"cv_in_{j} < 1 OR cv_in_{j} > {size} OR cv_in_{j} <> FLOOR(cv_in_{j})",
            )
        )
        cell = f"({cell}) * {size} + CAST(cv_in_{j} AS INTEGER) - 1"
    score.steps.append(("cell", cell))
    grid = np.array(list(product(*(range(1, size + 1) for size in sizes))))
    names = segments.assign(grid)
    score.small = Small("cell", ("segment",), tuple((i, str(s)) for i, s in enumerate(names)))
    score.columns["segment"] = "cv_segment"
    return score


# ---- silence ------------------------------------------------------------------------------------


def silence_score_of(scorer: SilenceScorer) -> Score:
    """S and TrF, the chance of a longer gap, the grade."""
    by_name(scorer, scorer.is_named_)
    method = scorer.learned_
    if isinstance(method, CalibratedChance):
        raise NotSupportedError(
            "method='calibrated' learned a curve that has no SQL; the other methods of "
            "SilenceScorer have. Map it over partitions with custvalue.distributed.predict."
        )
    score = Score(
        reads={
            "silence": Read("silence"),
            "gaps": Read("n_gaps"),
            "longest": Read("gap_max", may_lack=True),
            "sum": Read("gap_sum"),
            "shorter": Read("n_gaps_shorter", may_lack=True),
        }
    )
    longest, shorter = "COALESCE(cv_longest, 0e0)", "COALESCE(cv_shorter, 0e0)"
    score.reasons += [
        ("negative-silence", "cv_silence < 0"),
        ("gap-count", "cv_gaps < 0 OR cv_gaps <> FLOOR(cv_gaps)"),
        ("gap-max", f"cv_gaps > 0 AND {longest} <= 0"),
        ("gap-sum", f"cv_gaps > 0 AND cv_sum < {longest} * {digits(1 - 1e-9)}"),
        ("shorter-gaps", f"{shorter} < 0 OR {shorter} > cv_gaps"),
    ]
    upto = method.longest_gaps[: (len(method.longest_gaps) + 1) // 2]
    usual = digits(upto[-1])
    against = "CASE WHEN cv_gaps > 0 THEN cv_longest ELSE {0} END"
    if isinstance(method, Threshold):
        ratio = f"cv_silence / {digits(method.threshold)}"
    else:
        ratio = f"cv_silence / {against.format(usual)}"
    rank = bin_of("cv_silence", upto, upto=True)
    among = f"CASE WHEN cv_silence >= {usual} THEN 1e0 ELSE (({rank}) + 1e0) / {len(upto) + 1} END"
    score.steps += [
        ("S", ratio),
        ("TrF", f"CASE WHEN cv_gaps > 0 THEN ({shorter} + 1) / (cv_gaps + 1) ELSE {among} END"),
    ]
    score.columns |= {"silence_score": "cv_S", "rank_ratio": "cv_TrF"}
    graded = "cv_S"
    if isinstance(method, (PooledGaps, ShrunkGaps)):
        score.steps.append(("longer", _longer(method)))
        score.columns["prob_longer_gap"] = "cv_longer"
        graded = "1 - cv_longer"
    score.columns["n_own_gaps"] = "cv_gaps"
    score.columns["basis"] = (
        f"CASE WHEN cv_gaps = 0 THEN {chosen('0', method.bases[:1])} "
        f"WHEN cv_gaps = 1 THEN {chosen('0', method.bases[1:2])} "
        f"ELSE {chosen('0', method.bases[2:])} END"
    )
    score.steps.append(("graded", graded))
    score.columns["grade"] = chosen(bin_of("cv_graded", scorer.cuts_, upto=True), GRADES)
    return score


def _longer(method: PooledGaps | ShrunkGaps) -> str:
    """Write the chance that a gap lasts longer than the current one."""
    if isinstance(method, PooledGaps):
        n = len(method.gap_quantiles)
        passed = bin_of("cv_silence", method.gap_quantiles, upto=True)
        return f"({n + 1} - ({passed})) / {digits(n + 1)}"
    r, alpha, k = method.prior
    b, s = f"({digits(alpha)} + cv_sum)", f"({digits(r)} + {k} * cv_gaps)"
    first = exp(f"-{s} * LN(1 + cv_silence / {b})")
    if k == 1:
        return first
    # I_y(s, k) of a whole k: y^s times the sum over j < k of (s)_j / j! (1 - y)^j
    terms, rising = ["1e0"], ""
    for j in range(1, k):
        rising += f" * ({s} + {j - 1}) / {j} * cv_silence / ({b} + cv_silence)"
        terms.append(f"1e0{rising}")
    return f"{first} * {total(terms)}"


# ---- stages -------------------------------------------------------------------------------------

_TIMES = ("n_orders", "recency", "silence", "gap_max")


def stage_score(stages: LifecycleClassifier) -> Score:
    """Stage, the rule that decided, and where its evidence is from."""
    learned = stages.learned_
    if not isinstance(learned, StageRules):
        raise NotSupportedError(
            "these stages were learned from labels, and only the written rules have SQL: fit "
            "without y, or map the classifier over partitions with custvalue.distributed.predict."
        )
    by_name(stages, learned.by_name)
    mapping, at = check_mapping(stages.columns), learned.thresholds
    flags = ("in_plan", "contacted", "open_dispute", "terminated", "joint_project")
    have = set(learned.columns)
    score = Score(
        reads={
            name: Read(mapping[name], "flag" if name in flags else "number", may_lack=True)
            for name in learned.columns
        }
    )
    n = "COALESCE(cv_n_orders, 0e0)"
    score.reasons += [(f"negative: {mapping[name]}", f"cv_{name} < 0") for name in _TIMES]
    for name, least in (("recency", 0), ("silence", 0), ("gap_max", 1)):
        when = f"{n} > {least} AND cv_{name} IS NULL"
        score.reasons.append((f"missing-span: {mapping[name]}", when))
    if "return_chance" in have:
        outside = "cv_return_chance < 0 OR cv_return_chance > 1"
        score.reasons.append((f"not-a-chance: {mapping['return_chance']}", outside))
    core = [f"{n} >= {at.core_orders}", f"cv_recency >= {digits(at.core_span)}"]
    if at.core_irregularity is not None and {"gap_mean", "gap_std"} <= have:
        core.append(f"cv_gap_std <= {digits(at.core_irregularity)} * cv_gap_mean")
    if at.core_value is not None and "total_value" in have:
        core.append(f"cv_total_value >= {digits(at.core_value)}")
    if at.satisfied_from is not None and "satisfaction" in have:
        unhappy = f"cv_satisfaction < {digits(at.satisfied_from)}"
        core.append(f"(CASE WHEN {unhappy} THEN 1 ELSE 0 END) = 0")
    established = (f"{n} >= {at.established_orders} AND "
                   f"cv_recency >= {digits(at.established_span)}")  # fmt: skip
    score.steps += [
        ("established", f"CASE WHEN {established} THEN 1 ELSE 0 END"),
        ("core", f"CASE WHEN {established} AND {' AND '.join(core)} THEN 1 ELSE 0 END"),
        ("long_gap", "COALESCE(cv_gap_max, 0e0)"),
    ]

    def silent(after: float, ratio: float) -> str:
        return (f"cv_silence >= {digits(after)} AND "
                f"cv_silence > {digits(ratio)} * cv_long_gap * {EDGE}")  # fmt: skip

    rules = {
        "terminated": "cv_terminated = 1",
        "dispute": "cv_open_dispute = 1",
        "in_plan": f"{n} <= 0 AND cv_in_plan = 1",
        "contacted": f"{n} <= 0 AND cv_contacted = 1",
        "no_order": f"{n} <= 0",
        "no_return": f"cv_return_chance < {digits(at.exit_chance)}",
        "long_silence": silent(at.exit_after, at.exit_ratio),
        "went_quiet": f"cv_established = 1 AND {silent(at.quiet_after, at.quiet_ratio)}",
        "joint_project": f"cv_joint_project = 1 AND cv_core = 1 AND "
                         f"cv_recency >= {digits(at.strategic_span)}",
        "core_orders": "cv_core = 1",
        "repeat_orders": "cv_established = 1",
        "trial": "1 = 1",
    }  # fmt: skip
    needs = {
        "terminated": "terminated", "dispute": "open_dispute", "in_plan": "in_plan",
        "contacted": "contacted", "no_return": "return_chance", "joint_project": "joint_project",
    }  # fmt: skip
    cases = [
        f"WHEN {rules[rule.code]} THEN {place}"
        for place, rule in enumerate(RULES)
        if needs.get(rule.code, "n_orders") in have
    ]
    score.steps.append(("rule", f"CASE {' '.join(cases)} END"))
    names = stage_names(stages.view, "en")
    score.columns["stage"] = chosen("cv_rule", [names[rule.stage] for rule in RULES])
    score.columns["rule"] = chosen("cv_rule", rule_words(at))
    score.columns["source"] = chosen("cv_rule", [rule.source for rule in RULES])
    return score
