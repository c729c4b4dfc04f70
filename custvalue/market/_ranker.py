"""Which markets first: attractiveness x fit to the own resources, and how sure the order is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from custvalue import _frames
from custvalue._row_check import OnInvalid, flagged
from custvalue._sklearn import DocLink, check_input_features, check_is_fitted, read_columns
from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue._words import MARKET, Language, check_language
from custvalue._written import Portable
from custvalue.exceptions import BinWarning, NotSupportedError, nearest
from custvalue.market._ranking import (
    IdealPoints,
    anchored_scores,
    blocks,
    closeness,
    ideal_points,
    ranks_of,
    switching_weight,
    weighted_product,
    weighted_sum,
)
from custvalue.market._ranking_options import check_options, checked_weights, learned_anchors

LEVELS = ("L", "M", "H")
# by attractiveness and fit, low to high: harvest or leave, select, invest
ADVICE = ("harvest", "select", "invest")
_ADVICE_OF = np.array([[0, 0, 1], [0, 1, 2], [1, 2, 2]])
_SIDES = ("attractiveness", "resource_fit")


class TargetMarketRanker(Portable, DocLink, TransformerMixin, BaseEstimator):
    """Rank markets by their attractiveness and by how well the own resources fit them.

    Each criterion becomes a score between its anchors, 0 to 1; each side (attractiveness,
    resource fit) is the weighted mean of its scores; the priority is a weighted mean of both sides.
    The nine cells of the directional policy matrix say what to do. Strengths and weaknesses,
    opportunities and threats with weights and ratings are the same table: internal factors are
    ``resource_fit``, external ones ``attractiveness``.

    Parameters
    ----------
    attractiveness, resource_fit : dict of str to float, or None
        Criteria and weights; a weight below zero says that less is better. Weights of a side are
        scaled to sum to one. None: of an array, the first half of the columns (rounded up) is
        attractiveness, the rest fit.
    attractiveness_weight : float, default=0.6
        Weight of attractiveness in the priority; the rest is that of fit.
    method : {"saw", "product", "topsis"}, default="saw"
        ``"saw"``: weighted mean of the anchored scores. ``"product"``: their weighted geometric
        mean, zero where one criterion is at its worst. ``"topsis"``: relative closeness to the best
        of the fitted table; as its reference is that table, learning it from another one may turn
        the order of two markets.
    anchors : dict of str to (float, float), optional
        Lowest and highest value of a criterion, whichever is better, such as ``{"channel": (1,
        5)}``. Criteria without anchors learn the fitted table's least and greatest value, and are
        frozen there. Not read by ``"topsis"``.
    cuts : pair of float, default=(1/3, 2/3)
        Where medium and high begin, on both sides.
    market : str, optional
        Column with the markets' names; None: the rows are told by their index or position.

    Attributes
    ----------
    attractiveness_, resource_fit_ : dict of str to float
        Criteria and weights in use, each side's absolute weights summing to one.
    anchors_ : dict of str to (float, float)
    ideal_ : IdealPoints or None
        For ``"topsis"``: norms, best and worst values.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Robinson, S. J. Q., Hichens, R. E. & Wade, D. P. (1978), The directional policy matrix - tool
    for strategic planning, Long Range Planning 11(3). Hwang, C.-L. & Yoon, K. (1981), Multiple
    attribute decision making. Lahdelma, R. & Salminen, P. (2001), SMAA-2, Operations Research
    49(3).

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.market import TargetMarketRanker
    >>> markets = pd.DataFrame({"market": ["auto", "retail"], "size": [120, 300],
    ...                         "rivals": [5, 30], "channel": [4, 2]})
    >>> ranker = TargetMarketRanker(attractiveness={"size": 0.6, "rivals": -0.4},
    ...     resource_fit={"channel": 1.0}, anchors={"size": (0, 400), "rivals": (0, 40),
    ...     "channel": (1, 5)}, market="market")
    >>> ranker.fit(markets).rank_table(markets)
       market  attractiveness  resource_fit  priority  rank cell  advice
    0    auto            0.53          0.75     0.618     1  M-H  invest
    1  retail            0.55          0.25     0.430     2  M-L harvest
    """

    _schema = 3

    @classmethod
    def _learns(cls) -> dict[str, Any]:
        return {
            "attractiveness_": dict[str, float],
            "resource_fit_": dict[str, float],
            "anchors_": dict[str, tuple[float, float]],
            "ideal_": IdealPoints | None,
        }

    def __init__(
        self,
        *,
        attractiveness: Mapping[str, float] | None = None,
        resource_fit: Mapping[str, float] | None = None,
        attractiveness_weight: float = 0.6,
        method: str = "saw",
        anchors: Mapping[str, tuple[float, float]] | None = None,
        cuts: Sequence[float] = (1 / 3, 2 / 3),
        market: str | None = None,
    ) -> None:
        self.attractiveness = attractiveness
        self.resource_fit = resource_fit
        self.attractiveness_weight = attractiveness_weight
        self.method = method
        self.anchors = anchors
        self.cuts = cuts
        self.market = market

    def fit(self, X: Any, y: Any = None) -> TargetMarketRanker:
        """Learn the anchors, and freeze them.

        Parameters
        ----------
        X : frame or array-like, shape (n_markets, n_criteria)
        y : None
            Not used; there for scikit-learn's contract.

        Returns
        -------
        TargetMarketRanker
            Itself, fitted.

        Raises
        ------
        DataContractError
            If a criterion's column is missing, not numeric or has gaps.
        ValueError
            If a weight is zero or not finite, a criterion stands on both sides, or anchors, cuts,
            method or weight cannot be.

        Warns
        -----
        BinWarning
            If a criterion without given anchors has one value in the whole table: it scores 0.5
            everywhere and tells no market from another.
        """
        check_options(self)
        sides = [
            checked_weights("attractiveness", self.attractiveness),
            checked_weights("resource_fit", self.resource_fit),
        ]
        if set(sides[0]) & set(sides[1]):
            both = sorted(set(sides[0]) & set(sides[1]))
            raise ValueError(f"{', '.join(both)} may stand on one side only.")
        wanted = [*sides[0], *sides[1]] or list(_SIDES)
        values, by_name = read_columns(self, X, wanted, reset=True, min_columns=2)
        if not by_name:
            half = (values.shape[1] + 1) // 2
            columns = [f"x{j}" for j in range(values.shape[1])]
            given = [*sides[0].values(), *sides[1].values()]
            if given and len(given) != len(columns):
                raise ValueError(
                    f"X has {len(columns)} columns without the criteria's names {wanted}; name "
                    "its columns, or give one column a criterion."
                )
            if given:
                columns = wanted
            else:
                sides = [
                    dict.fromkeys(columns[:half], 1.0),
                    dict.fromkeys(columns[half:], 1.0),
                ]
        elif not sides[0] and not sides[1]:
            sides = [{"attractiveness": 1.0}, {"resource_fit": 1.0}]
        for name, side in zip(_SIDES, sides, strict=True):
            total = sum(abs(weight) for weight in side.values())
            setattr(self, f"{name}_", {column: w / total for column, w in side.items()})
        self.anchors_ = learned_anchors(self.anchors or {}, self._criteria(), values)
        flat = [name for name, (low, high) in self.anchors_.items() if low == high]
        if flat and self.method != "topsis":
            warn_caller(
                f"criterion {', '.join(flat)} has one value in the whole table, so it scores 0.5 "
                "everywhere; give it anchors={...: (low, high)} or drop it.",
                BinWarning,
            )
        topsis = self.method == "topsis"
        self.ideal_ = ideal_points(values, self._signs()) if topsis else None
        return self

    def _check_written(self) -> None:
        check_options(self)
        names = self._criteria()
        if set(names) != set(self.anchors_) or len(names) != self.n_features_in_:
            raise ValueError("there must be a weight and anchors for each criterion.")
        topsis = self.method == "topsis"
        if topsis != (self.ideal_ is not None):
            raise ValueError("ideal points are those of method='topsis'.")
        if self.ideal_ is not None and any(p.shape != (len(names),) for p in self.ideal_):
            raise ValueError("ideal points must have a number for each criterion.")

    def _criteria(self) -> list[str]:
        return [*self.attractiveness_, *self.resource_fit_]

    def _weights(self) -> Floats:
        """Absolute weights of all criteria: those of each side sum to one."""
        given = [*self.attractiveness_.values(), *self.resource_fit_.values()]
        return np.abs(np.array(given, dtype=np.float64))

    def _signs(self) -> Floats:
        return np.sign([*self.attractiveness_.values(), *self.resource_fit_.values()])

    def _share(self) -> float:
        """Weight of attractiveness; a side without criteria counts for nothing."""
        if not self.attractiveness_:
            return 0.0
        return float(self.attractiveness_weight) if self.resource_fit_ else 1.0

    def _read(self, X: Any) -> Floats:
        check_is_fitted(self, "anchors_")
        return read_columns(self, X, self._criteria(), reset=False)[0]

    def _utilities(self, values: Floats) -> Floats:
        pairs = np.array([self.anchors_[name] for name in self._criteria()])
        return anchored_scores(values, pairs[:, 0], pairs[:, 1], self._signs())

    def _sides(self, values: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Attractiveness and fit, (..., n_markets) for weights of shape (..., n_criteria)."""
        k = len(self.attractiveness_)
        found = []
        scores = values if self.ideal_ is not None else self._utilities(values)
        for at in (slice(None, k), slice(k, None)):
            part, weight = scores[..., at], weights[..., at]
            if self.ideal_ is not None:
                points = IdealPoints(*(p[at] for p in self.ideal_))
                found.append(closeness(part, points, weight))
            else:
                law = weighted_sum if self.method == "saw" else weighted_product
                found.append(law(part, weight))
        return found[0], found[1]

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Attractiveness, resource fit and priority of every market.

        Parameters
        ----------
        X : frame or array-like, shape (n_markets, n_criteria)
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_markets, 3)
            From 0 to 1. A side without criteria is 0 (0.5 for ``"topsis"``) and counts for nothing.
        """
        if on_invalid != "raise":
            return flagged(self.transform, X, on_invalid=on_invalid, width=3)
        first, second = self._sides(self._read(X), self._weights())
        share = self._share()
        return np.column_stack([first, second, share * first + (1.0 - share) * second])

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of :meth:`transform`'s columns.

        Parameters
        ----------
        input_features : array-like or None
            Checked against what was seen in ``fit``.

        Returns
        -------
        ndarray of str
            ``attractiveness``, ``resource_fit``, ``priority``.
        """
        check_is_fitted(self, "anchors_")
        check_input_features(self, input_features)
        return np.array([*_SIDES, "priority"], dtype=object)

    def _names(self, X: Any) -> list[Any]:
        have = _frames.column_names(X) or []
        if self.market is not None and have:
            if self.market not in have:
                raise ValueError(
                    f"X has no column {self.market!r}, which market= names; it has {have}."
                    f"{nearest(self.market, have)}"
                )
            return list(_frames.column(X, self.market))
        index = getattr(X, "index", None)
        return list(index) if have and index is not None else list(range(len(X)))

    def rank_table(self, X: Any, *, language: Language = "en") -> Any:
        """Both sides, priority, rank, cell and advice of every market.

        Parameters
        ----------
        X : frame or array-like, shape (n_markets, n_criteria)
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            ``market``, ``attractiveness``, ``resource_fit``, ``priority``, ``rank`` (1 the first;
            equal priorities share a rank), ``cell`` (level of attractiveness, then of fit: L, M,
            H), ``advice`` (invest, select, harvest); same rows, order and index.
        """
        language = check_language(language)
        scores = self.transform(X)
        cuts = np.asarray(self.cuts, dtype=np.float64)
        # a score that reaches a cut but for rounding has reached it
        level = np.searchsorted(cuts, scores[:, :2] + 1e-12, side="right")
        cells = [f"{LEVELS[a]}-{LEVELS[f]}" for a, f in level]
        advice = [MARKET.name(word, language) for word in ADVICE]
        columns = {
            "market": self._names(X),
            "attractiveness": scores[:, 0],
            "resource_fit": scores[:, 1],
            "priority": scores[:, 2],
            "rank": ranks_of(scores[None, :, 2])[0],
            "cell": cells,
            "advice": _frames.words_at(X, advice, _ADVICE_OF[level[:, 0], level[:, 1]]),
        }
        return _frames.frame_like(X, MARKET.table(columns, language))

    def acceptability_table(
        self,
        X: Any,
        *,
        concentration: float | None = None,
        standard_errors: Mapping[str, str] | None = None,
        n_draws: int = 10_000,
        random_state: int | np.random.Generator | None = None,
        language: Language = "en",
    ) -> Any:
        """How often each market takes each rank when the weights are not taken for certain.

        Weights of each side are drawn from ``Dirichlet(concentration * weights)``.

        Parameters
        ----------
        X : frame or array-like, shape (n_markets, n_criteria)
        concentration : float or None, default=None
            How firmly the given weights are held: ``numpy.inf`` for certain, 100 a few percent
            about them. None: all weights are equally likely (rank acceptability of SMAA-2).
        standard_errors : dict of str to str, optional
            Criteria that were estimated, and the columns with their standard errors: their values
            are drawn too.
        n_draws : int, default=10,000
        random_state : int, Generator or None
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            ``market``, ``rank_1`` to ``rank_n`` (shares of the draws, adding up to one in each row;
            equal priorities share the better rank), ``expected_rank``.
        """
        language = check_language(language)
        if concentration is not None and not concentration > 0:
            raise ValueError(f"concentration={concentration!r} must be above 0, or None.")
        if not isinstance(n_draws, (int, np.integer)) or n_draws < 1:
            raise ValueError(f"n_draws={n_draws!r} must be a whole number, at least 1.")
        values = self._read(X)
        spread = self._spread(X, standard_errors or {})
        rng = np.random.default_rng(random_state)
        share, n = self._share(), len(values)
        counts = np.zeros((n, n), dtype=np.int64)
        for size in blocks(n_draws, n * values.shape[1]):
            weights = self._drawn_weights(concentration, size, rng)
            if spread is None:
                first, second = self._sides(values, weights)
            else:
                drawn = values + spread * rng.standard_normal((size, *values.shape))
                pairs = [self._sides(v, w) for v, w in zip(drawn, weights, strict=True)]
                first, second = (np.stack(side) for side in zip(*pairs, strict=True))
            rank = ranks_of(share * first + (1.0 - share) * second)
            np.add.at(counts, (np.broadcast_to(np.arange(n), rank.shape), rank - 1), 1)
        chance = counts / n_draws
        columns: dict[str, Any] = {MARKET.name("market", language): self._names(X)}
        rank_word = MARKET.name("rank", language)
        columns |= {f"{rank_word}_{r + 1}": chance[:, r] for r in range(n)}
        columns[MARKET.name("expected_rank", language)] = chance @ np.arange(1.0, n + 1.0)
        return _frames.frame_like(X, columns)

    def _drawn_weights(
        self, concentration: float | None, size: int, rng: np.random.Generator
    ) -> Floats:
        k, weights = len(self.attractiveness_), self._weights()
        drawn = np.tile(weights, (size, 1))
        if concentration is None or np.isfinite(concentration):
            for at in (slice(None, k), slice(k, None)):
                side = weights[at]
                if len(side):
                    alpha = np.ones(len(side)) if concentration is None else concentration * side
                    drawn[:, at] = rng.dirichlet(alpha, size)
        return drawn

    def _spread(self, X: Any, standard_errors: Mapping[str, str]) -> Floats | None:
        if not standard_errors:
            return None
        criteria = self._criteria()
        unknown = [name for name in standard_errors if name not in criteria]
        if unknown:
            raise ValueError(
                f"standard_errors: {unknown[0]!r} is no criterion; they are {criteria}."
                f"{nearest(unknown[0], criteria)}"
            )
        columns = list(standard_errors.values())
        errors = _frames.float_columns(X, columns, caller="acceptability_table's X")
        if (errors < 0).any():
            raise ValueError(f"standard errors in {columns} must not be negative.")
        spread = np.zeros((len(errors), len(criteria)))
        spread[:, [criteria.index(name) for name in standard_errors]] = errors
        return spread

    def switching_table(self, X: Any, *, language: Language = "en") -> Any:
        """Which weight of each criterion, the others in proportion, gives another market the lead.

        Parameters
        ----------
        X : frame or array-like, shape (n_markets, n_criteria)
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X`` (pandas for an array)
            One row a criterion, and one for the weight of attractiveness itself: ``criterion``,
            ``side``, ``weight`` now, ``switches_at`` (the nearest weight from which another market
            leads; NaN where no weight between 0 and 1 does), ``new_first`` (empty where nothing
            switches), ``first_now``.

        Raises
        ------
        NotSupportedError
            For ``"product"`` and ``"topsis"``, whose priority is not linear in the weights.
        """
        language = check_language(language)
        if self.method != "saw":
            raise NotSupportedError(
                f"switching weights are exact for method='saw' only, not for {self.method!r}: use "
                "acceptability_table to see how firm the order is."
            )
        scores, weights = self._utilities(self._read(X)), self._weights()
        share, k = self._share(), len(self.attractiveness_)
        first, second = self._sides(self._read(X), weights)
        now = share * first + (1.0 - share) * second
        names = self._names(X)
        rows = []
        for j, criterion in enumerate(self._criteria()):
            at, own, side = (
                (slice(None, k), share, "attractiveness")
                if j < k
                else (slice(k, None), 1.0 - share, "resource_fit")
            )
            rest = 1.0 - weights[j]
            others = (
                (scores[:, at] @ weights[at] - weights[j] * scores[:, j]) / rest
                if rest > 1e-12
                else scores[:, j]
            )
            step = own * (scores[:, j] - others)  # of the priority for a weight that goes 0 to 1
            found = switching_weight(now, step, float(weights[j]))
            rows.append((criterion, MARKET.name(side, language), float(weights[j]), *found))
        found = switching_weight(now, first - second, share)
        if self.attractiveness_ and self.resource_fit_:
            rows.append((MARKET.name("attractiveness_weight", language), "", share, *found))
        lead = names[int(np.argmax(now))]
        columns = {
            "criterion": [row[0] for row in rows],
            "side": [row[1] for row in rows],
            "weight": np.array([row[2] for row in rows]),
            "switches_at": np.array([row[3] for row in rows]),
            "new_first": ["" if row[4] is None else str(names[row[4]]) for row in rows],
            "first_now": [str(lead)] * len(rows),
        }
        return _frames.new_table(X, MARKET.table(columns, language))

    def criteria_table(self, *, language: Language = "en") -> Any:
        """Criteria in use: side, weight, which way is better, and the frozen anchors.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``criterion``, ``side``, ``weight`` (of its side), ``better`` (more, less), ``low``,
            ``high``.
        """
        check_is_fitted(self, "anchors_")
        language = check_language(language)
        pairs = np.array([self.anchors_[name] for name in self._criteria()])
        sides = [_SIDES[0]] * len(self.attractiveness_) + [_SIDES[1]] * len(self.resource_fit_)
        columns = {
            "criterion": self._criteria(),
            "side": [MARKET.name(side, language) for side in sides],
            "weight": self._weights(),
            "better": [MARKET.name("more" if s > 0 else "less", language) for s in self._signs()],
            "low": pairs[:, 0],
            "high": pairs[:, 1],
        }
        return _frames.new_table(None, MARKET.table(columns, language))
