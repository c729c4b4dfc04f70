"""PerceivedValue: what customers get against what they give, brand by brand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from custvalue import _frames
from custvalue._fitted import check_level
from custvalue._portable import check_names, reading, sealed, unseal
from custvalue._row_check import OnInvalid, flagged
from custvalue._sklearn import DocLink, check_input_features, check_is_fitted
from custvalue._typing import Floats
from custvalue._words import SURVEY, Language, check_language
from custvalue.survey._estimate import SCHEMA, check_scale, settings_to_plain
from custvalue.survey._ratings import Ratings, read_ratings, warn_of_small, without_unrated
from custvalue.survey._value_learning import learn
from custvalue.survey._value_map import ValueMap

_OUT = ("benefit", "burden", "net_value", "relative_value")
WEIGHTS = ("equal", "stated", "derived")


class PerceivedValue(DocLink, TransformerMixin, BaseEstimator):
    """Perceived value: benefits against sacrifices, for every brand and every respondent.

    Benefit index ``B = sum_k w_k x'_k`` and burden index ``S = 100 - sum_k v_k x'_k`` of answers
    rescaled to 0..100, net perceived value ``V = q B - (1 - q) S``. The difference, not the ratio,
    is what is compared: it stays the same when a scale is stretched or shifted.

    Parameters
    ----------
    benefits, sacrifices : sequence of str
        Columns with answers about what is got (感知利得) and given (感知利失), one or more each.
    scale : pair of float
        Lowest and highest answer that could be given; stated, never guessed.
    brand : str or None, default="brand"
        Column with the brand (or supplier) rated; None where all rows are of one.
    respondent : str or None, default=None
        Column with who answered; None takes each row for another respondent.
    wave : str or None, default=None
        Column with the wave of one instrument (价值认知、获取、评估); all waves share the weights.
    outcome : str or None, default=None
        Column with overall value, satisfaction or preference, for derived weights.
    weights : {"equal", "stated", "derived"} or mapping of str to float, default="equal"
        Of the attributes. ``"stated"`` takes the means of the columns named in ``importance``;
        ``"derived"`` shares out the outcome's R squared (see `derived_importance`), within
        respondents where these rate several brands. Divided by their sum on either side.
    importance : mapping of str to str or None, default=None
        Attribute to the column that says how much it matters, for stated weights.
    quality_weight : float or None, default=None
        Weight q of benefits against sacrifices, between 0 and 1. None takes the share of the
        outcome's R squared that benefits get.
    sacrifices_are : {"satisfaction", "burden"}, default="satisfaction"
        Whether more is better in answers about sacrifices, or worse (then they are turned round).
    not_applicable : sequence of float, default=()
        Codes of no answer, such as 0 on a scale from 1 to 5.
    market_share : mapping of str to float or None, default=None
        How much each brand counts where one is compared with the others; None is equally.
    price : mapping of str to float or None, default=None
        Actual prices by brand; they replace the rated ones in the value map, and give advantages
        in money.
    level : float, default=0.95
        Of all intervals.
    n_draws : int, default=1000
        Draws of respondents (Bayesian bootstrap) behind the intervals of V and of the advantage.
        Derived and stated weights are learned anew in each draw.
    random_state : int, Generator or None, default=0

    Attributes
    ----------
    value_map_ : ValueMap
        All that was learned, an immutable value without any respondent.
    weights_ : dict of str to float
        Weight of each attribute on its side.
    quality_weight_ : float
    brands_ : tuple of str
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    References
    ----------
    Zeithaml, V. (1988). Consumer perceptions of price, quality, and value. Journal of Marketing
    52(3). Gale, B. (1994). Managing Customer Value.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.survey import PerceivedValue
    >>> ratings = pd.DataFrame({"id": [1, 1, 2, 2] * 10, "brand": ["us", "them"] * 20,
    ...                         "quality": [5, 3, 4, 4] * 10, "price": [2, 4, 3, 5] * 10})
    >>> ratings["id"] += 2 * (ratings.index // 4)
    >>> value = PerceivedValue(benefits=["quality"], sacrifices=["price"], scale=(1, 5),
    ...                        respondent="id", quality_weight=0.6).fit(ratings)
    >>> value.gap_table(focal="us", against="them")[["attribute", "contribution"]]
      attribute  contribution
    0   quality          15.0
    1     price         -20.0
    2     total          -5.0
    """

    def __init__(
        self,
        *,
        benefits: Sequence[str] = (),
        sacrifices: Sequence[str] = (),
        scale: Sequence[float] | None = None,
        brand: str | None = "brand",
        respondent: str | None = None,
        wave: str | None = None,
        outcome: str | None = None,
        weights: str | Mapping[str, float] = "equal",
        importance: Mapping[str, str] | None = None,
        quality_weight: float | None = None,
        sacrifices_are: str = "satisfaction",
        not_applicable: Sequence[float] = (),
        market_share: Mapping[str, float] | None = None,
        price: Mapping[str, float] | None = None,
        level: float = 0.95,
        n_draws: int = 1000,
        random_state: Any = 0,
    ) -> None:
        self.benefits = benefits
        self.sacrifices = sacrifices
        self.scale = scale
        self.brand = brand
        self.respondent = respondent
        self.wave = wave
        self.outcome = outcome
        self.weights = weights
        self.importance = importance
        self.quality_weight = quality_weight
        self.sacrifices_are = sacrifices_are
        self.not_applicable = not_applicable
        self.market_share = market_share
        self.price = price
        self.level = level
        self.n_draws = n_draws
        self.random_state = random_state

    # -- learning --

    def fit(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> PerceivedValue:
        """Learn means, weights and their uncertainty.

        Parameters
        ----------
        X : frame of shape (n_rows, n_columns)
            Ratings: one row a respondent, brand and wave. Extra columns are ignored.
        y : None
            Not used; the outcome is a column of ``X``.
        sample_weight : array-like of shape (n_rows,), optional

        Returns
        -------
        PerceivedValue
            Itself, fitted.

        Raises
        ------
        DataContractError
            Listing all that is wrong with the ratings: missing columns, answers outside the scale,
            rows without brand or respondent, brands rated twice by one respondent.
        ValueError
            If parameters don't fit together, or the outcome does not vary.

        Warns
        -----
        SignWarning
            Naming attributes that go with the outcome the wrong way round.
        SmallSampleWarning
            Naming brands with fewer than 20 respondents.
        DataWarning
            Naming brands that nobody rated.
        """
        self._check_parameters()
        read = without_unrated(self._read(X, sample_weight=sample_weight, fitting=True), 2)
        learned = learn(
            read,
            self._attributes(),
            len(self.benefits),
            scale=check_scale(self.scale),
            weights=self.weights,
            outcome=self.outcome,
            quality_weight=self.quality_weight,
            market_share=self.market_share,
            price=self.price,
            n_draws=self.n_draws,
            random_state=self.random_state,
            paired=self.respondent is not None,
            stacklevel=3,
        )
        warn_of_small(learned.sizes(), 2)
        self.feature_names_in_ = np.array(self._attributes(), dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        self.value_map_ = learned
        return self

    def _attributes(self) -> list[str]:
        return [*self.benefits, *self.sacrifices]

    def _check_parameters(self) -> None:
        check_scale(self.scale)
        check_level(self.level)
        for name in ("benefits", "sacrifices"):
            given = getattr(self, name)
            if isinstance(given, str) or not len(given):
                raise ValueError(f"{name}={given!r} must be a list of one column name or more.")
        names = self._attributes()
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"named twice among benefits and sacrifices: {', '.join(twice)}.")
        if self.sacrifices_are not in ("satisfaction", "burden"):
            raise ValueError(
                f"sacrifices_are={self.sacrifices_are!r} must be 'satisfaction' or 'burden'."
            )
        if isinstance(self.weights, str):
            if self.weights not in WEIGHTS:
                raise ValueError(
                    f"weights={self.weights!r} must be one of {', '.join(map(repr, WEIGHTS))}, or "
                    "a mapping of attribute to weight."
                )
        else:
            _check_names("weights", self.weights, names)
        if self.weights == "stated":
            _check_names("importance", self.importance or {}, names)
        if self.weights == "derived" and self.outcome is None:
            raise ValueError("weights='derived' needs an outcome: name its column in outcome=.")
        q = self.quality_weight
        if q is None and self.outcome is None:
            raise ValueError(
                "say how much benefits count against sacrifices: quality_weight=0.5 weighs them "
                "equally; or name an outcome to learn it from."
            )
        if q is not None and not 0.0 < q < 1.0:
            raise ValueError(f"quality_weight={q!r} must lie between 0 and 1.")

    def _read(self, X: Any, *, fitting: bool, sample_weight: Any = None) -> Ratings:
        stated = fitting and self.weights == "stated"
        return read_ratings(
            X,
            self.benefits,
            self.sacrifices,
            scale=check_scale(self.scale),
            brand=self.brand,
            respondent=self.respondent,
            wave=self.wave,
            outcome=self.outcome if fitting else None,
            importance=dict(self.importance or {}) if stated else None,
            burden=self.sacrifices_are == "burden",
            not_applicable=self.not_applicable,
            sample_weight=sample_weight,
            known_brands=None if fitting else self.brands_,
        )

    # -- what was learned --

    @property
    def weights_(self) -> dict[str, float]:
        """Weight of each attribute, adding up to one on either side."""
        learned = self._learned()
        return dict(zip(learned.attributes, learned.weights.tolist(), strict=True))

    @property
    def quality_weight_(self) -> float:
        """Weight of benefits against sacrifices."""
        return self._learned().q

    @property
    def brands_(self) -> tuple[str, ...]:
        """Brands in the order of their first row."""
        return self._learned().brands

    def _learned(self) -> ValueMap:
        check_is_fitted(self, "value_map_")
        return self.value_map_

    # -- of every row --

    def transform(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Any:
        """Benefit, burden, net value, and net value less that of the other brands, of every row.

        Parameters
        ----------
        X : frame of shape (n_rows, n_columns)
            Ratings, as in `fit`.
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_rows, 4)
            An unanswered attribute does not count, the others of its side weigh more; NaN where a
            side has no answer. The last column is NaN where the respondent rated one brand only.
        """
        if on_invalid != "raise":
            return flagged(self.transform, X, on_invalid=on_invalid, width=4)
        check_is_fitted(self, "value_map_")
        return self._values(self._read(X, fitting=False))

    def _values(self, read: Ratings) -> Floats:
        each = self._learned().of_rows(read.answers)
        net = read.cube(each.V[:, None])[..., 0]
        known = ~np.isnan(net)
        count = known.sum(axis=-1)[read.respondent, read.wave]
        total = np.where(known, net, 0.0).sum(axis=-1)[read.respondent, read.wave]
        others = np.divide(
            total - each.V, count - 1, out=np.full(len(total), np.nan), where=count > 1
        )
        return np.column_stack([each.B, each.S, each.V, each.V - others])

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of `transform`'s columns.

        Parameters
        ----------
        input_features : array-like of str or None
            Not needed; checked where given.

        Returns
        -------
        ndarray of str
            ``benefit``, ``burden``, ``net_value``, ``relative_value``.
        """
        check_is_fitted(self, "value_map_")
        check_input_features(self, input_features)
        return np.array(_OUT, dtype=object)

    def customer_table(
        self, X: Any, focal: str, *, wave: str | None = None, language: Language = "en"
    ) -> Any:
        """One row a respondent about one brand, to be joined to the customers.

        Parameters
        ----------
        X : frame of shape (n_rows, n_columns)
            Ratings, as in `fit`.
        focal : str
            The brand that is "we".
        wave : str, optional
            Which wave; None takes each respondent's last.
        language : {"en", "zh"}, default="en"

        Returns
        -------
        frame of the kind of ``X``
            The respondents under their column's name, ``benefit``, ``burden``, ``net_value``,
            ``relative_value``.

        Raises
        ------
        ValueError
            If the brand or wave is unknown, or no column of respondents was named.
        """
        check_language(language)
        place = self._learned().place_of(focal, "focal")
        if self.respondent is None:
            raise ValueError("the rows name no respondent; say which column does: respondent=.")
        read = self._read(X, fitting=False)
        rows = np.flatnonzero(read.brand == place)
        if wave is not None:
            if str(wave) not in read.waves:
                raise ValueError(f"wave={wave!r} must be one of {', '.join(read.waves)}.")
            rows = rows[read.wave[rows] == read.waves.index(str(wave))]
        rows = rows[np.argsort(read.wave[rows], kind="stable")]
        rows = np.sort(pd.Series(rows).groupby(read.respondent[rows]).last().to_numpy())
        values = self._values(read)[rows]
        who = _frames.column(X, self.respondent)[rows]
        columns = dict(zip((SURVEY.name(name, language) for name in _OUT), values.T, strict=True))
        return _frames.new_table(X, {self.respondent: who, **columns})

    # -- of every brand: the tables of `ValueMap`, with the estimator's level and language --

    def value_table(self, *, language: Language = "en") -> pd.DataFrame:
        """Benefit, burden and net value of every brand; see `ValueMap.value_table`."""
        return self._learned().value_table(level=self.level, language=language)

    def value_map_table(self, *, language: Language = "en") -> pd.DataFrame:
        """Relative quality, fair price and advantage; see `ValueMap.value_map_table`."""
        return self._learned().value_map_table(level=self.level, language=language)

    def gap_table(
        self,
        focal: str,
        against: str | None = None,
        *,
        wave: str | None = None,
        language: Language = "en",
    ) -> pd.DataFrame:
        """Where the difference to another brand comes from; see `ValueMap.gap_table`."""
        return self._learned().gap_table(
            focal, against, wave=wave, level=self.level, language=language
        )

    def proposition_table(
        self,
        focal: str,
        against: str | None = None,
        *,
        wave: str | None = None,
        language: Language = "en",
    ) -> pd.DataFrame:
        """Points of difference and parity; see `ValueMap.proposition_table`."""
        return self._learned().proposition_table(
            focal, against, wave=wave, level=self.level, language=language
        )

    def weight_table(self, *, language: Language = "en") -> pd.DataFrame:
        """Weight of every attribute; see `ValueMap.weight_table`."""
        return self._learned().weight_table(level=self.level, language=language)

    def wave_table(self, *, language: Language = "en") -> pd.DataFrame:
        """Change of net value from wave to wave; see `ValueMap.wave_table`."""
        return self._learned().wave_table(level=self.level, language=language)

    # -- to keep --

    def to_dict(self) -> dict[str, Any]:
        """Parameters and what was learned as plain JSON values, without any respondent.

        Returns
        -------
        dict
            ``schema``, ``library``, ``model``, ``settings``, ``learned``, ``checksum``.

        Raises
        ------
        NotSupportedError
            If a setting has no plain form, such as a random generator: give a seed.
        """
        learned = self._learned().to_dict()
        settings = settings_to_plain(self.get_params(deep=False))
        return sealed(type(self).__name__, SCHEMA, settings=settings, learned=learned)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> PerceivedValue:
        """Fitted again from `to_dict`.

        Parameters
        ----------
        plain : mapping

        Returns
        -------
        PerceivedValue

        Raises
        ------
        ArtefactError
            If the dictionary holds another model, a schema that this version does not read, or
            anything that was changed after it was written.
        """
        with reading(cls.__name__):
            plain = unseal(
                plain, schemas=(SCHEMA,), keys=("settings", "learned"), model=cls.__name__
            )
            check_names(plain["settings"], cls._get_param_names(), "settings")
            made = cls(**plain["settings"])
            made._check_parameters()
            made.feature_names_in_ = np.array(made._attributes(), dtype=object)
            made.n_features_in_ = len(made.feature_names_in_)
            made.value_map_ = ValueMap.from_dict(plain["learned"])
            return made


def _check_names(parameter: str, given: Mapping[str, Any], names: list[str]) -> None:
    odd = sorted({*map(str, given)} ^ {*names})
    if odd:
        raise ValueError(
            f"{parameter} must name every benefit and sacrifice and nothing else; at odds: "
            f"{', '.join(odd)}."
        )
