"""Segments' names tested on earlier dates of the same log, by what their customers did then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custvalue._dates import instant, readable, shifted
from custvalue._frames import column
from custvalue._html import html_table
from custvalue._kernels import repeated_shares
from custvalue._typing import Floats, Places
from custvalue._units import Span, check_share, span_days
from custvalue._warn import heard
from custvalue._words import HOUSE, Language, check_language
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import horizon_end, known_at
from custvalue.exceptions import BinWarning, ContractProblem, DataContractError, DataWarning
from custvalue.rfm._cycle import learn_cycle
from custvalue.rfm._segment_claims import FEWEST, Decision, Figures, decide, plain_name
from custvalue.rfm._segment_map import PLAIN, SAID_NAMES, SegmentMap

if TYPE_CHECKING:
    import pandas as pd

    from custvalue.rfm._rfm import RFMTransformer


@dataclass(frozen=True)
class SegmentTest:
    """How names of segments did at earlier dates of a log; made by `SegmentMap.validate`.

    Parameters
    ----------
    named : SegmentMap
        The map that was tested.
    dates : tuple of str
        Ends of observation, the earliest first; empty where the log is too short for any.
    horizon_days : float
        Within which a customer counts as having come back.
    level : float
        Of the intervals.
    decisions : tuple of Decision
        What became of each name, and why.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.data import TransactionLog
    >>> names = dict(customer="customer_id", time="date", amount="amount")
    >>> log = TransactionLog(cv.datasets.load_cdnow("sample"), **names, as_of="1998-06-30")
    >>> summary = log.summary()
    >>> test = cv.RFMTransformer(cuts="cycle").fit(summary).validate(log)
    >>> print(test.words()[0])
    champions: 56 % ordered within 90 days, at 3 dates; 55 % with those that were taken together...
    """

    named: SegmentMap
    dates: tuple[str, ...]
    horizon_days: float
    level: float
    decisions: tuple[Decision, ...]
    _seen: _Seen = field(repr=False, compare=False)
    _today: npt.NDArray[np.intp] = field(repr=False, compare=False)

    @property
    def segment_map(self) -> SegmentMap:
        """Map with the names that hold; the others are merged or have plain names."""
        groups: dict[str, list[str]] = {}
        for one in self.decisions:
            groups.setdefault(one.became, []).append(one.name)
        return self.named.joined(groups)

    @property
    def map_of_past(self) -> SegmentMap:
        """Map for rows of other days: a name that nobody had, then or today, claims nothing there.

        Who was "lost" in the first weeks of a log, where nobody could be tested, may well be back.
        """
        groups: dict[str, list[str]] = {}
        for one in self.decisions:
            bare = one.verdict == "nobody" and one.name in PLAIN
            groups.setdefault(plain_name([one.name]) if bare else one.became, []).append(one.name)
        return self.named.joined(groups)

    def table(self, *, kept: bool = False, language: Language = "en") -> pd.DataFrame:
        """Tell what customers of each name did within the horizon.

        Parameters
        ----------
        kept : bool, default=False
            False: one row a name that was tested. True: one row a segment of `segment_map`.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        pandas.DataFrame
            ``segment``; ``tested`` (customers, each counted at every date); ``ordered``, the share
            of them who ordered, with ``ordered_low`` and ``ordered_high`` (an interval that knows
            that the same customers were seen at several dates) and the ``ordered_least`` and
            ``ordered_most`` of a date; ``spent_each`` with ``spent_low`` and ``spent_high``;
            ``customers`` today; and unless ``kept`` the ``verdict`` ("holds", "told", "merged",
            "renamed", "nobody") and what the name ``became``. NaN where nobody was tested.
        """
        import pandas as pd

        check_language(language)
        names = list(self.segment_map.segments if kept else self.named.segments)
        shown = [one.became if kept else one.name for one in self.decisions]
        at = np.array([names.index(name) for name in shown], dtype=np.intp)
        columns = {"segment": names, **self._seen.figures(at, len(names), self.level)}
        columns["customers"] = np.bincount(at, self._today, minlength=len(names)).astype(int)
        if not kept:
            columns["verdict"] = [one.verdict for one in self.decisions]
            columns["became"] = [one.became for one in self.decisions]
        table = pd.DataFrame(columns)
        if language == "en":
            return table
        for name in ("segment", "became"):
            if name in table:
                table[name] = [_said(one, language) for one in table[name]]
        return HOUSE.table(table, language, cells=("verdict",))

    def words(self, language: Language = "en") -> tuple[str, ...]:
        """Say of each name that somebody had how it did, and what became of it.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        tuple of str
        """
        check_language(language)
        if not self.dates:
            return (HOUSE("No earlier date of the log could test the names.", language),)
        table = self.table()
        rows = zip(self.decisions, table["tested"], table["ordered"], strict=True)
        whole = self.table(kept=True).set_index("segment")["ordered"]
        grown = {one.became for one in self.decisions if one.verdict == "merged"}
        together = {name: float(whole[name]) for name in grown}
        return tuple(
            self._sentence(one, int(n), float(share), language, together.get(one.name))
            for one, n, share in rows
            if one.verdict != "nobody"
        )

    def reconciled(self, segments: npt.ArrayLike, chance: Any, value: Any) -> SegmentTest:
        """Hold the names to a forecast as well, so that both tell one story.

        Parameters
        ----------
        segments : array-like of shape (n_customers,)
            Segment of each customer today, by the map that was tested.
        chance : array-like of shape (n_customers,)
            Forecast chance of an order within the horizon.
        value : array-like of shape (n_customers,)
            Forecast value.

        Returns
        -------
        SegmentTest
            With names that neither the past nor the forecast contradicts.

        Raises
        ------
        ValueError
            If the arrays differ in length, or a segment is not of the map.
        """
        found, p, v = np.asarray(segments).astype(str), np.asarray(chance), np.asarray(value)
        names = list(self.named.segments)
        if not found.shape == p.shape == v.shape or not np.isin(found, names).all():
            raise ValueError(
                f"segments {found.shape}, chance {p.shape} and value {v.shape} must be of one "
                f"length, with segments of {names}."
            )
        at = np.array([names.index(name) for name in np.unique(found)], dtype=np.intp)
        code = at[np.unique(found, return_inverse=True)[1]] if len(found) else at
        sums = [_sums(code, w, len(names)) for w in (np.ones(len(p)), p, v)]
        said = Figures(sums[0], sums[1], sums[2], 1, "forecast")
        return self._decided((self._seen.sums(len(names)), said))

    def _decided(self, figures: tuple[Figures, ...]) -> SegmentTest:
        names = self.named.segments
        if self.dates:
            young = self._seen.young_of(len(names))
            decisions = decide(names, figures, self._today, young)
        else:  # nothing tested: nothing claimed
            decisions = tuple(
                Decision(name, plain_name([name]), "renamed", "few", 0.0)
                if name in PLAIN
                else Decision(name, name, "told")
                for name in names
            )
        return SegmentTest(
            self.named, self.dates, self.horizon_days, self.level, decisions, self._seen,
            self._today,
        )  # fmt: skip

    def _sentence(
        self, one: Decision, n: int, share: float, language: Language, together: float | None
    ) -> str:
        def percent(x: float) -> str:
            digits = 1 if 0 < x < 0.0095 else 0
            return f"{100 * x:.{digits}f}{' %' if language == 'en' else '%'}"

        days, dates = f"{self.horizon_days:g}", len(self.dates)
        text = HOUSE(
            "{name}: {share} ordered within {days} days, at {dates} dates"
            if dates != 1
            else "{name}: {share} ordered within {days} days, at 1 date",
            language,
            name=_said(one.name, language),
            share=percent(share) if n else "–",
            days=days,
            dates=dates,
        )
        stop = HOUSE(".", language)
        if one.verdict in ("holds", "told"):
            if together is None or percent(together) == percent(share):
                return text + stop
            more = "; {share} with those that were taken together with them"
            return text + HOUSE(more, language, share=percent(together)) + stop
        comma = HOUSE(", ", language)
        others = comma.join(_said(name, language) for name in one.others)
        if one.why == "few":
            why = (
                HOUSE("only one such customer was seen", language)
                if n == 1
                else HOUSE("only {n} such customers were seen", language, n=f"{n:,}")
            )
        elif one.why == "old":
            why = HOUSE("{share} of them had come lately", language, share=percent(one.own))
        elif one.why == "each":
            more = "but" if one.own > one.other else "even"
            why = HOUSE(
                f"by the forecast they bring {{own}} each, {{others}} {more} {{other}}"
                if one.kind == "forecast"
                else f"they spent {{own}} each, {{others}} {more} {{other}}",
                language, own=_money(one.own), other=_money(one.other), others=others,
            )  # fmt: skip
        elif not one.others:
            why = HOUSE(
                "by the forecast {own} will; a name like that may have {other} at most"
                if one.kind == "forecast"
                else "a name like that may have {other} at most",
                language, own=percent(one.own), other=percent(one.other),
            )  # fmt: skip
        else:
            why = HOUSE(
                "by the forecast {own} will, of {others} {other}"
                if one.kind == "forecast"
                else "of {others} {other}",
                language, own=percent(one.own), other=percent(one.other), others=others,
            )  # fmt: skip
        end = HOUSE(
            "taken together as {became}" if one.verdict == "merged" else "called {became}",
            language,
            became=_said(one.became, language),
        )
        return text + HOUSE("; ", language) + why + HOUSE(": ", language) + end + stop

    def __str__(self) -> str:
        return "\n".join(self.words())

    def _repr_html_(self) -> str:
        return html_table("Names of segments, tested", [""], [[line] for line in self.words()])


@dataclass(frozen=True)
class _Seen:
    """Customers at the dates of a test, one row a customer and date, and what they did then."""

    segment: Places
    who: Places
    date: Places
    ordered: Floats
    spent: Floats
    young: npt.NDArray[np.bool_]

    def sums(self, n: int) -> Figures:
        """Count customers, buyers and money by segment."""
        sums = [_sums(self.segment, w, n) for w in self._weights()]
        return Figures(sums[0], sums[1], sums[2], FEWEST, "tested")

    def young_of(self, n: int) -> Floats:
        """Count by segment the customers whose first order was lately."""
        return _sums(self.segment, self.young, n)

    def _weights(self) -> tuple[Floats, Floats, Floats]:
        return np.ones(len(self.segment)), self.ordered, self.spent

    def figures(self, at: Places, n: int, level: float) -> dict[str, Any]:
        """Shares and spend with intervals, of segments taken together by ``at``."""
        from scipy.special import ndtri

        code = at[self.segment]
        size, spent = _sums(code, np.ones(len(code)), n), _sums(code, self.spent, n)
        _, share, low, high = repeated_shares(code, self.who, self.ordered, n, level)
        with np.errstate(invalid="ignore", divide="ignore"):  # none tested: not known
            each = spent / size
            # one customer at several dates is one: deviations are summed by customer first
            pair, place = np.unique(code * (self.who.max(initial=0) + 1) + self.who,
                                    return_inverse=True)  # fmt: skip
            owner = (pair // (self.who.max(initial=0) + 1)).astype(np.intp)
            off = np.bincount(place, self.spent - each[code], minlength=len(pair))
            reach = float(ndtri(0.5 + level / 2.0)) * np.sqrt(_sums(owner, off**2, n)) / size
            days = self.date.max(initial=-1) + 1
            by_date = code * days + self.date
            shares = np.bincount(by_date, self.ordered, minlength=n * days) / np.bincount(
                by_date, minlength=n * days
            )
        shares = shares.reshape(n, days)
        least = np.where(np.isnan(shares), np.inf, shares).min(axis=1, initial=np.inf)
        most = np.where(np.isnan(shares), -np.inf, shares).max(axis=1, initial=-np.inf)
        nobody = size == 0
        return {
            "tested": size.astype(int),
            "ordered": share,
            "ordered_low": low,
            "ordered_high": high,
            "ordered_least": np.where(nobody, np.nan, least),
            "ordered_most": np.where(nobody, np.nan, most),
            "spent_each": each,
            "spent_low": np.maximum(each - reach, 0.0),
            "spent_high": each + reach,
        }


def names_tested(
    named: SegmentMap,
    log: TransactionLog,
    transformer: RFMTransformer,
    dates: int | Sequence[Any],
    horizon: Span,
    level: float,
) -> SegmentTest:
    """Test a map's names; see ``SegmentMap.validate``."""
    if not isinstance(log, TransactionLog):
        text = f"SegmentMap.validate reads a TransactionLog, got {type(log).__name__}"
        cure = "Wrap the frame: custvalue.data.TransactionLog(frame, customer=..., time=..., ...)."
        raise DataContractError(ContractProblem("not-a-log", text, cure))
    check_share(level, "level", above=True, below=True)
    days = span_days(horizon, "horizon")
    if not days > 0:
        raise ValueError(f"horizon={horizon!r} must be longer than nothing.")
    now = _fitted(transformer, log)
    named._check_scored(now)
    today = np.bincount(_codes(named, now, log), minlength=len(named.segments))
    found = earlier_dates(log, dates, days, horizon)
    parts = [_at(named, transformer, log, date, horizon) for date in found]
    ids = [part.pop("ids") for part in parts]
    who = np.unique(np.concatenate(ids), return_inverse=True)[1] if ids else np.empty(0, int)

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([part[name] for part in parts] or [np.empty(0)])

    seen = _Seen(
        segment=joined("segment").astype(np.intp),
        who=who.astype(np.intp),
        date=np.repeat(np.arange(len(ids)), [len(part) for part in ids]).astype(np.intp),
        ordered=joined("ordered").astype(np.float64),
        spent=joined("spent").astype(np.float64),
        young=joined("young").astype(np.bool_),
    )
    spoken = tuple(readable(date) for date in found)
    bare = SegmentTest(named, spoken, days, level, (), seen, today)
    return bare._decided((seen.sums(len(named.segments)),))


def earlier_dates(
    log: TransactionLog, dates: int | Sequence[Any], days: float, horizon: Span
) -> list[np.datetime64]:
    """List ends of observation, the earliest first, each a horizon before the end at the latest."""
    if isinstance(dates, (int, np.integer)) and not isinstance(dates, bool):
        if dates < 1:
            raise ValueError(f"dates={dates!r} must be 1 or more, or the dates themselves.")
        first = shifted(log.first, log.span_days / 3.0)
        asked = [shifted(log.as_of, -days * (k + 1)) for k in range(int(dates))]
        return [date for date in reversed(asked) if date >= first]
    if isinstance(dates, (str, bytes)) or not isinstance(dates, (Sequence, np.ndarray)):
        raise ValueError(f"dates={dates!r} must be how many, or a sequence of dates.")
    if not len(dates):
        raise ValueError("dates holds no date; give how many, or the dates.")
    found = sorted({instant(date, "dates") for date in dates})
    for date in found:
        horizon_end(log, date, horizon)
    return found


def _fitted(transformer: RFMTransformer, known: TransactionLog) -> RFMTransformer:
    """Learn anew from what was known; what ties leave empty was told by the user's own fit."""
    bare = clone(transformer).set_params(remainder="drop", weights=None)
    with heard(BinWarning, DataWarning):
        return bare.fit(known.summary(transformer.unit))


def _codes(named: SegmentMap, fitted: RFMTransformer, known: TransactionLog) -> Places:
    summary = known.summary(fitted.unit)
    return named.codes(fitted.transform(summary))


def _at(
    named: SegmentMap,
    transformer: RFMTransformer,
    log: TransactionLog,
    date: np.datetime64,
    horizon: Span,
) -> dict[str, Any]:
    """Name customers known at a date by what was known then, and say what came."""
    known = known_at(log, date)
    summary = known.summary("D")
    customers = np.asarray(column(summary, log.customer))
    spent, orders = log.between(date, horizon_end(log, date, horizon)).totals(customers)
    n, span, age = (
        np.asarray(column(summary, name), dtype=np.float64) for name in ("n_orders", "recency", "T")
    )
    cycle = learn_cycle(n, span)
    usual = span_days(horizon) if cycle is None else 2.0 * cycle.whole
    return {
        "ids": customers,
        "segment": _codes(named, _fitted(transformer, known), known),
        "ordered": orders > 0,
        "spent": spent,
        "young": age <= usual,
    }


def _sums(code: Places, weights: npt.NDArray[Any], n: int) -> Floats:
    return np.bincount(code, weights, minlength=n).astype(np.float64)


def _said(name: str, language: Language) -> str:
    return HOUSE(name, language) if name in SAID_NAMES else name


def _money(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"
