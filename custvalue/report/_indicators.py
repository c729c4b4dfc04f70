"""Indicators as a chapter of the report: what changed, what that is due to, scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custvalue._words import INDICATORS
from custvalue.plotting import ContributionDisplay
from custvalue.report._blocks import Block, Column, Shown, section, table, tile
from custvalue.report._pictures import draw
from custvalue.report._words import Words
from custvalue.value import IndicatorTree

MOST = 3  # waterfalls: those of the first indicators that are part of no other


def indicators_section(given: Any, w: Words) -> Block:
    """Say how indicators moved from the period before last to the last.

    Parameters
    ----------
    given : IndicatorTree or (IndicatorTree, mapping of name to Goal)
        With its leaves, without groups; goals to score the last period against.
    w : Words

    Raises
    ------
    TypeError
        If it is no tree.
    ValueError
        If the tree has no values, groups, or a single period and no goals.
    """
    tree, goals = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if not isinstance(tree, IndicatorTree) or not isinstance(goals, (Mapping, type(None))):
        raise TypeError(
            "indicators must be an IndicatorTree with its leaves, or (tree, goals), not "
            f"{type(given).__name__}."
        )
    periods = tree.periods
    if tree.groups:
        raise ValueError(
            "indicators are shown for one group: give with_leaves the rows of that group alone, "
            "without group=."
        )
    if not periods or (len(periods) < 2 and goals is None):
        raise ValueError(
            "indicators need two periods to show a change; the tree has "
            f"{len(periods)}. with_leaves(table, period=...) gives it those of the table."
        )
    blocks: list[Block] = []
    lead = w("Indicators of {period}.", period=str(periods[-1]))
    if len(periods) > 1 and tree.roots:
        start, end = periods[-2:]
        changes = tree.changes(start, end)
        blocks += [_changes(changes, start, end, w), *_parts(tree, start, end, w)]
        lead = _lead(tree, start, end, w)
    if goals is not None:
        blocks += _scores(tree.score(goals, periods[-1]), w)
    blocks.append({"type": "notes", "notes": _notes(tree, goals is not None, w)})
    return section("indicators", w("Indicators"), w("What moved the indicators"), lead, blocks)


def _changes(changes: Any, start: Any, end: Any, w: Words) -> Block:
    known = "marked" in changes
    rows = [
        {
            "indicator": _name(row["indicator"], w),
            **{key: _shown(row[key]) for key in ("start", "end", "change")},
            "seen": w("yes") if known and row["marked"] else w("no"),
        }
        for row in changes.to_dict("records")
    ]
    columns: list[Column] = [
        ("indicator", w("Indicator"), "text"),
        ("start", str(start), "shown"),
        ("end", str(end), "shown"),
        ("change", w("Change"), "shown"),
    ]
    if known:
        columns.append(("seen", w("More than chance"), "text"))
    return table("indicator-changes", w("Indicators then and now"), columns, rows, w)


def _parts(tree: IndicatorTree, start: Any, end: Any, w: Words) -> list[Block]:
    """Waterfall and table of each indicator that is part of no other."""
    figures, tables = [], []
    columns: list[Column] = [
        ("name", w("Leaf"), "text"),
        ("start", str(start), "shown"),
        ("end", str(end), "shown"),
        ("contribution", w("Contribution"), "shown"),
        ("share", w("Share of the change"), "share"),
    ]
    for k, of in enumerate(tree.roots[:MOST]):
        found = tree.contributions(of, start, end)
        name = _name(of, w)

        def waterfall(ax: Any, of: str = of) -> Any:
            return ContributionDisplay.from_estimator(
                tree, of, start, end, language=w.language, ax=ax
            )

        title = w("What moved {indicator}", indicator=name)
        svg = draw(f"indicator-{k}", title, waterfall)
        figures.append({"svg": svg, "caption": title})
        rows = [
            {
                "name": _name(row["name"], w),
                **{key: _shown(row[key]) for key in ("start", "end", "contribution")},
                "share": row["share"],
            }
            for row in found.to_dict("records")
        ]
        caption = w("{indicator}: the change by leaf; the rows add up to it", indicator=name)
        tables.append(table(f"indicator-parts-{k}", caption, columns, rows, w))
    return [{"type": "figures", "figures": figures}, *tables] if figures else []


def _lead(tree: IndicatorTree, start: Any, end: Any, w: Words) -> str:
    of = tree.roots[0]
    found = tree.contributions(of, start, end)
    moved = found["contribution"].to_numpy(dtype=float)
    k = int(abs(moved).argmax())
    changes = tree.changes(start, end).set_index("indicator")
    ends = changes[["start", "end"]].to_numpy(dtype=float)[list(changes.index).index(of)]
    return w(
        "{indicator} went from {start} to {end}; {leaf} moved it most ({part}).",
        indicator=_name(of, w),
        start=_shown(ends[0]).text,
        end=_shown(ends[1]).text,
        leaf=_name(list(found["name"])[k], w),
        part=("+" if moved[k] > 0 else "") + _shown(moved[k]).text,
    )


def _scores(card: Any, w: Words) -> list[Block]:
    rows = [
        {
            **row,
            **{key: _name(row[key], w) for key in ("group", "indicator")},
            **{key: _shown(row[key]) for key in ("actual", "floor", "target", "weight")},
        }
        for row in card.table().to_dict("records")
    ]
    columns: list[Column] = [
        ("group", w("Heading"), "text"),
        ("indicator", w("Indicator"), "text"),
        ("actual", w("Reached"), "shown"),
        ("floor", w("Floor"), "shown"),
        ("target", w("Target"), "shown"),
        ("weight", w("Weight"), "shown"),
        ("score", w("Score"), "bar"),
        ("owner", w("Owner"), "text"),
    ]
    for key in ("group", "owner"):
        if not any(row[key] for row in rows):
            columns = [column for column in columns if column[0] != key]
    tiles = [tile(w("Score of all"), w.cell(card.total, "share"), w("mean by weight"))]
    groups = {name: score for name, score in card.group_totals().items() if name}
    tiles += [tile(_name(name, w), w.cell(score, "share"), "") for name, score in groups.items()]
    return [
        {"type": "tiles", "tiles": tiles},
        table("indicator-scores", w("Scores against floor and target"), columns, rows, w),
    ]


def _notes(tree: IndicatorTree, scored: bool, w: Words) -> list[str]:
    notes = [
        w(
            "A contribution is what moving one leaf adds, averaged over all orders of moving them "
            "(Shapley's value). It says which number moved the indicator, not who or what moved "
            "the number."
        )
    ]
    if scored:
        notes.append(w("A score is 0 at the floor and 1 at the target."))
    if len(tree.roots) > MOST:
        rest = w(", ").join(_name(name, w) for name in tree.roots[MOST:])
        notes.append(w("Not drawn: {list}.", list=rest))
    return notes


def _name(name: str, w: Words) -> str:
    return str(INDICATORS.name(name, w.language))


def _shown(value: float) -> Shown:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return Shown(text.replace("-", "−"), float(value))
