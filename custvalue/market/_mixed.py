"""Segments found in mixed columns: balanced bases, principal components, k-means, stability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state

from custvalue import _frames
from custvalue._categories import columns_of, columns_of_row, is_text
from custvalue._row_check import OnInvalid, flagged
from custvalue._row_scorer import OneRow, RowScorer, refuse_nameless
from custvalue._sklearn import DocLink, check_input_features, check_is_fitted, validate_data
from custvalue._typing import Floats, Places
from custvalue._warn import warn_caller
from custvalue._words import MARKET, Language, check_language
from custvalue._written import Portable
from custvalue.exceptions import DataWarning
from custvalue.market._blocks import Components, Stability, components_of
from custvalue.market._clusters import REFIT, centers_of, nearest_center, told_apart
from custvalue.market._variance import known_money, variance_by_code

ALL = "all"


class MixedSegments(Portable, DocLink, TransformerMixin, BaseEstimator):
    """Find segments in columns of any kind, each base counting as one block.

    Numbers are standardised, categories scaled as in correspondence analysis, and each base divided
    by the root of its largest eigenvalue, so that eight behaviours do not drown one region
    (multiple factor analysis); then principal components and k-means.

    Parameters
    ----------
    bases : dict of str to (str or sequence of str), optional
        Bases (geographic, demographic, psychographic, behavioural) and their columns. None: all
        columns are numbers and one base.
    n_segments : int or "auto", default="auto"
        ``"auto"``: the largest number up to ``max_segments`` that is stable.
    max_segments : int, default=8
    stable : float, default=0.8
        Mean adjusted Rand index over bootstrap refits from which a number of segments is stable.
    n_draws : int, default=50
        Bootstrap refits for each number tried.
    inertia : float, default=0.8
        Share of the variance that the kept components hold at least.
    rare : float, default=0.01
        Categories that a smaller share of the fitted customers have (or have not) count as none; 0
        keeps them all.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    components_ : Components
        Frozen scales and axes; no customer's row in it.
    centers_ : ndarray of shape (n_segments, n_components)
        The largest segment first.
    n_segments_ : int
    stability_ : tuple of Stability
        Of each number tried; empty where the number was given.
    segment_shares_ : ndarray of shape (n_segments,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    Notes
    -----
    A missing number counts as the mean, a missing category as one of its own. A category that was
    not seen in ``fit``, or ``rare`` there, counts as none: the scaling would carry these few so far
    away that they became a segment of their own.

    Hennig (2007) draws customers again in the same way and judges each cluster by itself; here the
    whole partition is judged, by the adjusted Rand index. The cut of 0.8 is ours.

    References
    ----------
    Escofier, B. & Pagès, J. (1994), Multiple factor analysis, Computational Statistics & Data
    Analysis 18. Hubert, L. & Arabie, P. (1985), Comparing partitions, Journal of Classification 2.
    Hennig, C. (2007), Cluster-wise assessment of cluster stability, Computational Statistics & Data
    Analysis 52.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.market import MixedSegments
    >>> customers = pd.DataFrame({"age": [20, 22, 61, 63] * 5, "town": ["a", "a", "b", "b"] * 5})
    >>> segments = MixedSegments({"person": "age", "place": "town"}, n_segments=2, random_state=0)
    >>> segments.fit(customers).segment_table(customers)
       segment  customers  customer_share
    0        0         10             0.5
    1        1         10             0.5
    """

    _schema = 3

    @classmethod
    def _learns(cls) -> dict[str, Any]:
        return {
            "components_": Components,
            "stability_": tuple[Stability, ...],
            "centers_": Floats,
            "segment_shares_": Floats,
            "n_segments_": int,
        }

    @classmethod
    def _may_learn(cls) -> dict[str, Any]:
        return {"text_": frozenset[str]}

    def __init__(
        self,
        bases: Mapping[str, str | Sequence[str]] | None = None,
        *,
        n_segments: int | str = "auto",
        max_segments: int = 8,
        stable: float = 0.8,
        n_draws: int = 50,
        inertia: float = 0.8,
        rare: float = 0.01,
        random_state: Any = None,
    ) -> None:
        self.bases = bases
        self.n_segments = n_segments
        self.max_segments = max_segments
        self.stable = stable
        self.n_draws = n_draws
        self.inertia = inertia
        self.rare = rare
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> MixedSegments:
        """Learn scales, components and segments.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        y : None
            Not used; there for scikit-learn's contract.

        Returns
        -------
        MixedSegments
            Itself, fitted.

        Raises
        ------
        DataContractError
            If a base's column is missing, or holds dates or infinite numbers.
        ValueError
            If an option cannot be, or there are fewer different customers than segments.

        Warns
        -----
        DataWarning
            If no number of segments is stable: the most stable one is taken.
        """
        self._check_options()
        bases = self._read(X, reset=True)
        n = len(next(iter(bases[0].values())))
        random = check_random_state(self.random_state)
        self.components_ = components_of(bases, float(self.inertia), float(self.rare))
        place = self.components_.of(bases)
        different = len(np.unique(np.round(place, 9), axis=0))
        if self.n_segments == "auto":
            self.stability_, centers = self._most_stable(bases, place, different, random)
        else:
            if different < int(self.n_segments):
                raise ValueError(
                    f"X has {different} different customers (n_samples={n}), fewer than "
                    f"n_segments={self.n_segments}."
                )
            self.stability_ = ()
            centers = centers_of(place, int(self.n_segments), random)
        codes = nearest_center(place, centers)
        size = np.bincount(codes, minlength=len(centers))
        order = np.argsort(-size, kind="stable")
        self.centers_ = centers[order]
        self.segment_shares_ = size[order] / n
        self.n_segments_ = len(centers)
        return self

    def _check_written(self) -> None:
        self._check_options()
        parts, n = self.components_, self.n_segments_
        shape = n, len(parts.axes)
        if n < 1 or self.centers_.shape != shape or self.segment_shares_.shape != (n,):
            raise ValueError("there must be a centre and a share for each segment.")
        given = self._columns() or {"": [f"x{j}" for j in range(self.n_features_in_)]}
        if [list(block.scales) for block in parts.blocks] != list(given.values()):
            raise ValueError("the blocks are not of these columns.")
        named = [name for names in given.values() for name in names]
        if self.bases is not None and list(getattr(self, "feature_names_in_", ())) != named:
            raise ValueError("the columns are not those that these settings ask for.")
        for block in parts.blocks:
            block.check()
            words = {name for name, scale in block.scales.items() if scale.categories}
            if words - getattr(self, "text_", frozenset()):
                raise ValueError("columns with categories are columns of text.")
        width = sum(
            len(scale.categories) or 1 for block in parts.blocks for scale in block.scales.values()
        )
        if parts.axes.ndim != 2 or parts.axes.shape[1:] != (width,) != parts.center.shape:
            raise ValueError("the components are not of these blocks.")

    def _check_options(self) -> None:
        number = self.n_segments
        if number != "auto" and not (isinstance(number, (int, np.integer)) and number >= 1):
            raise ValueError(f"n_segments={number!r} must be 'auto' or a whole number from 1 on.")
        if self.max_segments < 2 or self.n_draws < 1:
            raise ValueError(
                f"max_segments={self.max_segments!r} must be at least 2, "
                f"n_draws={self.n_draws!r} at least 1."
            )
        if not 0 <= self.rare < 1:
            raise ValueError(f"rare={self.rare!r} must be a share, 0 or more and below 1.")
        if not (0 < self.inertia <= 1 and -1 <= self.stable <= 1):
            raise ValueError(
                f"inertia={self.inertia!r} must be a share above 0, stable={self.stable!r} an "
                "adjusted Rand index up to 1."
            )

    def _columns(self) -> dict[str, list[str]]:
        return {
            base: [names] if isinstance(names, str) else list(names)
            for base, names in (self.bases or {}).items()
        }

    def _read(self, X: Any, *, reset: bool) -> list[dict[str, npt.NDArray[Any]]]:
        """Columns of each base."""
        if self.bases is None:
            _refuse_text(X)
            values = validate_data(
                self,
                X,
                reset=reset,
                dtype=np.float64,
                ensure_all_finite="allow-nan",
                ensure_min_samples=2 if reset else 1,
            )
            return [{f"x{j}": column for j, column in enumerate(values.T)}]
        columns = self._columns()
        names = [name for base in columns.values() for name in base]
        if not names or len(set(names)) < len(names) or not all(columns.values()):
            raise ValueError(f"bases={self.bases!r} must name columns, each once.")
        found = columns_of(X, names, "MixedSegments's X")
        if reset:
            self.feature_names_in_ = np.array(names, dtype=object)
            self.n_features_in_ = len(names)
            self.text_ = frozenset(name for name in names if is_text(found[name]))
        changed = [name for name in names if is_text(found[name]) != (name in self.text_)]
        if changed:
            raise ValueError(
                f"{', '.join(changed)}: numbers in fit and text now, or the other way round."
            )
        n = len(found[names[0]])
        if n < (2 if reset else 1):
            raise ValueError(f"Found array with {n} sample(s) while a minimum of 2 is required.")
        return [{name: found[name] for name in base} for base in columns.values()]

    def _most_stable(
        self,
        bases: list[dict[str, npt.NDArray[Any]]],
        place: Floats,
        different: int,
        random: np.random.RandomState,
    ) -> tuple[tuple[Stability, ...], Floats]:
        """Largest number of segments that comes out alike when customers are drawn again."""
        from sklearn.metrics import adjusted_rand_score

        most = min(int(self.max_segments), different)
        if most < 2:
            return (), centers_of(place, 1, random)
        fits = {k: centers_of(place, k, random) for k in range(2, most + 1)}
        codes = {k: nearest_center(place, centers) for k, centers in fits.items()}
        scores: dict[int, list[float]] = {k: [] for k in fits}
        n = len(place)
        for _ in range(int(self.n_draws)):
            rows = random.randint(0, n, n)
            drawn = [{name: v[rows] for name, v in base.items()} for base in bases]
            components = components_of(drawn, float(self.inertia), float(self.rare))
            there, here = components.of(drawn), components.of(bases)
            for k in fits:
                again = nearest_center(here, centers_of(there, k, random, REFIT))
                scores[k].append(float(adjusted_rand_score(codes[k], again)))
        found = tuple(Stability(k, float(np.mean(scores[k]))) for k in fits)
        firm = [one.segments for one in found if one.adjusted_rand >= self.stable]
        if firm:
            return found, fits[max(firm)]
        best = max(found, key=lambda one: one.adjusted_rand)
        warn_caller(
            f"no number of segments is stable (the best, {best.segments}, has a mean adjusted Rand "
            f"index of {best.adjusted_rand:.2f}, below {self.stable:g}): these customers lie in no "
            "groups that another sample would show. stability_table() has all.",
            DataWarning,
        )
        return found, fits[best.segments]

    def _codes(self, X: Any) -> tuple[Places, Floats]:
        check_is_fitted(self, "centers_")
        place = self.components_.of(self._read(X, reset=False))
        return nearest_center(place, self.centers_), place

    def predict(self, X: Any, *, on_invalid: OnInvalid = "raise") -> npt.NDArray[Any]:
        """Segment of every customer: 0 the largest of the fit, 1 the next.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_customers,), int
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, on_invalid=on_invalid)
        return self._codes(X)[0]

    def scorer(self) -> RowScorer:
        """Freeze the estimator for single customers, as a service asks for them.

        Returns
        -------
        RowScorer
            ``score({...})`` of a customer's values is the segment, as :meth:`predict` says it;
            ``score.checked(...)`` has a status instead of an error.

        Raises
        ------
        NotSupportedError
            If it was fitted on columns without names.
        """
        check_is_fitted(self, "centers_")
        refuse_nameless(self)
        names = list(map(str, self.feature_names_in_))
        text: frozenset[str] = getattr(self, "text_", frozenset())
        bases = self._columns() or {"": names}

        def answer(row: OneRow) -> Places:
            found = columns_of_row(row, names, text, "the customer")
            if self.bases is None:  # columns of an array have numbers
                parts = [{f"x{j}": found[name] for j, name in enumerate(names)}]
            else:
                parts = [{name: found[name] for name in base} for base in bases.values()]
            return nearest_center(self.components_.of(parts), self.centers_)

        return RowScorer(answer, None, "segment")

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Coordinates on the principal components.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_customers, n_components)
        """
        if on_invalid != "raise":
            return flagged(
                self.transform, X, on_invalid=on_invalid, width=len(self.components_.axes)
            )
        return self._codes(X)[1]

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of :meth:`transform`'s columns: ``component0``, ``component1``, ...

        Parameters
        ----------
        input_features : array-like or None
            Checked against what was seen in ``fit``.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self, "centers_")
        check_input_features(self, input_features)
        return np.array([f"component{j}" for j in range(len(self.components_.axes))], dtype=object)

    def segment_table(self, X: Any, *, value: str | None = None, language: Language = "en") -> Any:
        """Size and worth of every segment.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
        value : str or None
            Column with each customer's value.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            ``segment``, ``customers``, ``customer_share``; with a value also ``value``,
            ``value_share``, ``mean_value`` (NaN for an empty segment), ``shrunk_mean``.
        """
        language = check_language(language)
        codes, _ = self._codes(X)
        k = self.n_segments_
        size = np.bincount(codes, minlength=k)
        columns: dict[str, Any] = {
            "segment": np.arange(k),
            "customers": size,
            "customer_share": size / len(codes),
        }
        if value is not None:
            money = known_money(_frames.float_columns(X, [value], allow_missing=[value])[:, 0])
            found = variance_by_code(money, codes, k)
            total = np.bincount(codes, weights=money, minlength=k)
            columns |= {
                "value": total,
                "value_share": total / total.sum() if total.sum() else np.zeros(k),
                "mean_value": found.mean,
                "shrunk_mean": found.shrunk_means(),
            }
        return _frames.new_table(X, MARKET.table(columns, language))

    def explained(self, X: Any, *, value: str) -> float:
        """Share of the squares of a value that lies between the segments (eta squared).

        Parameters
        ----------
        X : frame
        value : str
            Column with each customer's value.

        Returns
        -------
        float
        """
        codes, _ = self._codes(X)
        money = _frames.float_columns(X, [value], caller="MixedSegments's X")[:, 0]
        return variance_by_code(money, codes, self.n_segments_).eta_squared

    def stability_table(self, *, language: Language = "en") -> Any:
        """How stable each number of segments is.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``segments``, ``adjusted_rand`` (mean over the refits), ``stable``, ``chosen``.

        Raises
        ------
        ValueError
            If the number was given: then none was tried.
        """
        check_is_fitted(self, "centers_")
        language = check_language(language)
        if not self.stability_:
            raise ValueError("the number of segments was not searched; use n_segments='auto'.")
        number = np.array([one.segments for one in self.stability_])
        alike = np.array([one.adjusted_rand for one in self.stability_])
        columns = {
            "segments": number,
            "adjusted_rand": alike,
            "stable": alike >= self.stable,
            "chosen": number == self.n_segments_,
        }
        return _frames.new_table(None, MARKET.table(columns, language))

    def reach_table(
        self,
        X: Any,
        columns: Sequence[str],
        *,
        random_state: int | None = 0,
        language: Language = "en",
    ) -> Any:
        """How well the segments can be told from columns that a sales team sees.

        Parameters
        ----------
        X : frame
        columns : sequence of str
            What is known of a prospect before the first order.
        random_state : int or None, default=0
            Of the folds.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X``
            One row a column, and one for all together: ``column``, ``balanced_accuracy`` (a tree of
            at most five levels, on folds that it did not see), ``by_chance`` (1 / segments).

        Raises
        ------
        ValueError
            If a segment has fewer than two customers, or there is one segment only.
        """
        language = check_language(language)
        codes, _ = self._codes(X)
        found = columns_of(X, columns, "reach_table's X")
        size = np.bincount(codes)
        size = size[size > 0]
        if len(size) < 2 or size.min() < 2:
            raise ValueError(
                "telling segments apart needs two of them, with two customers or more each; they "
                f"have {size.tolist()}."
            )
        told = {name: [name] for name in columns}
        if len(columns) > 1:
            told[MARKET.name("all together", language)] = list(columns)
        scores = [told_apart([found[c] for c in names], codes, random_state)
                  for names in told.values()]  # fmt: skip
        out = {
            "column": list(told),
            "balanced_accuracy": np.array(scores),
            "by_chance": np.full(len(told), 1.0 / len(size)),
        }
        return _frames.new_table(X, MARKET.table(out, language))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _refuse_text(X: Any) -> None:
    names = (_frames.column_names(X) or []) if _frames.is_frame(X) else []
    text = [str(name) for name in names if is_text(_frames.column(X, name))]
    if text:
        raise ValueError(
            f"column {', '.join(text)} holds no numbers; say which columns belong together: "
            "bases={'demographic': ['age', 'town'], ...}."
        )
