"""Market segments by given categories: cross-classified, or split by what tells value apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin, clone

from custvalue import _frames
from custvalue._categories import MISSING, category_columns, category_of, coded
from custvalue._drift import DriftReport, drift_report
from custvalue._row_check import OnInvalid, flagged
from custvalue._row_scorer import OneRow, RowScorer
from custvalue._sklearn import DocLink, check_input_features, check_is_fitted
from custvalue._typing import Floats, Objects, Places
from custvalue._words import MARKET, Language, check_language
from custvalue._written import Portable
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.market._segment_tree import OTHER, Coded, Grower, Node, leaf_codes
from custvalue.market._variance import known_money, variance_by_code

SCALES = ("log1p", "winsorised", "as it stands")


class MarketSegments(Portable, DocLink, TransformerMixin, BaseEstimator):
    """Segment customers by their categories: in a stated order, or by what tells value apart.

    Never by recency, frequency or money, which are what segments should explain, but by what is
    known of a customer before the first order: place, industry, size, attitude, kind of buying.

    Parameters
    ----------
    by : sequence of str, or dict of str to (str or sequence of str)
        Columns of categories, for ``order="given"`` from the outer to the inner; or bases
        (geographic, demographic, psychographic, behavioural) and their columns.
    order : {"given", "value"}, default="given"
        ``"given"``: cross-classification in the order of ``by`` (Bonoma & Shapiro, 1983).
        ``"value"``: each node is split by the column whose groups differ most in ``outcome`` (F
        test, p value times the number of columns tried: Kass, 1980), until none does.
    outcome : str, optional
        Column with the value, for ``order="value"``; ``fit(X, y)`` may bring it instead.
    outcome_scale : {"log1p", "winsorised", "as it stands"}, default="log1p"
        Money is heavy-tailed: its logarithm of 1 + value, or values cut at the 1st and 99th
        percentile, or the value itself.
    min_customers : int, default=30
        Categories with fewer go to "other" of their node; an "other" with fewer joins the largest
        one beside it, which :meth:`segment_table` says.
    max_depth : int, default=4
        Most columns on a path.
    alpha : float, default=0.05
        For ``order="value"``: a split needs a smaller adjusted p value.

    Attributes
    ----------
    tree_ : Node
        The frozen tree; no customer's row in it.
    segments_ : ndarray of str
        Names of the segments, in the order of the tree.
    segment_shares_ : ndarray
        Share of the fitted customers in each.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    A category that was not seen in ``fit``, and a missing one, goes to "other" of its node; so each
    node has one, which may have had no customer in ``fit``.

    References
    ----------
    Bonoma, T. V. & Shapiro, B. P. (1983), Segmenting the industrial market. Kass, G. V. (1980), An
    exploratory technique for investigating large quantities of categorical data, Applied Statistics
    29(2). Wedel, M. & Kamakura, W. A. (2000), Market segmentation.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.market import MarketSegments
    >>> customers = pd.DataFrame({"industry": ["maker", "maker", "shop", "shop"] * 40,
    ...     "size": ["L", "S", "L", "S"] * 40, "worth": [90.0, 30.0, 60.0, 50.0] * 40})
    >>> segments = MarketSegments(by=["industry", "size"], order="value", outcome="worth")
    >>> print(segments.fit(customers).rules_text())
    L / maker: size = L and industry = maker (40 customers)
    L / shop: size = L and industry = shop (40 customers)
    S / maker: size = S and industry = maker (40 customers)
    S / shop: size = S and industry = shop (40 customers)
    """

    _schema = 3

    @classmethod
    def _learns(cls) -> dict[str, Any]:
        return {
            "bases_": dict[str, tuple[str, ...]],
            "tree_": Node,
            "segments_": Objects,
            "segment_shares_": Floats,
        }

    def __init__(
        self,
        by: Sequence[str] | Mapping[str, str | Sequence[str]] = (),
        *,
        order: str = "given",
        outcome: str | None = None,
        outcome_scale: str = "log1p",
        min_customers: int = 30,
        max_depth: int = 4,
        alpha: float = 0.05,
    ) -> None:
        self.by = by
        self.order = order
        self.outcome = outcome
        self.outcome_scale = outcome_scale
        self.min_customers = min_customers
        self.max_depth = max_depth
        self.alpha = alpha

    def fit(self, X: Any, y: Any = None) -> MarketSegments:
        """Grow the tree.

        Parameters
        ----------
        X : frame
            One row a customer, with the columns of ``by``.
        y : array-like of shape (n_customers,), optional
            The outcome, where ``outcome`` names no column.

        Returns
        -------
        MarketSegments
            Itself, fitted.

        Raises
        ------
        DataContractError
            If a column is missing, or holds numbers with fractions or dates; if an outcome is
            missing.
        ValueError
            If an option cannot be.
        """
        columns = self._check_options()
        words = self._read(X, columns)
        n = len(words[columns[0]][1])
        if not n:
            raise ValueError("X has no rows: there is nobody to segment.")
        outcome = self._outcome(X, y, n) if self.order == "value" else None
        self.bases_ = self._bases()
        self.feature_names_in_ = np.array(columns, dtype=object)
        self.n_features_in_ = len(columns)
        grower = Grower(
            words, MISSING, outcome, self.min_customers, self.max_depth, float(self.alpha)
        )
        self.tree_ = grower.grow(np.arange(n), (), columns)
        self.segments_ = np.array(self._names("en"), dtype=object)
        place = leaf_codes(self.tree_, words, n)
        self.segment_shares_ = np.bincount(place, minlength=len(self.segments_)) / n
        return self

    def _check_written(self) -> None:
        columns, segments = self._check_options(), list(self.tree_.leaves())
        if columns != list(self.feature_names_in_):
            raise ValueError("the columns are not those that these settings ask for.")
        if not len(self.segments_) == len(self.segment_shares_) == len(segments):
            raise ValueError("there must be a name and a share for each segment.")
        for node in self.tree_.splits():
            if node.column not in columns:
                raise ValueError(f"the tree is split by {node.column!r}, which is no column of it.")

    def _bases(self) -> dict[str, tuple[str, ...]]:
        if not isinstance(self.by, Mapping):
            return {"": tuple(self.by)}
        return {
            base: (names,) if isinstance(names, str) else tuple(names)
            for base, names in self.by.items()
        }

    def _check_options(self) -> list[str]:
        if isinstance(self.by, str):
            raise ValueError(f"by={self.by!r} must be a list of columns, such as [{self.by!r}].")
        columns = [name for names in self._bases().values() for name in names]
        if not columns or len(set(columns)) < len(columns):
            raise ValueError(f"by={self.by!r} must name columns, each once.")
        if self.outcome in columns:
            raise ValueError(
                f"outcome={self.outcome!r} stands in by, too: it would explain itself."
            )
        for name, value, legal in (
            ("order", self.order, ("given", "value")),
            ("outcome_scale", self.outcome_scale, SCALES),
        ):
            if value not in legal:
                raise ValueError(f"{name}={value!r} must be one of {list(legal)}.")
        if self.min_customers < 1 or self.max_depth < 1 or not 0.0 < self.alpha <= 1.0:
            raise ValueError(
                f"min_customers={self.min_customers!r} and max_depth={self.max_depth!r} must be at "
                f"least 1, alpha={self.alpha!r} between 0 and 1."
            )
        return columns

    def _read(self, X: Any, columns: Sequence[str]) -> dict[str, Coded]:
        found = category_columns(X, columns, "MarketSegments's X")
        return {name: coded(words) for name, words in found.items()}

    def _outcome(self, X: Any, y: Any, n: int) -> Floats:
        if self.outcome is not None:
            value = _frames.float_columns(X, [self.outcome], caller="MarketSegments's X")[:, 0]
        elif y is not None:
            value = np.asarray(y, dtype=np.float64)
            if value.shape != (n,) or not np.isfinite(value).all():
                raise ValueError(f"y, of shape {value.shape}, must be {n} finite numbers.")
        else:
            raise ValueError(
                "order='value' needs the value that segments should explain: outcome='total_value' "
                "(a column), or fit(X, y)."
            )
        if self.outcome_scale == "log1p":
            low = np.flatnonzero(value <= -1.0)
            if len(low):
                raise DataContractError(
                    ContractProblem(
                        "values-below-zero",
                        "the outcome has values of -1 or below, which have no logarithm of 1 + "
                        "value",
                        "Use outcome_scale='winsorised'.",
                        len(low),
                        first_ids(low),
                    )
                )
            return np.log1p(value)
        if self.outcome_scale == "winsorised":
            return np.clip(value, *np.quantile(value, [0.01, 0.99]))
        return value

    def _names(self, language: Language) -> list[str]:
        if not self.tree_.children:
            return [MARKET.name("all customers", language)]
        return [
            " / ".join(_category(word, language) for _, word in leaf.path)
            for leaf in self.tree_.leaves()
        ]

    def _codes(self, X: Any) -> Places:
        check_is_fitted(self, "tree_")
        words = self._read(X, list(self.feature_names_in_))
        return leaf_codes(self.tree_, words, len(next(iter(words.values()))[1]))

    def predict(self, X: Any, *, on_invalid: OnInvalid = "raise") -> npt.NDArray[Any]:
        """Segment of every customer.

        Parameters
        ----------
        X : frame
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_customers,) of str
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, on_invalid=on_invalid)
        code = self._codes(X)
        return np.array(self._names("en"), dtype=object)[code]

    def scorer(self) -> RowScorer:
        """Freeze the estimator for single customers, as a service asks for them.

        Returns
        -------
        RowScorer
            ``score({...})`` of a customer's categories is the segment, as :meth:`predict` says it;
            ``score.checked(...)`` has a status instead of an error.
        """
        check_is_fitted(self, "tree_")
        tree, names = self.tree_, list(map(str, self.feature_names_in_))
        place = np.zeros(1, dtype=np.intp)

        def answer(row: OneRow) -> list[str]:
            words = {name: ([category_of(row, name, "the customer")], place) for name in names}
            return [self.segments_[leaf_codes(tree, words, 1)[0]]]

        return RowScorer(answer, None, "segment")

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Segment as columns, one a segment: 1 in the customer's own, else 0.

        Parameters
        ----------
        X : frame
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_customers, n_segments)
        """
        if on_invalid != "raise":
            return flagged(self.transform, X, on_invalid=on_invalid, width=len(self.segments_))
        code = self._codes(X)
        return np.eye(len(self.segments_))[code]

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of :meth:`transform`'s columns: ``segment_`` and the segment.

        Parameters
        ----------
        input_features : array-like or None
            Checked against what was seen in ``fit``.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "tree_")
        check_input_features(self, input_features)
        return np.array([f"segment_{name}" for name in self.segments_], dtype=object)

    def segment_table(self, X: Any, *, value: str | None = None, language: Language = "en") -> Any:
        """Size and worth of every segment.

        Parameters
        ----------
        X : frame
        value : str or None
            Column with each customer's value; None for the estimator's outcome, where it has one.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X``
            ``segment``, ``customers``, ``customer_share``; with a value also ``value``,
            ``value_share``, ``mean_value`` (NaN for an empty segment) and ``shrunk_mean``, drawn to
            the mean of all as far as the segment is small and segments are alike; ``joined``:
            categories that were too few for a segment and are counted in this one. An "other"
            without a customer is left out.
        """
        language = check_language(language)
        code = self._codes(X)
        names = self._names(language)
        size = np.bincount(code, minlength=len(names))
        columns: dict[str, Any] = {
            "segment": names,
            "customers": size,
            "customer_share": size / len(code),
        }
        if (value := value or self.outcome) is not None:
            money = known_money(_frames.float_columns(X, [value], allow_missing=[value])[:, 0])
            found = variance_by_code(money, code, len(names))
            total = np.bincount(code, weights=money, minlength=len(names))
            columns |= {
                "value": total,
                "value_share": total / total.sum() if total.sum() else np.zeros(len(names)),
                "mean_value": found.mean,
                "shrunk_mean": found.shrunk_means(),
            }
        joined, leaves = _joined(self.tree_), list(self.tree_.leaves())
        columns["joined"] = [joined.get(leaf.path, "") for leaf in leaves]
        shown = [j for j, leaf in enumerate(leaves) if leaf.customers or size[j]]
        columns = {name: np.asarray(column)[shown] for name, column in columns.items()}
        return _frames.new_table(X, MARKET.table(columns, language))

    def split_table(self, *, language: Language = "en") -> Any:
        """Every split of the tree: where, by which column, and how much it explains there.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``segment`` that is split, ``customers``, ``column``, ``groups``; for ``order="value"``
            also ``eta_squared`` (share of the squares in the outcome's scale), ``f`` and
            ``p_adjusted``.
        """
        check_is_fitted(self, "tree_")
        language = check_language(language)
        nodes = list(self.tree_.splits())
        everyone = MARKET.name("all customers", language)
        columns: dict[str, Any] = {
            "segment": [
                " / ".join(_category(word, language) for _, word in node.path) or everyone
                for node in nodes
            ],
            "customers": np.array([node.customers for node in nodes], dtype=np.int64),
            "column": [str(node.column) for node in nodes],
            "groups": np.array(
                [sum(c.customers > 0 for c in (node.children or {}).values()) for node in nodes],
                dtype=np.int64,
            ),
        }
        if self.order == "value":
            for name in ("eta_squared", "f", "p_adjusted"):
                columns[name] = np.array([getattr(node, name) for node in nodes], dtype=float)
        return _frames.new_table(None, MARKET.table(columns, language))

    def rules_text(self, *, language: Language = "en") -> str:
        """Print every segment with the categories that lead to it, one a line.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str
        """
        check_is_fitted(self, "tree_")
        language = check_language(language)
        joins, colon, space = (" and ", ": ", " ") if language == "en" else ("，", "：", "")
        lines = []
        for name, leaf in zip(self._names(language), self.tree_.leaves(), strict=True):
            if not leaf.customers:
                continue
            rule = joins.join(f"{c} = {_category(w, language)}" for c, w in leaf.path)
            count = MARKET("({n} customers)", language, n=f"{leaf.customers:,}")
            lines.append(f"{name}{colon}{rule or MARKET.name('everybody', language)}{space}{count}")
        return "\n".join(lines)

    def explained(self, X: Any, *, value: str | None = None) -> float:
        """Share of the squares of a value that lies between the segments (eta squared).

        Parameters
        ----------
        X : frame
        value : str or None
            Column with each customer's value, as it stands; None for the estimator's outcome.

        Returns
        -------
        float
            0 nothing, 1 all of it.
        """
        name = value or self.outcome
        if name is None:
            raise ValueError("which value? explained(X, value='total_value').")
        code = self._codes(X)
        money = _frames.float_columns(X, [name], caller="MarketSegments's X")[:, 0]
        return variance_by_code(money, code, len(self.segments_)).eta_squared

    def drift(self, X: Any) -> DriftReport:
        """How far new customers have moved from the fitted ones.

        Parameters
        ----------
        X : frame

        Returns
        -------
        DriftReport
            Stability of the segments' shares, and the share of customers whose path would change if
            the tree were grown anew (by the outcome of ``X``, where it has one).

        Raises
        ------
        ValueError
            If the outcome came as ``y``: then the tree cannot be grown anew from ``X``.
        """
        now = self._codes(X)
        fresh = clone(self).fit(X)
        place = {str(name): code for code, name in enumerate(self.segments_)}
        anew = np.array([place.get(str(name), -1) for name in fresh.segments_])[fresh._codes(X)]
        return drift_report(["segment"], [self.segment_shares_], now[:, None], anew[:, None])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.input_tags.allow_nan = True
        tags.input_tags.two_d_array = False
        return tags


def _category(word: str, language: Language) -> str:
    return MARKET.name(OTHER, language) if word == OTHER else word


def _joined(root: Node) -> dict[tuple[tuple[str, str], ...], str]:
    """Rare categories that went with a child, by the path of the first segment below it."""
    out: dict[tuple[tuple[str, str], ...], str] = {}
    for node in root.splits():
        if node.joined and node.children:
            for leaf in node.children[node.other()].leaves():
                words = ", ".join(node.joined)
                out[leaf.path] = f"{out[leaf.path]}, {words}" if leaf.path in out else words
    return out
