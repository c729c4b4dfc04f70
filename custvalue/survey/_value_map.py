"""What `PerceivedValue` learns, and every table that is read off it; no respondent in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from custvalue._fitted import check_level
from custvalue._portable import check_names, reading
from custvalue._typing import Floats
from custvalue._words import SURVEY, Language
from custvalue.exceptions import ArtefactError, NotSupportedError
from custvalue.survey._estimate import TOO_FEW, as_plain, quantiles
from custvalue.survey._ratings import unknown_brand
from custvalue.survey._value_law import Indexes, Profile, brand_profile, indexes, others_mean


@dataclass(frozen=True)
class ValueMap:
    """Learned from ratings; every table of `PerceivedValue` is read off it.

    Parameters
    ----------
    attributes : tuple of str
        Benefits first.
    n_benefits : int
    brands, waves, scale : tuple
    means : ndarray of shape (n_waves, n_brands, k)
        Mean answers on their scale, more is better on both sides; NaN where a brand was not rated
        in a wave.
    weights : ndarray of shape (k,)
        Adding up to one on either side.
    q : float
        Weight of benefits against sacrifices.
    n, n_eff : ndarray of shape (n_waves, n_brands)
        Respondents, and their effective size.
    shares, price : ndarray of shape (n_brands,)
        How much each brand counts among the others; prices, or None.
    highest : ndarray of shape (n_waves, n_brands)
        Share of respondents for whom a brand has the highest net value.
    both : ndarray of shape (n_waves, n_brands)
        Respondents who also rated the brand in the wave before.
    paired : ndarray of shape (4, n_waves, n_brands, n_brands + 1, k)
        Difference within respondents of a brand to each brand, and to the mean of the others:
        mean, standard error, number, effective number.
    drawn_means, drawn_weights, drawn_q : ndarray of shape (n_draws, ...)
    r2 : float or None
        Of the outcome on all attributes, where there was one.
    learned_from : dict of str to int
        Of the outcome: ``rows``, ``missing`` (rows that lack an answer), ``respondents``,
        ``single`` (who rated one brand only, and add nothing within respondents).

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.survey import PerceivedValue
    >>> ratings = pd.DataFrame({"brand": ["us"] * 20, "quality": [5] * 20, "price": [2] * 20})
    >>> value = PerceivedValue(benefits=["quality"], sacrifices=["price"], scale=(1, 5),
    ...                        quality_weight=0.5).fit(ratings)
    >>> value.value_map_.means.tolist()
    [[[5.0, 2.0]]]
    """

    attributes: tuple[str, ...]
    n_benefits: int
    brands: tuple[str, ...]
    waves: tuple[str, ...]
    scale: tuple[float, float]
    means: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    q: float
    n: npt.NDArray[np.intp] = field(repr=False)
    n_eff: Floats = field(repr=False)
    shares: Floats = field(repr=False)
    price: Floats | None = field(repr=False)
    highest: Floats = field(repr=False)
    both: npt.NDArray[np.intp] = field(repr=False)
    paired: Floats = field(repr=False)
    drawn_means: Floats = field(repr=False)
    drawn_weights: Floats = field(repr=False)
    drawn_q: Floats = field(repr=False)
    r2: float | None
    learned_from: dict[str, int] = field(repr=False)

    def rescaled(self, means: Floats) -> Floats:
        """Answers as 0..100."""
        low, high = self.scale
        return 100.0 * (means - low) / (high - low)

    def indexes(self) -> Indexes:
        """B, S and V, each of shape (n_waves, n_brands)."""
        return indexes(self.rescaled(self.means), self.weights, np.array(self.q), self.n_benefits)

    def drawn_indexes(self) -> Indexes:
        """B, S and V of each draw, (n_draws, n_waves, n_brands)."""
        return indexes(
            self.rescaled(self.drawn_means),
            self.drawn_weights[:, None, :],
            self.drawn_q[:, None],
            self.n_benefits,
        )

    def of_rows(self, answers: Floats) -> Indexes:
        """B, S and V of each row of answers; what is not answered does not count."""
        known = ~np.isnan(answers)
        x = self.rescaled(np.where(known, answers, 0.0)) * known * self.weights
        w, m = known * self.weights, self.n_benefits
        B, price = (
            np.divide(
                x[:, side].sum(axis=1),
                w[:, side].sum(axis=1),
                out=np.full(len(x), np.nan),
                where=w[:, side].sum(axis=1) > 0,
            )
            for side in (slice(None, m), slice(m, None))
        )
        return Indexes(B, 100.0 - price, self.q * B - (1.0 - self.q) * (100.0 - price))

    def sizes(self) -> dict[str, int]:
        """Respondents by brand, and wave where there are several."""
        return {
            f"{brand}, {wave}" if len(self.waves) > 1 else brand: int(self.n[i, j])
            for i, wave in enumerate(self.waves)
            for j, brand in enumerate(self.brands)
        }

    def value_table(self, *, level: float = 0.95, language: Language = "en") -> pd.DataFrame:
        """Benefit, burden and net value of every brand, with its interval.

        Parameters
        ----------
        level : float, default=0.95
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``brand`` (and ``wave``), ``benefit_index``, ``burden_index``, ``net_value``,
            ``net_value_low``, ``net_value_high``, ``n``, ``n_eff``, ``highest_share`` (share of
            respondents, among those who rate it and another, for whom its net value is the
            highest; NaN where nobody does), ``reason`` (why there is no interval).
        """
        return SURVEY.table(self._value_table(level), language, cells=("reason",))

    def _value_table(self, level: float) -> pd.DataFrame:
        B, S, V = self.indexes()
        low, high = quantiles(self.drawn_indexes().V, check_level(level))
        few = self.n < 2
        columns = {
            "benefit_index": B,
            "burden_index": S,
            "net_value": V,
            "net_value_low": np.where(few, np.nan, low),
            "net_value_high": np.where(few, np.nan, high),
            "n": self.n,
            "n_eff": self.n_eff,
            "highest_share": self.highest,
            "reason": np.where(few, TOO_FEW, ""),
        }
        return self._by_brand(columns)

    def value_map_table(self, *, level: float = 0.95, language: Language = "en") -> pd.DataFrame:
        """Gale's value map: relative quality, relative price, fair price and advantage.

        Parameters
        ----------
        level : float, default=0.95
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``brand`` (and ``wave``), ``relative_quality`` Q, ``price_competitiveness`` C (``price``
            where prices are given), ``relative_price`` P, ``fair_relative_price``, ``advantage``
            (fair less actual: above 0 is more than fair value) with ``advantage_low`` and
            ``advantage_high``, ``advantage_money`` where prices are given (of one unit: times the
            mean price of the others), then the columns of `value_table`.

        Raises
        ------
        NotSupportedError
            With one brand; or on a scale that starts at 0 or below, as ratios need a true zero.
        """
        self._check_several()
        if self.scale[0] <= 0:
            raise NotSupportedError(
                f"the scale starts at {self.scale[0]:g}, so ratios of answers to those of the "
                "other brands mean nothing (they would change when the scale is shifted); "
                "value_table() and gap_table() compare differences instead."
            )
        waves = range(len(self.waves))
        here = [self._profile(i, self.means, self.weights, np.array(self.q)) for i in waves]
        draws = [
            self._profile(i, self.drawn_means, self.drawn_weights, self.drawn_q) for i in waves
        ]
        Q, C, P, fair = (np.stack(part) for part in zip(*here, strict=True))
        drawn = np.stack([d.fair - d.P for d in draws], axis=1)
        low, high = quantiles(drawn, check_level(level))
        few = self.n < 2
        cost = ("price_competitiveness", C)
        if self.price is not None:
            cost = ("price", np.tile(self.price, (len(self.waves), 1)))
        columns = {
            "relative_quality": Q,
            cost[0]: cost[1],
            "relative_price": P,
            "fair_relative_price": fair,
            "advantage": fair - P,
            "advantage_low": np.where(few, np.nan, low),
            "advantage_high": np.where(few, np.nan, high),
        }
        if self.price is not None:
            beside = others_mean(self.price[:, None], self.shares)[:, 0]
            columns["advantage_money"] = (fair - P) * beside
        rest = self._value_table(level).drop(columns=["brand", "wave"], errors="ignore")
        return SURVEY.table(self._by_brand(columns).join(rest), language, cells=("reason",))

    def _profile(self, wave: int, means: Floats, weights: Floats, q: Floats) -> Profile:
        """Gale's profile of the brands rated in a wave; NaN for the others."""
        there = self.n[wave] > 0
        out = np.full((4, *means.shape[:-3], len(there)), np.nan)
        if there.sum() > 1:
            price = None if self.price is None else self.price[there]
            seen, shares = means[..., wave, there, :], self.shares[there]
            out[..., there] = brand_profile(seen, weights, q, self.n_benefits, shares, price)
        return Profile(*out)

    def gap_table(
        self,
        focal: str,
        against: str | None = None,
        *,
        wave: str | None = None,
        level: float = 0.95,
        language: Language = "en",
    ) -> pd.DataFrame:
        """Where the difference in net value to another brand comes from (逐项对比).

        Parameters
        ----------
        focal : str
            The brand that is "we".
        against : str or None, default=None
            The other; None for the mean of all others.
        wave : str or None, default=None
            Which wave; None for the last.
        level : float, default=0.95
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``attribute``, ``side``, ``weight`` (in V: ``q w`` or ``(1 - q) v``), ``focal`` and
            ``against`` (means), ``contribution`` to the difference of V with ``low``, ``high``,
            ``improve`` (V gained by one point of the scale). The last row is the total:
            contributions add up to ``V_focal - V_against`` exactly.

        Raises
        ------
        NotSupportedError
            If there is no other brand.
        ValueError
            If a brand or wave is unknown, or was not rated.
        """
        at = self._places(focal, against, wave)
        ours, theirs = self._means_of(self.means, *at)
        weight = self._in_v(self.weights, np.array(self.q))
        part = weight * (self.rescaled(ours) - self.rescaled(theirs))
        drawn_ours, drawn_theirs = self._means_of(self.drawn_means, *at)
        drawn = self._in_v(self.drawn_weights, self.drawn_q)
        drawn = drawn * (self.rescaled(drawn_ours) - self.rescaled(drawn_theirs))
        drawn = np.column_stack([drawn, drawn.sum(axis=1)])
        low, high = quantiles(drawn, check_level(level))
        table = pd.DataFrame(
            {
                "attribute": [*self.attributes, SURVEY.name("total", language)],
                "side": [*self._sides(), ""],
                "weight": [*weight, weight.sum()],
                "focal": [*ours, np.nan],
                "against": [*theirs, np.nan],
                "contribution": [*part, part.sum()],
                "low": low,
                "high": high,
                "improve": [*(100.0 * weight / (self.scale[1] - self.scale[0])), np.nan],
            }
        )
        return SURVEY.table(table, language, cells=("side",))

    def proposition_table(
        self,
        focal: str,
        against: str | None = None,
        *,
        wave: str | None = None,
        level: float = 0.95,
        language: Language = "en",
    ) -> pd.DataFrame:
        """Points of difference, parity and contention (客户价值主张), by paired differences.

        Parameters
        ----------
        focal : str
            The brand that is "we".
        against : str or None, default=None
            The other; None for each respondent's mean of the others.
        wave : str or None, default=None
            Which wave; None for the last.
        level : float, default=0.95
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``attribute``, ``side``, ``weight`` (in V), ``difference`` (points of the scale, within
            respondents who rate both) with ``low``, ``high``, ``pairs``, ``kind``: point of
            difference where the interval lies above 0, of contention below, else parity, and not
            comparable where fewer than two respondents rate both; ``important``: weight above the
            mean. Important points of difference are what to claim (Anderson, Narus & van Rossum
            2006).

        Raises
        ------
        NotSupportedError, ValueError
            As `gap_table`.
        """
        place, other, at = self._places(focal, against, wave)
        column = len(self.brands) if other is None else other
        mean, error, n, size = self.paired[:, at, place, column]
        freedom = np.maximum(size - 1.0, 1e-9)
        half = stats.t.ppf(0.5 + 0.5 * check_level(level), freedom) * error
        low, high = mean - half, mean + half
        weight = self._in_v(self.weights, np.array(self.q))
        kind = np.select(
            [np.isnan(low), low > 0, high < 0],
            ["not comparable", "point of difference", "point of contention"],
            "point of parity",
        )
        table = pd.DataFrame(
            {
                "attribute": list(self.attributes),
                "side": self._sides(),
                "weight": weight,
                "difference": mean,
                "low": low,
                "high": high,
                "pairs": n.astype(int),
                "kind": kind,
                "important": weight > weight.mean() + 1e-12,
            }
        )
        return SURVEY.table(table, language, cells=("side", "kind"))

    def weight_table(self, *, level: float = 0.95, language: Language = "en") -> pd.DataFrame:
        """Weight of every attribute, on its side and in V.

        Parameters
        ----------
        level : float, default=0.95
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``attribute``, ``side``, ``weight`` (on its side), ``low``, ``high`` (equal to the
            weight where it was given), ``importance`` (in V: ``q w`` or ``(1 - q) v``).
        """
        low, high = quantiles(self.drawn_weights, check_level(level))
        table = pd.DataFrame(
            {
                "attribute": list(self.attributes),
                "side": self._sides(),
                "weight": self.weights,
                "low": low,
                "high": high,
                "importance": self._in_v(self.weights, np.array(self.q)),
            }
        )
        return SURVEY.table(table, language, cells=("side",))

    def wave_table(self, *, level: float = 0.95, language: Language = "en") -> pd.DataFrame:
        """Change of each brand's net value from wave to wave, paired where respondents repeat.

        Parameters
        ----------
        level : float, default=0.95
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``brand``, ``wave``, ``net_value``, ``change`` since the wave before with
            ``change_low``, ``change_high``, ``n_both`` (respondents in both). Draws are of
            respondents, so that who answered twice is drawn twice, and the change is paired.

        Raises
        ------
        ValueError
            If the ratings have one wave only.
        """
        if len(self.waves) < 2:
            raise ValueError("the ratings have one wave; name the column of waves in wave=.")
        V, drawn = self.indexes().V, self.drawn_indexes().V
        nothing = np.full((1, V.shape[1]), np.nan)
        ends = quantiles(np.diff(drawn, axis=1), check_level(level))
        change, low, high = (np.vstack([nothing, x]) for x in (np.diff(V, axis=0), *ends))
        few = np.minimum(self.n, np.vstack([self.n[:1], self.n[:-1]])) < 2
        columns = {
            "net_value": V,
            "change": change,
            "change_low": np.where(few, np.nan, low),
            "change_high": np.where(few, np.nan, high),
            "n_both": self.both,
        }
        table = self._by_brand(columns)
        order = np.argsort([self.brands.index(b) for b in table["brand"]], kind="stable")
        return SURVEY.table(table.iloc[order].reset_index(drop=True), language)

    def _by_brand(self, columns: dict[str, Any]) -> pd.DataFrame:
        """One row a wave and brand that was rated in it."""
        there = self.n.ravel() > 0
        waves, brands = len(self.waves), len(self.brands)
        names: dict[str, Any] = {"brand": np.tile(np.array(self.brands, dtype=object), waves)}
        if waves > 1:
            names["wave"] = np.repeat(np.array(self.waves, dtype=object), brands)
        flat = {name: np.asarray(column).ravel() for name, column in columns.items()}
        return pd.DataFrame(names | flat)[there].reset_index(drop=True)

    def _sides(self) -> list[str]:
        m = self.n_benefits
        return ["benefit"] * m + ["sacrifice"] * (len(self.attributes) - m)

    def _in_v(self, weights: Floats, q: Floats) -> Floats:
        """Weight of each attribute in V."""
        benefit = np.arange(len(self.attributes)) < self.n_benefits
        return weights * np.where(benefit, q[..., None], 1.0 - q[..., None])

    def _means_of(
        self, means: Floats, focal: int, against: int | None, wave: int
    ) -> tuple[Floats, Floats]:
        seen = means[..., wave, :, :]
        if against is not None:
            return seen[..., focal, :], seen[..., against, :]
        shares = np.where(self.n[wave] > 0, self.shares, 0.0)
        shares[focal] = 0.0
        return seen[..., focal, :], (shares / shares.sum()) @ np.nan_to_num(seen)

    def place_of(self, brand: str, parameter: str) -> int:
        """Place of a brand; an unknown one is an error that names the nearest."""
        if brand not in self.brands:
            problem = unknown_brand(brand, self.brands)
            raise ValueError(f"{parameter}: {problem.message}. {problem.cure}")
        return self.brands.index(brand)

    def wave_of(self, wave: Any) -> int:
        """Place of a wave, the last one for None."""
        if wave is not None and str(wave) not in self.waves:
            raise ValueError(f"wave={wave!r} must be one of {', '.join(self.waves)}.")
        return len(self.waves) - 1 if wave is None else self.waves.index(str(wave))

    def _check_several(self) -> None:
        if len(self.brands) < 2:
            raise NotSupportedError(
                f"the ratings are of one brand, {self.brands[0]!r}, so nothing relative is "
                "defined; value_table() has its benefit, burden and net value."
            )

    def _places(self, focal: str, against: str | None, wave: Any) -> tuple[int, int | None, int]:
        place, at = self.place_of(focal, "focal"), self.wave_of(wave)
        other = None if against is None else self.place_of(against, "against")
        self._check_several()
        if place == other:
            raise ValueError(f"focal and against are both {focal!r}; name two brands.")
        rated = self.n[at] > 0
        lost = [self.brands[b] for b in (place, other) if b is not None and not rated[b]]
        if lost or rated.sum() < 2:
            raise ValueError(
                f"nobody rated {', '.join(lost) or 'another brand'} in wave {self.waves[at]!r}."
            )
        return place, other, at

    # -- to keep --

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; NaN becomes None."""
        return {f.name: as_plain(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def from_dict(cls, as_plain: Mapping[str, Any]) -> ValueMap:
        """Read back what `to_dict` wrote."""
        with reading(cls.__name__):
            check_names(as_plain, [f.name for f in fields(cls)], cls.__name__)
            given = dict(as_plain)
            for name, value in as_plain.items():
                if name in ("attributes", "brands", "waves", "scale"):
                    given[name] = tuple(value)
                elif isinstance(value, list):
                    counts = name in ("n", "both")
                    given[name] = np.array(value, dtype=np.intp if counts else np.float64)
            made = cls(**given)
            made._check_shapes()
            return made

    def _check_shapes(self) -> None:
        """Refuse parts that do not fit each other, as only a file made by hand has them."""
        waves, brands, k = len(self.waves), len(self.brands), len(self.attributes)
        draws = len(self.drawn_q)
        wanted = {
            "means": (waves, brands, k),
            "weights": (k,),
            "n": (waves, brands),
            "n_eff": (waves, brands),
            "shares": (brands,),
            "highest": (waves, brands),
            "both": (waves, brands),
            "paired": (4, waves, brands, brands + 1, k),
            "drawn_means": (draws, waves, brands, k),
            "drawn_weights": (draws, k),
        }
        odd = [name for name, shape in wanted.items() if getattr(self, name).shape != shape]
        if odd or not 0 < self.n_benefits < k or not 0.0 < self.q < 1.0:
            raise ArtefactError(
                f"parts do not fit each other: {', '.join(odd) or 'q, n_benefits'}."
            )
