"""Named segments over RFM cells: every cell in exactly one, checked when the map is made."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from custvalue._group_sizes import group_sizes
from custvalue._open_table import open_table
from custvalue._warn import warn_caller
from custvalue._words import HOUSE, Language, check_language
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    EmptySegmentWarning,
    first_ids,
)
from custvalue.rfm._cycle import Cycle
from custvalue.rfm._rfm_law import VariableCuts, bin_bounds, reachable_cells, scores_of
from custvalue.rfm._rfm_options import CYCLE

if TYPE_CHECKING:
    import pandas as pd

    from custvalue._units import Span
    from custvalue.data import TransactionLog
    from custvalue.rfm._rfm import RFMTransformer
    from custvalue.rfm._segment_test import SegmentTest

Box: TypeAlias = Mapping[str, "int | tuple[int, int]"]
Rule: TypeAlias = "Box | Sequence[Box]"


@dataclass(frozen=True)
class SegmentMap:
    """Named segments of cells, each cell in exactly one of them.

    Parameters
    ----------
    rules : mapping of segment name to rule
        A rule is a box of scores, e.g. ``{"R": (4, 5), "F": 1}`` (both ends included; a letter
        left out means all its scores), or a list of boxes.
    n_bins : int or mapping, default=5
        Number of scores: of every letter, or by letter.
    letters : tuple of str, default=("R", "F", "M")
    new : str or None, default="new customers"
        Segment in which every cell with the best R and the lowest F must lie, so that a newly won
        one-time buyer is always there. None: no such rule.

    Raises
    ------
    DataContractError
        Listing the cells that no rule covers, the cells that several rules cover, scores out of
        range, and cells of new customers that lie elsewhere.

    Examples
    --------
    >>> from custvalue.rfm import SegmentMap
    >>> halves = SegmentMap({"new": {"R": 2, "F": 1}, "good": {"R": 2, "F": 2}, "quiet": {"R": 1}},
    ...                     n_bins=2, letters=("R", "F"), new="new")
    >>> halves.assign([[2, 1], [1, 2]]).tolist()
    ['new', 'quiet']
    >>> SegmentMap({"good": {"R": 2}}, n_bins=2, letters=("R",), new=None)
    Traceback (most recent call last):
    ...
        ...
    custvalue.exceptions.DataContractError: uncovered-cells: no rule covers cells 1. Give ...
    """

    rules: Mapping[str, Rule]
    n_bins: int | Mapping[str, int] = 5
    letters: tuple[str, ...] = ("R", "F", "M")
    new: str | None = "new customers"
    _table: npt.NDArray[np.intp] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        shape = self._shape()
        problems: list[ContractProblem] = []
        hits = np.zeros((len(self.rules), *shape), dtype=bool)
        for i, (name, rule) in enumerate(self.rules.items()):
            for box in _boxes(rule):
                problems += self._mark_into(hits[i], name, box, shape)
        covered = hits.sum(axis=0)
        problems += self._coverage_problems(hits, covered)
        if self.new is not None and not problems:
            problems += self._new_problems(hits)
        if problems:
            raise DataContractError(problems)
        object.__setattr__(self, "_table", hits.argmax(axis=0).astype(np.intp))

    @classmethod
    def ready(cls, n_bins: int = 5, *, plain: bool = False) -> SegmentMap:
        """Ready map for 2, 3, 4 or 5 scores of each of R, F and M.

        Parameters
        ----------
        n_bins : {2, 3, 4, 5}, default=5
            2 are the eight classes usual in Chinese practice (重要价值, 重要发展, ...): high or low
            in each letter, as ``RFMTransformer(n_bins=2, method="mean")`` cuts them. Their names
            say how much care somebody is worth and of which kind, and claim nothing to be tested.
        plain : bool, default=False
            Of 3 to 5 scores. False: the field's names ("champions", "at risk", "lost"), which claim
            what customers will do and hold only where the cuts carry it (:meth:`validate` tests
            them). True: names that say the scores alone ("recent, frequent, high spend").

        Returns
        -------
        SegmentMap

        Raises
        ------
        ValueError
            If there is no ready map for ``n_bins``.

        Examples
        --------
        >>> from custvalue.rfm import SegmentMap
        >>> SegmentMap.ready(5).assign([[5, 5, 5], [5, 1, 3], [1, 5, 5]]).tolist()
        ['champions', 'new customers', 'cannot lose']
        >>> SegmentMap.ready(5, plain=True).assign([[5, 5, 5]]).tolist()
        ['recent, frequent, high spend']
        """
        if not isinstance(n_bins, Hashable) or n_bins not in READY:
            raise ValueError(
                f"there is no ready map for n_bins={n_bins!r}; there are maps for {list(READY)}. "
                "Write your own rules."
            )
        if n_bins == 2:  # new customers lie in two classes, by their spend
            return cls(READY[2], 2, new=None)
        if not plain:
            return cls(READY[n_bins], n_bins)
        rules = {PLAIN[name]: rule for name, rule in READY[n_bins].items()}
        return cls(rules, n_bins, new=PLAIN["new customers"])

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments, in the order of the rules."""
        return tuple(self.rules)

    def names(self, language: Language = "en") -> tuple[str, ...]:
        """Names of the segments in a language, in the order of the rules.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
            Of the ready maps' names; names of your own are never translated.

        Returns
        -------
        tuple of str

        Examples
        --------
        >>> from custvalue.rfm import SegmentMap
        >>> SegmentMap.ready(5).names("zh")[0]
        '冠军客户'
        """
        check_language(language)
        return tuple(
            HOUSE(name, language) if name in READY_NAMES else str(name) for name in self.segments
        )

    def assign(self, scores: Any) -> npt.NDArray[np.object_]:
        """Segment of every row.

        Parameters
        ----------
        scores : frame with a column a letter, or array-like of shape (n, n_letters)
            Scores 1 to n, as ``RFMTransformer.transform`` gives them.

        Returns
        -------
        ndarray of shape (n,) of str

        Raises
        ------
        ValueError
            If a score is not a whole number from 1 to n.
        """
        return np.asarray(np.asarray(self.segments, dtype=object)[self.codes(scores)])

    def codes(self, scores: Any) -> npt.NDArray[np.intp]:
        """Give the number of every row's segment, in the order of ``segments``.

        Parameters
        ----------
        scores : frame with a column a letter, or array-like of shape (n, n_letters)

        Returns
        -------
        ndarray of shape (n,), int
        """
        shape = self._shape()
        table = open_table(scores)
        if table.names is not None:
            parts = [np.asarray(table.column(a), dtype=np.float64) for a in self.letters]
        else:
            array = np.asarray(scores, dtype=np.float64)
            if array.ndim != 2 or array.shape[1] < len(shape):
                raise ValueError(
                    f"scores have shape {array.shape}; one column for each of {self.letters} is "
                    "needed."
                )
            parts = [array[:, j] for j in range(len(shape))]
        at = []
        for letter, part, n in zip(self.letters, parts, shape, strict=True):
            bad = ~np.isin(part, np.arange(1, n + 1))
            if bad.any():
                raise ValueError(
                    f"{letter} must be a whole number from 1 to {n}; {int(bad.sum()):,} rows are "
                    f"not, first: {', '.join(first_ids(np.flatnonzero(bad)))}. Use a map and a "
                    "transformer with the same n_bins."
                )
            at.append(part.astype(np.intp) - 1)
        return np.asarray(self._table[tuple(at)])

    def cells(self) -> Any:
        """Every cell and its segment.

        Returns
        -------
        pandas.DataFrame
            One row a cell: the scores by letter and ``segment``.
        """
        import pandas as pd

        grid = np.array(list(product(*(range(1, n + 1) for n in self._shape()))))
        table = pd.DataFrame(grid, columns=list(self.letters))
        table["segment"] = self.assign(grid)
        return table

    def bounds(self, rfm: RFMTransformer) -> pd.DataFrame:
        """Every rule in the data's own units.

        Parameters
        ----------
        rfm : RFMTransformer
            Fitted.

        Returns
        -------
        pandas.DataFrame
            One row a box (a segment may have several): ``segment``, ``scores``, and of each scored
            column ``<column>_above`` (excluded) and ``<column>_up_to`` (included): infinite where
            the range is open, both equal where no value has these scores, NaN where scoring is
            nested (cut points differ from group to group).

        Raises
        ------
        ValueError
            If the transformer has other letters or another number of scores.
        """
        import pandas as pd

        self._check_scored(rfm)
        rows = [
            {
                "segment": name,
                "scores": _score_text(box),
                **_box_bounds(box, self._scored(rfm), getattr(rfm, "cycle_", None)),
            }
            for name, rule in self.rules.items()
            for box in _boxes(rule)
        ]
        return pd.DataFrame(rows)

    def validate(
        self,
        log: TransactionLog,
        transformer: RFMTransformer,
        *,
        dates: int | Sequence[Any] = 3,
        horizon: Span = "90D",
        level: float = 0.8,
    ) -> SegmentTest:
        """Test every name on earlier dates of a log: say what customers so called did then.

        At each date ``transformer`` is fitted anew on what was known then, customers are named, and
        what they did within ``horizon`` is counted. A ready name is held to what it claims, see
        the notes; one that does not hold is merged with its neighbour, or gets a plain name. Names
        of your own claim nothing that is known here: their shares are told.

        Parameters
        ----------
        log : TransactionLog
        transformer : RFMTransformer
            With the letters and scores of this map.
        dates : int or sequence of dates, default=3
            That many ends of observation, one ``horizon`` apart, the last one ``horizon`` before
            the log's end; those within the first third of the log are left out. Or the dates.
        horizon : span, default="90D"
            A customer counts as having come back who ordered within it.
        level : float, default=0.8
            Of the intervals.

        Returns
        -------
        SegmentTest
            ``table()``, ``words()``, and ``segment_map`` with the names that hold.

        Raises
        ------
        ValueError
            If an option is no such thing, or the map and the transformer do not fit.
        DataContractError
            If nobody is known at a date given, or the log ends before its horizon does.

        Notes
        -----
        Shares are compared with those of other names, pooled over dates. *Lost*: at most one in
        ten ordered, at most half as many as of those present (champions to new customers), and
        nobody else came less; the mean spend is no larger than that of loyal customers. *Need
        attention*, *about to sleep*, *at risk*, *cannot lose*: at most four fifths as many as of
        all who are present, and of those present who order as often; and not gone, a twentieth as
        many at least, as far as their number can tell. *Potential loyalists* and
        *loyal*: as many as of those with fewer orders, or more (within a twentieth). *Champions*:
        nobody orders more often (within a twentieth) or spends more. *New*: nine in ten came first
        no longer ago than twice everybody's usual gap. A name with fewer than 20 customers over
        all dates counts as not tested.

        Examples
        --------
        >>> import custvalue as cv
        >>> from custvalue.data import TransactionLog
        >>> from custvalue.rfm import SegmentMap
        >>> shop = cv.datasets.make_shop("plain", 400, days=800, random_state=2)
        >>> log = TransactionLog(shop.log, customer="customer_id", time="date", amount="amount",
        ...                      as_of="2023-03-11")
        >>> test = SegmentMap.ready(5).validate(log, cv.RFMTransformer(cuts="cycle"))
        >>> print(test.words()[-1])
        lost: 4 % ordered within 90 days, at 3 dates.
        """
        from custvalue.rfm._segment_test import names_tested

        return names_tested(self, log, transformer, dates, horizon, level)

    def _notes(self, rfm: RFMTransformer, sizes: npt.NDArray[np.intp]) -> list[str]:
        """Why a segment is empty; warns where it must be."""
        at = self._table[self._reach(rfm.variables_)]
        reached = np.bincount(at, minlength=len(self.segments)) > 0
        if not reached.all():
            lost = [name for name, ok in zip(self.segments, reached, strict=True) if not ok]
            warn_caller(
                f"no customer can ever be in {', '.join(map(repr, lost))}: the fitted cut points "
                "leave its scores without values. Use fewer bins, other cut points or other rules.",
                EmptySegmentWarning,
            )
        return [
            "" if some else "nobody now" if ok else "out of reach"
            for some, ok in zip(sizes > 0, reached, strict=True)
        ]

    def joined(self, groups: Mapping[str, Sequence[str]]) -> SegmentMap:
        """Map in which some segments are taken together or called otherwise.

        Parameters
        ----------
        groups : mapping of name to names
            Each new name and the segments of this map that make it up; every segment once.

        Returns
        -------
        SegmentMap

        Raises
        ------
        ValueError
            If a segment is missing, unknown or named twice.

        Examples
        --------
        >>> from custvalue.rfm import SegmentMap
        >>> halves = SegmentMap({"a": {"R": 3}, "b": {"R": 2}, "c": {"R": 1}}, n_bins=3,
        ...                     letters=("R",), new=None)
        >>> halves.joined({"a": ["a"], "rest": ["b", "c"]}).assign([[1], [2]]).tolist()
        ['rest', 'rest']
        """
        named = [old for olds in groups.values() for old in olds]
        if sorted(named) != sorted(self.segments):
            raise ValueError(
                f"groups name {sorted(named)}; each segment of {list(self.segments)} must be in "
                "one group."
            )
        rules: dict[str, Rule] = {
            name: _side_by_side([box for old in olds for box in _boxes(self.rules[old])])
            for name, olds in groups.items()
        }
        new = next((name for name, olds in groups.items() if self.new in olds), None)
        return SegmentMap(rules, self.n_bins, self.letters, new)

    def _scored(self, rfm: RFMTransformer) -> list[VariableCuts]:
        return [v for v in rfm.variables_ if v.letter in self.letters]

    def _check_scored(self, rfm: RFMTransformer) -> None:
        scored = {v.letter: v.n_bins for v in rfm.variables_}
        if any(scored.get(a) != n for a, n in zip(self.letters, self._shape(), strict=True)):
            raise ValueError(
                f"the transformer scores {scored}, the map has {self.letters} with "
                f"{self._shape()} scores: use the same letters and n_bins in both."
            )

    def _reach(self, variables: Sequence[VariableCuts]) -> npt.NDArray[np.bool_]:
        """Cells of the map that a customer can have, whatever else is scored and in what order."""
        scored = [v.letter for v in variables]
        others = tuple(i for i, letter in enumerate(scored) if letter not in self.letters)
        kept = [letter for letter in scored if letter in self.letters]
        reached = np.asarray(reachable_cells(variables).any(axis=others))
        return reached.transpose([kept.index(letter) for letter in self.letters])

    def _shape(self) -> tuple[int, ...]:
        if isinstance(self.n_bins, Mapping):
            return tuple(int(self.n_bins[a]) for a in self.letters)
        return (int(self.n_bins),) * len(self.letters)

    def _mark_into(
        self, hit: npt.NDArray[np.bool_], name: str, box: Box, shape: tuple[int, ...]
    ) -> list[ContractProblem]:
        where: list[slice] = [slice(None)] * len(shape)
        for letter, scores in box.items():
            ends = np.atleast_1d(np.asarray(scores))
            if ends.dtype.kind not in "iu" or len(ends) > 2:
                text = f"the rule of {name!r} has {letter}: {scores!r}"
                cure = "Write one whole score, or the lowest and the highest."
                return [ContractProblem("score-type", text, cure)]
            low, high = int(ends[0]), int(ends[-1])
            if letter not in self.letters:
                text = f"the rule of {name!r} names {letter!r}, which is not among {self.letters}"
                return [ContractProblem("unknown-letter", text, "Correct the rule.")]
            j = self.letters.index(letter)
            if not 1 <= low <= high <= shape[j]:
                text = f"the rule of {name!r} has {letter} from {low} to {high}"
                cure = f"Scores of {letter} go from 1 to {shape[j]}."
                return [ContractProblem("score-range", text, cure)]
            where[j] = slice(low - 1, high)
        hit[tuple(where)] = True
        return []

    def _coverage_problems(
        self, hits: npt.NDArray[np.bool_], covered: npt.NDArray[np.intp]
    ) -> list[ContractProblem]:
        out = []
        if (bare := covered == 0).any():
            text = f"no rule covers cells {_cells(bare)}"
            out.append(ContractProblem("uncovered-cells", text, "Give each cell one segment."))
        if (double := covered > 1).any():
            first = tuple(np.argwhere(double)[0])
            names = [n for n, hit in zip(self.rules, hits, strict=True) if hit[first]]
            text = (
                f"cells {_cells(double)} have several segments "
                f"(the first: {' and '.join(map(repr, names))})"
            )
            out.append(ContractProblem("doubly-covered-cells", text, "Give each cell one segment."))
        return out

    def _new_problems(self, hits: npt.NDArray[np.bool_]) -> list[ContractProblem]:
        cure = f"Cells with the best R and the lowest F belong to new={self.new!r}."
        if self.new not in self.rules or not {"R", "F"} <= set(self.letters):
            text = f"there is no segment {self.new!r} over R and F"
            return [ContractProblem("no-new-segment", text, cure + " Or pass new=None.")]
        where: list[Any] = [slice(None)] * len(self.letters)
        where[self.letters.index("R")] = -1
        where[self.letters.index("F")] = 0
        is_new = np.zeros(hits.shape[1:], dtype=bool)
        is_new[tuple(where)] = True
        wrong = is_new & ~hits[self.segments.index(self.new)]
        if not wrong.any():
            return []
        return [ContractProblem("new-elsewhere", f"{_cells(wrong)} are not in {self.new!r}", cure)]


def lay_out_segments(
    cells: SegmentMap, rfm: RFMTransformer, X: Any, value: str, language: Language
) -> pd.DataFrame:
    """Lay out a map's segments; see ``RFMTransformer.segment_table``."""
    import pandas as pd

    boxes = cells.bounds(rfm)
    ends = {
        name: "min" if name.endswith("_above") else "max"
        for name in boxes.columns
        if name not in ("segment", "scores")
    }
    hull = boxes.groupby("segment", sort=False).agg({"scores": " or ".join, **ends})
    hull = hull.reindex(list(cells.segments)).reset_index(drop=True)
    table = pd.DataFrame({"segment": list(cells.names(language))}).join(hull)
    if X is not None:
        opened = open_table(X)
        scores = scores_of(rfm._scored(rfm._asked(opened)[0]), rfm.variables_)
        place = [v.letter for v in rfm.variables_]
        codes = cells.codes(scores[:, [place.index(letter) for letter in cells.letters]])
        (money,) = opened.floats([value], allow_missing=[value])
        sizes = group_sizes(codes, len(cells.segments), money, value)
        sizes["mean"] = sizes.pop("mean_value")
        notes = cells._notes(rfm, sizes["customers"])
        table = table.assign(**sizes, note=[why and HOUSE(why, language) for why in notes])
    if language == "en":
        return table
    scored = [v.column for v in cells._scored(rfm)]
    said = {
        f"{name}_{end}": HOUSE(f"{{what}}_{end}", language, what=HOUSE.name(name, language))
        for name in [*scored, *(["silence"] if CYCLE in scored else [])]
        for end in ("above", "up_to")
    }
    return HOUSE.table(table, language, keep=said).rename(columns=said)


def _cells(mask: npt.NDArray[np.bool_], n: int = 10) -> str:
    cells = np.argwhere(mask) + 1
    gap = "" if max(mask.shape) < 10 else "-"
    text = ", ".join(gap.join(map(str, cell)) for cell in cells[:n])
    return text + (f" and {len(cells) - n} more" if len(cells) > n else "")


def _score_text(box: Box) -> str:
    return " ".join(
        f"{a}{scores}" if isinstance(scores, int) else f"{a}{scores[0]}-{scores[1]}"
        for a, scores in box.items()
    )


def _boxes(rule: Rule) -> Sequence[Box]:
    """Boxes of a rule, which may be a single one."""
    return [rule] if isinstance(rule, Mapping) else rule


def _side_by_side(boxes: Sequence[Box]) -> list[Box]:
    """Make one box of two that differ in one letter and lie beside each other there."""
    left: list[dict[str, int | tuple[int, int]]] = [dict(box) for box in boxes]
    for i, j in combinations(range(len(left)), 2):
        a, b = left[i], left[j]
        letters = [c for c in {**a, **b} if _ends(a, c) != _ends(b, c)]
        if len(letters) != 1 or letters[0] not in a or letters[0] not in b:
            continue
        (low, high), (lower, higher) = sorted((_ends(a, letters[0]), _ends(b, letters[0])))
        if lower == high + 1:
            a[letters[0]] = (low, higher)
            return _side_by_side([a, *(box for k, box in enumerate(left) if k not in (i, j))])
    return list(left)


def _ends(box: Box, letter: str) -> tuple[int, int]:
    """Lowest and highest score of a letter in a box; (0, 0) where all are in it."""
    scores = box.get(letter, 0)
    return (scores, scores) if isinstance(scores, int) else (scores[0], scores[1])


def _box_bounds(
    box: Box, variables: Sequence[VariableCuts], cycle: Cycle | None
) -> dict[str, float]:
    """Find one box's ends on every scored column: above ``low``, up to and including ``high``.

    What is cut in usual gaps is told in time as well, for a customer with everybody's.
    """
    out: dict[str, float] = {}
    for v in variables:
        low, high = -np.inf, np.inf
        if v.letter in box:
            scores = box[v.letter]
            ends = np.array([scores, scores] if isinstance(scores, int) else scores)
            found = np.full((1, 2), np.nan) if v.is_nested else bin_bounds(v, ends)
            low, high = found[:, 0].min(), found[:, 1].max()
        out[f"{v.column}_above"], out[f"{v.column}_up_to"] = float(low), float(high)
        if v.column == CYCLE and cycle is not None:
            out["silence_above"] = float(low * cycle.whole)
            out["silence_up_to"] = float(high * cycle.whole)
    return out


# A newly won one-time buyer has the best R and the lowest F: "new customers" in every map.
_FOUR_AND_THREE: dict[int, dict[str, Rule]] = {
    n: {
        "champions": {"R": (recent, n), "F": (often, n), "M": (often, n)},
        "loyal customers": {"R": (recent, n), "F": (often, n), "M": (1, often - 1)},
        "potential loyalists": {"R": (recent, n), "F": 2},
        "new customers": {"R": (recent, n), "F": 1},
        "about to sleep": {"R": 2, "F": (1, 2)},
        "at risk": {"R": (1, 2), "F": (often, n), "M": (1, often - 1)},
        "cannot lose": {"R": (1, 2), "F": (often, n), "M": (often, n)},
        "lost": {"R": 1, "F": (1, 2)},
    }
    for n, recent, often in ((3, 3, 3), (4, 3, 3))
}
#: High or low in R, F and M; the kind of care follows R and F, its weight M.
EIGHT: dict[str, Rule] = {
    f"{weight} customers{care}": {"R": r, "F": f, "M": m}
    for weight, m in (("key", 2), ("ordinary", 1))
    for care, r, f in (
        ("", 2, 2),
        (" to develop", 2, 1),
        (" to keep", 1, 2),
        (" to win back", 1, 1),
    )
}
READY: dict[int, dict[str, Rule]] = {
    2: EIGHT,
    **_FOUR_AND_THREE,
    5: {
        "champions": {"R": (4, 5), "F": (4, 5), "M": (4, 5)},
        "loyal customers": {"R": (4, 5), "F": (4, 5), "M": (1, 3)},
        "potential loyalists": {"R": (4, 5), "F": (2, 3)},
        "new customers": {"R": (4, 5), "F": 1},
        "need attention": {"R": 3},
        "about to sleep": {"R": 2, "F": (1, 2)},
        "at risk": {"R": (1, 2), "F": (3, 5), "M": (1, 3)},
        "cannot lose": {"R": (1, 2), "F": (3, 5), "M": (4, 5)},
        "lost": {"R": 1, "F": (1, 2)},
    },
}
#: What the scores of a ready segment say, where its name is not carried by the cuts.
PLAIN = {
    "champions": "recent, frequent, high spend",
    "loyal customers": "recent, frequent",
    "potential loyalists": "recent, some orders",
    "new customers": "recent, fewest orders",
    "need attention": "a while ago",
    "about to sleep": "long ago, few orders",
    "at risk": "long ago, frequent",
    "cannot lose": "long ago, frequent, high spend",
    "lost": "longest ago, few orders",
}
READY_NAMES = frozenset([*PLAIN, *PLAIN.values(), *EIGHT, "frequent", "fewer orders", "all others"])
SAID_NAMES = frozenset([*READY_NAMES, "those present"])
