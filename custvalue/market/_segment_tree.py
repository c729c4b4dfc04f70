"""A tree of categories: split in a stated order, or by what tells values apart most.

Kass, G. V. (1980), An exploratory technique for investigating large quantities of categorical
data, Applied Statistics 29(2): a p value times the number of columns tried. Bonoma, T. V. &
Shapiro, B. P. (1983), Segmenting the industrial market: from the outer columns to the inner ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from custvalue._typing import Floats, Places
from custvalue.market._variance import variance_by_code

OTHER = "other"
Coded = tuple[Sequence[str], Places]


@dataclass(frozen=True)
class Node:
    """One node of the tree; frozen, without a customer's row.

    Parameters
    ----------
    path : tuple of (str, str)
        Columns and categories that lead here.
    customers : int
        Fitted customers here.
    column : str or None
        What it is split by; None for a segment.
    children : dict of str to Node
        By category; the child ``"other"`` takes rare, unseen and missing ones.
    joined : dict of str to str
        Rare categories that went with the largest child, as their own "other" was too small.
    eta_squared, f, p_adjusted : float or None
        Of the split, in the outcome's scale, where there is one.
    """

    path: tuple[tuple[str, str], ...]
    customers: int
    column: str | None = None
    children: Mapping[str, Node] | None = None
    joined: tuple[str, ...] = ()
    eta_squared: float | None = None
    f: float | None = None
    p_adjusted: float | None = None

    def leaves(self) -> Iterator[Node]:
        """Segments below, in the order of the categories."""
        if not self.children:
            yield self
        for child in (self.children or {}).values():
            yield from child.leaves()

    def splits(self) -> Iterator[Node]:
        """Nodes that are split, from the root down."""
        if self.children:
            yield self
            for child in self.children.values():
                yield from child.splits()

    def other(self) -> str:
        """Category of the child that takes what was not seen."""
        children = self.children
        assert children is not None
        if OTHER in children and not self.joined:
            return OTHER
        return max(children, key=lambda name: children[name].customers)


@dataclass(frozen=True)
class Grouping:
    """How the categories of one column at one node become children."""

    names: tuple[str, ...]
    place: Places
    joined: tuple[str, ...]


def grouping(
    names: Sequence[str], codes: Places, missing: str, min_customers: int
) -> Grouping | None:
    """Children of a node by one column, or None where there would not be two.

    Categories with fewer than ``min_customers`` rows go to "other" (as do missing ones); an "other"
    that is too small itself joins the largest child.
    """
    count = np.bincount(codes, minlength=len(names))
    apart = np.array([name not in (missing, OTHER) for name in names], dtype=bool)
    large = (count >= min_customers) & apart
    rest = int(count[~large].sum())
    kept = int(large.sum())
    if kept < 1 or kept + (rest >= min_customers) < 2:
        return None
    children = [names[code] for code in np.flatnonzero(large).tolist()]
    place = np.cumsum(large) - 1
    joined: tuple[str, ...] = ()
    if 0 < rest < min_customers:
        place[~large] = int(np.argmax(count[large]))
        joined = tuple(names[code] for code in np.flatnonzero(~large & (count > 0)).tolist())
    else:
        place[~large] = kept
        children.append(OTHER)
    return Grouping(tuple(children), place[codes], joined)


@dataclass(frozen=True)
class Grower:
    """Grows a tree over columns of words.

    Parameters
    ----------
    columns : dict of str to (list of str, ndarray of int)
        Categories, and the place of each row's among them.
    missing : str
        The word of a missing category.
    outcome : ndarray or None
        What children should differ in; None: columns are taken in their order.
    min_customers, max_depth : int
    alpha : float
    """

    columns: Mapping[str, Coded]
    missing: str
    outcome: Floats | None
    min_customers: int
    max_depth: int
    alpha: float

    def grow(self, rows: Places, path: tuple[tuple[str, str], ...], left: Sequence[str]) -> Node:
        """Grow the tree below one node, with the columns that are left to split by."""
        leaf = Node(path, len(rows))
        if len(path) >= self.max_depth or not len(rows):
            return leaf
        outcome, tried = self.outcome, []
        for name in left:
            names, codes = self.columns[name]
            found = grouping(names, codes[rows], self.missing, self.min_customers)
            if found is None:
                continue
            if outcome is None:
                return self._split(rows, path, left, name, found)
            tried.append((name, found, outcome[rows]))
        judged = []
        for name, found, y in tried:
            variance = variance_by_code(y, found.place, len(found.names))
            ratio, p = variance.f_test()
            judged.append((min(1.0, p * len(tried)), -ratio, name, found, variance.eta_squared))
        if not judged:
            return leaf
        p, ratio, name, found, eta2 = min(judged, key=lambda one: one[:2])
        if not p < self.alpha:
            return leaf
        return self._split(rows, path, left, name, found, eta_squared=eta2, f=-ratio, p_adjusted=p)

    def _split(
        self,
        rows: Places,
        path: tuple[tuple[str, str], ...],
        left: Sequence[str],
        name: str,
        found: Grouping,
        **judged: float,
    ) -> Node:
        rest = [column for column in left if column != name]
        parts = split_rows(rows, found.place, len(found.names))
        children = {
            word: self.grow(part, (*path, (name, word)), rest)
            for word, part in zip(found.names, parts, strict=True)
        }
        return Node(path, len(rows), name, children, found.joined, **judged)


def split_rows(rows: Places, place: Places, n_groups: int) -> list[Places]:
    """Rows of each group 0 to ``n_groups - 1``, in their order."""
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=n_groups))[:-1]
    return np.split(rows[order], ends)


def leaf_codes(root: Node, columns: Mapping[str, Coded], n_rows: int) -> Places:
    """Place of each row among ``root.leaves()``; unseen and missing categories go to "other"."""
    place_of = {leaf.path: code for code, leaf in enumerate(root.leaves())}
    out = np.zeros(n_rows, dtype=np.intp)

    def send(node: Node, rows: Places) -> None:
        if not node.children:
            out[rows] = place_of[node.path]
            return
        names, codes = columns[str(node.column)]
        children = list(node.children)
        other = children.index(node.other())
        known = {word: j for j, word in enumerate(children) if word != OTHER}
        child_of = np.array([known.get(name, other) for name in names], dtype=np.intp)
        for word, part in zip(
            children, split_rows(rows, child_of[codes[rows]], len(children)), strict=True
        ):
            if len(part):
                send(node.children[word], part)

    send(root, np.arange(n_rows))
    return out
