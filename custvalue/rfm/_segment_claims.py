"""What the ready segments' names claim, and which names are left where a claim does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from custvalue._typing import Floats
from custvalue.rfm._segment_map import PLAIN

PRESENT = ("champions", "loyal customers", "potential loyalists", "new customers")
SILENT = ("about to sleep", "at risk", "cannot lose", "lost")
FREQUENT = ("champions", "loyal customers", "at risk", "cannot lose")
LIVE = (*PRESENT, "need attention")

FEWEST = 20  # customers over all dates with whom a name counts as tested
LOST = 0.1  # of the lost at most so many order within the horizon
YOUNG = 0.9  # of the new at least so many are really young
FADING = ("need attention", "about to sleep", "at risk", "cannot lose")
GONE = 0.05  # of what those present do, under which who is called at risk has left


class Against(NamedTuple):
    """One comparison that a name claims: with whom, and by how much.

    ``what`` is "share" (who order) or "each" (money a customer). ``sign`` -1: at most ``factor``
    times that of the others taken together; 1: at least that. ``apart``: with each of them alone.
    """

    what: str
    sign: int
    others: tuple[str, ...]
    factor: float
    apart: bool = False


_SLOWER = Against("share", -1, PRESENT, 0.8)
CLAIMS: dict[str, tuple[Against, ...]] = {
    "lost": (
        Against("share", -1, PRESENT, 0.5),
        Against("share", -1, LIVE, 1.0, apart=True),
        Against("each", -1, ("loyal customers", "champions"), 1.0, apart=True),
    ),
    "about to sleep": (
        _SLOWER,
        Against("share", -1, ("potential loyalists", "new customers"), 0.8),
        Against("share", -1, ("need attention",), 1.0),
    ),
    "at risk": (
        _SLOWER,
        Against("share", -1, ("loyal customers",), 0.8),
        Against("each", -1, ("loyal customers", "champions"), 1.0),
    ),
    "cannot lose": (
        _SLOWER,
        Against("share", -1, ("champions", "loyal customers"), 0.8),
        Against("each", -1, ("champions",), 1.0),
    ),
    "need attention": (_SLOWER,),
    "potential loyalists": (Against("share", 1, ("new customers",), 0.95),),
    "champions": (
        Against("share", 1, (*LIVE[1:], *SILENT), 0.95, apart=True),
        Against("each", 1, (*LIVE[1:], *SILENT), 1.0, apart=True),
    ),
    "loyal customers": (
        Against("share", 1, ("potential loyalists", "new customers"), 0.95, apart=True),
    ),
    "new customers": (),  # they must be young
}
# with whom a name is taken together where its claim fails, and where it was not tested; the first
# of them that there is, and that was tested itself
NEIGHBOURS = {
    "champions": ("loyal customers",),
    "at risk": ("loyal customers", "champions"),
    "cannot lose": ("loyal customers", "champions"),
    "lost": ("about to sleep", "need attention", "potential loyalists"),
    "about to sleep": ("need attention", "potential loyalists"),
    "need attention": ("potential loyalists",),
}
UNTESTED = {
    "champions": ("loyal customers",),
    "loyal customers": ("champions", "potential loyalists"),
    "potential loyalists": ("need attention", "loyal customers"),
    "about to sleep": ("lost",),
    "at risk": ("cannot lose", "about to sleep"),
    "cannot lose": ("at risk",),
    "lost": ("about to sleep",),
}


class Figures(NamedTuple):
    """What customers of each segment did, or are forecast to do; arrays of shape (n_segments,).

    Parameters
    ----------
    customers : ndarray
    buyers : ndarray
        Who ordered, or the sum of their chances.
    money : ndarray
        What they brought.
    fewest : int
        Customers with whom a segment says anything.
    kind : str
        "tested" or "forecast".
    """

    customers: Floats
    buyers: Floats
    money: Floats
    fewest: int
    kind: str

    def of(self, what: str, places: Sequence[int]) -> float:
        """Share who order, or money each, of segments taken together; NaN where too few."""
        at = list(places)
        n = self.customers[at].sum()
        if n < self.fewest:
            return float("nan")
        return float((self.buyers if what == "share" else self.money)[at].sum() / n)


class Decision(NamedTuple):
    """What became of a name, and why.

    ``verdict`` is "holds", "told" (a name that claims nothing), "merged", "renamed" or "nobody".
    ``why`` is "" or "few" or "old" or "gone" or "share" or "each"; ``own`` and ``other`` are the
    figures that were compared, ``others`` of whom; ``kind`` where they are from.
    """

    name: str
    became: str
    verdict: str
    why: str = ""
    own: float = np.nan
    other: float = np.nan
    others: tuple[str, ...] = ()
    kind: str = ""


class Failure(NamedTuple):
    """Why a name does not hold."""

    why: str
    own: float = np.nan
    other: float = np.nan
    others: tuple[str, ...] = ()
    kind: str = ""


def decide(
    names: Sequence[str],
    figures: Sequence[Figures],
    today: npt.NDArray[np.intp],
    young: Floats,
) -> tuple[Decision, ...]:
    """Which names hold, and what becomes of the others.

    Parameters
    ----------
    names : sequence of str
        Segments of a map.
    figures : sequence of Figures
        Of the test on the past, and perhaps of a forecast; all must bear a name out.
    today : ndarray of shape (n_segments,)
        Customers at the log's end.
    young : ndarray of shape (n_segments,)
        Customers of the test whose first order was lately.

    Returns
    -------
    tuple of Decision
        One a segment, in their order.
    """
    place = {name: i for i, name in enumerate(names)}
    there = {n for n in names if today[place[n]] or figures[0].customers[place[n]]}
    groups = {name: [name] for name in names if name in there}
    plain: set[str] = set()
    causes: dict[str, tuple[str, Failure]] = {}

    def fails(name: str) -> Failure | None:
        return _failure(name, groups, place, figures, young)

    def known(name: str) -> bool:
        return not np.isnan(figures[0].of("share", [place[one] for one in groups[name]]))

    while found := _first((n for n in CLAIMS if n in groups and n not in plain), fails):
        name, failure = found
        targets = (UNTESTED if failure.why == "few" else NEIGHBOURS).get(name, ())
        targets = ("lost",) if failure.why == "gone" else targets
        target = next((t for t in targets if t in groups and known(t)), None)
        if target is None:
            plain.add(name)
            causes.setdefault(name, ("renamed", failure))
            continue
        moved = groups.pop(name)
        groups[target] += moved
        for one in moved:
            causes.setdefault(one, ("merged", failure))
    shown = {
        member: plain_name(members) if head in plain else head
        for head, members in groups.items()
        for member in members
    }
    return tuple(
        _decision(name, shown[name], causes.get(name))
        if name in there
        else Decision(name, name, "nobody")
        for name in names
    )


def _decision(name: str, became: str, cause: tuple[str, Failure] | None) -> Decision:
    if cause is not None:
        return Decision(name, became, cause[0], *cause[1])
    return Decision(name, became, "holds" if name in CLAIMS else "told")


def _first(
    names: Iterable[str], fails: Callable[[str], Failure | None]
) -> tuple[str, Failure] | None:
    for name in names:
        if (failure := fails(name)) is not None:
            return name, failure
    return None


def _failure(
    name: str,
    groups: Mapping[str, Sequence[str]],
    place: Mapping[str, int],
    figures: Sequence[Figures],
    young: Floats,
) -> Failure | None:
    """Why a name does not hold; None where it does."""
    at = {head: [place[one] for one in members] for head, members in groups.items()}
    mine, tested = at[name], figures[0]
    if np.isnan(tested.of("share", mine)):
        return Failure("few", own=float(tested.customers[mine].sum()))
    if name == "new customers":
        share = float(young[mine].sum() / tested.customers[mine].sum())
        return Failure("old", own=share) if share < YOUNG else None
    if name in FADING:
        present = [i for head in PRESENT if head in groups for i in at[head]]
        other = tested.of("share", present)
        own, most = tested.of("share", mine), 3.0 / tested.customers[mine].sum()
        if own + most < GONE * other:  # by the rule of three, so that no handful tells it
            return Failure("gone", own, other, ("those present",), tested.kind)
    for source in figures:
        if name == "lost" and source.of("share", mine) > LOST:
            return Failure("share", source.of("share", mine), LOST, (), source.kind)
        for one in CLAIMS[name]:
            own = source.of(one.what, mine)
            for others in [[other] for other in one.others] if one.apart else [one.others]:
                here = [other for other in others if other in groups and other != name]
                # a handful that nothing was tested on takes nobody's name away
                if one.apart and any(np.isnan(tested.of("share", at[other])) for other in here):
                    continue
                other = source.of(one.what, [i for head in here for i in at[head]])
                # rounding decides nothing, and neither does what is not known
                if one.sign * (own - one.factor * other) < -1e-9 * abs(other):
                    here = ["those present"] if one.others == PRESENT else here
                    return Failure(one.what, own, other, tuple(here), source.kind)
    return None


def plain_name(members: Sequence[str]) -> str:
    """Name that says the scores alone, of segments taken together.

    Examples
    --------
    >>> plain_name(["lost"]), plain_name(["at risk", "cannot lose"])
    ('longest ago, few orders', 'frequent')
    """
    if len(members) == 1:
        return PLAIN[members[0]]
    if set(members) <= {*FREQUENT}:
        return "frequent"
    return "all others" if {*members} & {*FREQUENT} else "fewer orders"
