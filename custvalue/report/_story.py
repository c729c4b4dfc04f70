"""One story a customer: segment, grade of silence and stage, none of which contradicts the others.

All three follow from silence in the customer's own usual gaps, held to earlier dates of the log and
to the forecast.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._typing import Floats, Objects
from custvalue._units import span_days
from custvalue._warn import heard
from custvalue.exceptions import BinWarning, DataWarning, EmptySegmentWarning
from custvalue.lifecycle import LifecycleClassifier
from custvalue.report._campaign import QUIET, WINDOW
from custvalue.rfm import RFMTransformer, SegmentMap

if TYPE_CHECKING:
    import pandas as pd

    from custvalue.data import TransactionLog
    from custvalue.rfm._for_rooms import SegmentTest


SILENT = ("about to sleep", "at risk", "cannot lose", "lost")
PRESENT = ("champions", "loyal customers", "potential loyalists", "new customers")
ACTIVE, WATCH, SILENT_GRADE, DEEPLY = "active", "watch", "silent", "deeply silent"
LESS = 0.9  # a grade orders at most so many times as often as the one before it
GONE = 0.05  # with a smaller chance of an order within the horizon a quiet customer has left
SHORTEST = 7.0  # days of a test
NEVER = "1000Y"
OLD_TRIAL = "still on trial"
NONE = "no window"
FEWEST = 10  # customers from whom windows can be told
RETURN = "an order after the silence"
FITS = 0.5  # of the customers of a stage at most so many are overdue where its window fits
WINDOWS = ("2M", "4M", "3M", "1Y", "1Y")  # the source's


def check_cuts(cuts: Any) -> str | tuple[float, ...]:
    """``"cycle"``, ``"quintiles"``, or recency cuts in days.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    if isinstance(cuts, str):
        if cuts not in ("cycle", "quintiles"):
            raise ValueError(
                f"cuts={cuts!r} must be 'cycle', 'quintiles', or two to four silences such as "
                "[30, 90, 180] days."
            )
        return cuts
    if not isinstance(cuts, (Sequence, np.ndarray)):
        raise ValueError(f"cuts={cuts!r} must be 'cycle', 'quintiles', or two to four silences.")
    days = tuple(
        float(c)
        if isinstance(c, (int, float, np.integer, np.floating)) and not isinstance(c, bool)
        else span_days(c, "cuts")
        for c in cuts
    )
    if (
        not 2 <= len(days) <= 4
        or not all(np.isfinite(days))
        or not (np.diff((0.0, *days)) > 0).all()
    ):
        raise ValueError(
            f"cuts={list(cuts)} must be two to four silences above 0, ascending: the segments have "
            "three to five scores of recency."
        )
    return days


def cuts_of_text(text: str) -> list[float | str]:
    """Recency cuts as they are written on the command line: days, or spans.

    Examples
    --------
    >>> from custvalue.report._story import cuts_of_text
    >>> cuts_of_text("30, 3M")
    [30.0, '3M']
    """
    parts = [part.strip() for part in text.split(",")]
    return [float(part) if re.fullmatch(r"\d+(\.\d+)?", part) else part for part in parts]


def check_windows(windows: Any) -> str | tuple[str, ...]:
    """``"learn"``, or five spans: the window of new, of established, and of core.

    Raises
    ------
    ValueError
        If it is none of them, or a window falls.
    """
    if isinstance(windows, str) and windows in ("learn", "source"):
        return "learn" if windows == "learn" else WINDOWS
    parts = windows.split(",") if isinstance(windows, str) else windows
    if not isinstance(parts, (Sequence, np.ndarray)) or len(parts) != 5:
        raise ValueError(
            f"stage_windows={windows!r} must be 'learn', 'source', or five spans: new from and to, "
            "established from and to, core, such as '2M,4M,3M,1Y,1Y'."
        )
    spans = tuple(part.strip() if isinstance(part, str) else part for part in parts)
    days = [span_days(span, "stage_windows") for span in spans]
    if days[0] > days[1] or days[2] > days[3]:
        raise ValueError(f"stage_windows={windows!r}: a window runs from its shorter end on.")
    return spans


@dataclass(frozen=True)
class Named:
    """Segments before a forecast is known.

    Parameters
    ----------
    rfm : RFMTransformer
        Of the segments that are shown.
    test : SegmentTest
        Of their names.
    own : RFMTransformer
        Of silence: on the cycle, or at the silences given.
    own_test : SegmentTest
    """

    rfm: RFMTransformer
    test: SegmentTest
    own: RFMTransformer
    own_test: SegmentTest


def name_customers(log: TransactionLog, summary: pd.DataFrame, cuts: Any) -> Named:
    """Score the customers and test the names of the segments on earlier dates."""
    if isinstance(cuts, str):
        own = RFMTransformer(cuts="cycle")
    else:
        k = len(cuts) + 1
        own = RFMTransformer(n_bins=k, cuts={"R": [f"{days!r}D" for days in cuts]})
    days = float(np.clip(log.span_days // 4, SHORTEST, WINDOW))

    def tested(rfm: RFMTransformer) -> SegmentTest:
        return rfm.validate(log, horizon=f"{days:g}D")

    own = own.fit(summary)
    own_test = tested(own)
    if cuts != "quintiles":
        return Named(own, own_test, own, own_test)
    rfm = RFMTransformer().fit(summary)
    return Named(rfm, tested(rfm), own, own_test)


@dataclass(frozen=True)
class Story:
    """What is told of customers, and by which names.

    Parameters
    ----------
    named : Named
        Its tests are held to the forecast as well.
    quiet : frozenset of str
        Segments of ``own_test`` whose customers are quiet.
    merged : dict of str to str
        Grades that chances could not tell from another -> that one.
    lifecycle : LifecycleClassifier
    fit : bool
        Whether the windows of its stages are of this log's customers.
    """

    named: Named
    quiet: frozenset[str]
    merged: dict[str, str]
    lifecycle: LifecycleClassifier
    fit: bool

    @property
    def cells(self) -> SegmentMap:
        """Segments that are shown."""
        return self.named.test.segment_map

    def segment(self, summary: pd.DataFrame) -> Objects:
        """Name each customer's segment."""
        with heard(DataWarning):
            return self.named.rfm.segments(summary, segment_map=self.cells)

    def grade(self, summary: pd.DataFrame) -> Objects:
        """Say each customer's grade of silence."""
        grade = _raw_grades(self.named, summary, self.quiet)
        for old, new in self.merged.items():
            grade[grade == old] = new
        return grade

    def stage(
        self, summary: pd.DataFrame, grade: Objects, chance: Floats, value: Floats
    ) -> Objects:
        """Say each customer's stage, given the grade, and chance and value within the horizon."""
        stage = np.asarray(self.lifecycle.predict(summary), dtype=object)
        quiet, trial = np.isin(grade.astype(str), QUIET), stage == "new"
        old = summary["T"].to_numpy(dtype=float) > self.lifecycle.thresholds_.new_window[1]
        stage[trial & (old | quiet)] = OLD_TRIAL
        stage[quiet & ~trial] = "problem"
        worth = value[~quiet].mean() if not quiet.all() else np.inf
        stage[quiet & (chance < GONE) & (value < worth)] = "exited"
        return stage

    def windows(self) -> dict[str, Any]:
        """Say the windows of the stages in days, and whether they are of this log's customers."""
        at = self.lifecycle.thresholds_
        return {
            "fit": self.fit,
            "learned": self.lifecycle.learn_windows,
            "orders": [at.established_orders, at.core_orders],
            "new": list(at.new_window),
            "established": list(at.established_window),
        }

    def upgrades(self, summary: pd.DataFrame, stage: Objects) -> tuple[Objects, Objects]:
        """Say whether an upgrade is due, where windows fit, and what the next stage wants."""
        table = self.lifecycle.upgrade_table(summary)
        timing = table["timing"].to_numpy(dtype=object).copy()
        timing[~np.isin(stage.astype(str), [] if not self.fit else ["new", "established"])] = NONE
        settled = stage == "established"
        if (timing[settled] == "overdue").mean() > FITS if settled.any() else False:
            timing[settled] = NONE
        wants = table["wants"].to_numpy(dtype=object).copy()
        wants[np.isin(stage.astype(str), ["problem", "exited"])] = RETURN
        return timing, wants


def tell_story(
    named: Named, summary: pd.DataFrame, chance: Floats, value: Floats, windows: Any
) -> Story:
    """Hold names, grades and stages to the forecast.

    Parameters
    ----------
    named : Named
    summary : DataFrame
    chance : ndarray of shape (n,)
        Forecast chance of an order within the days of the test.
    value : ndarray of shape (n,)
        Forecast value.
    windows : "learn" or five spans
    """

    def held(rfm: RFMTransformer, test: SegmentTest) -> SegmentTest:
        with heard(BinWarning, DataWarning):
            base = rfm.segments(summary, segment_map=test.named)
        return test.reconciled(base, chance, value)

    own_test = held(named.own, named.own_test)
    test = own_test if named.rfm is named.own else held(named.rfm, named.test)
    named = Named(named.rfm, test, named.own, own_test)
    quiet = _quiet_names(named, summary, chance)
    merged = _merged_grades(_raw_grades(named, summary, quiet), chance)
    lifecycle = _lifecycle(windows).fit(summary)
    return Story(named, quiet, merged, lifecycle, _windows_fit(lifecycle, summary))


def _lifecycle(windows: Any) -> LifecycleClassifier:
    """Stages by the orders alone: who is quiet or gone, silence and forecast say."""
    if windows == "learn":
        return LifecycleClassifier(learn_windows=True, quiet_after=NEVER, exit_after=NEVER)
    return LifecycleClassifier(
        new_window=windows[:2],
        established_window=windows[2:4],
        core_window=windows[4],
        quiet_after=NEVER,
        exit_after=NEVER,
    )


def _windows_fit(lifecycle: LifecycleClassifier, summary: pd.DataFrame) -> bool:
    """Whether customers who became established took about the time that the window says."""
    at = lifecycle.thresholds_
    n, span = (summary[name].to_numpy(dtype=float) for name in ("n_orders", "recency"))
    came = (n >= at.established_orders) & (span > 0)
    if came.sum() < FEWEST:
        return False
    took = float(np.median((at.established_orders - 1.0) * span[came] / (n[came] - 1.0)))
    low, high = at.new_window
    return low / 2.0 <= took <= 2.0 * high


def _own(named: Named, summary: pd.DataFrame) -> tuple[Objects, Objects]:
    """Segment before and after names were tested, by the customer's own silence."""
    with heard(BinWarning, DataWarning, EmptySegmentWarning):
        base = named.own.segments(summary, segment_map=named.own_test.named)
    became = {one.name: one.became for one in named.own_test.decisions}
    place, at = np.unique(base.astype(str), return_inverse=True)
    return base, np.array([became[name] for name in place], dtype=object)[at]


def _quiet_names(named: Named, summary: pd.DataFrame, chance: Floats) -> frozenset[str]:
    """Segments of silent customers alone whose chance is well below that of those present."""
    base, final = _own(named, summary)
    here = np.isin(final.astype(str), PRESENT)
    usual = chance[here].mean() if here.any() else chance.mean()
    found = set()
    for name in np.unique(final.astype(str)):
        mine = final == name
        if {*base[mine]} <= {*SILENT} and chance[mine].mean() <= 0.8 * usual:
            found.add(str(name))
    return frozenset(found)


def _raw_grades(named: Named, summary: pd.DataFrame, quiet: frozenset[str]) -> Objects:
    """Grades by the segment's name, the deeper ones by silence."""
    _, final = _own(named, summary)
    with heard(BinWarning, DataWarning):
        recency = np.asarray(named.own.transform(summary)["R"], dtype=int)
    name = final.astype(str)
    grade = np.full(len(summary), WATCH, dtype=object)
    grade[np.isin(name, PRESENT)] = ACTIVE
    # a plain name says nothing of silence: the score does
    plain = ~np.isin(name, [*PRESENT, *SILENT, "need attention"])
    bins = named.own.variables_[0].n_bins
    grade[plain & (recency > max(bins - 2, 2))] = ACTIVE
    mute = np.isin(name, list(quiet))
    grade[mute] = np.where(recency[mute] == 1, DEEPLY, SILENT_GRADE)
    return grade


def _merged_grades(grade: Objects, chance: Floats) -> dict[str, str]:
    """Grades that order as often as the grade before them, and which that is."""
    into: dict[str, str] = {}

    def mean(name: str) -> float:
        mine = grade == name
        mine |= np.isin(grade.astype(str), [a for a, b in into.items() if b == name])
        return float(chance[mine].mean()) if mine.any() else np.nan

    if mean(DEEPLY) > LESS * mean(SILENT_GRADE):
        into[DEEPLY] = SILENT_GRADE
    if mean(WATCH) > LESS * mean(ACTIVE):
        into[WATCH] = ACTIVE
    if mean(SILENT_GRADE) > LESS * mean(ACTIVE):  # so few are quiet that nothing can be said
        into[SILENT_GRADE] = ACTIVE
        if DEEPLY in into:
            into[DEEPLY] = ACTIVE
    return into
