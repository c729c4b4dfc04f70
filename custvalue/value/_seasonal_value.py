"""A law in the operational time of a season: busy months are longer, slow ones shorter."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import clone

from custvalue._frames import column, column_names, frame_like, with_time_scale
from custvalue._typing import Floats, Ints
from custvalue._units import Span
from custvalue._value_model import Terms, Timing, ValueModel
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import Season, known_season
from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.value._customer_value import CustomerValue

_COLUMNS = (
    "n_orders",
    "frequency",
    "recency",
    "T",
    "silence",
    "total_value",
    "mean_value",
    "first_value",
    "monetary_value",
    "total_profit",
)


@dataclass(frozen=True, eq=False)
class SeasonalForecast:
    """What a fitted ``SeasonalValue`` knows.

    Parameters
    ----------
    unit : str
        ``"D"``.
    law : fitted value model
        In the season's operational time.
    season : Season
    """

    unit: str
    law: Any
    season: Season

    _records: ClassVar[dict[str, type]] = {"season": Season}


class SeasonalRows(NamedTuple):
    """The law's rows, and the day that everybody is looked at from."""

    law_rows: Any
    as_of: Any


class SeasonalValue(ValueModel):
    """A law in the time of a season: exact where customers leave at orders alone.

    The season that all customers share (:func:`custvalue.data.season_of`) stretches busy months and
    shrinks slow ones; in that operational time the law sees no season, and a horizon is counted in
    it: the weeks before Christmas are more. For NBD, BG/NBD and MBG/NBD, in which nothing but
    orders happens in time, that is exact; a law whose customers leave between orders has them leave
    faster in busy months. Where two years agree on no season, or are not known, it is the law as it
    is, and ``fit_report`` says why.

    Parameters
    ----------
    law : value model or None, default=None
        One that reads a summary; None is ``CustomerValue(purchases=MBGNBD())``.
    horizon : str, timedelta, number or None, default=None
    annual_discount_rate : float, default=0.0
    margin : float, str or None, default=None
    contact_cost : float, default=0.0
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
    period : str, default="1M"
    feasts : dict of str to array-like of dates, optional
        Days of feasts that move between months, past ones and those of the horizon; None is Easter,
        Lunar New Year and Thanksgiving, ``{}`` none.

    Attributes
    ----------
    forecast_ : SeasonalForecast
    unit_ : str
        ``"D"``.

    Notes
    -----
    Discounted values are taken by months: each at its middle, whatever ``timing`` says within it.

    Examples
    --------
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.datasets import make_shop
    >>> from custvalue.value import SeasonalValue
    >>> shop = make_shop("frequent", 400, days=1095, season=0.7, random_state=1)
    >>> log = TransactionLog(shop.log, customer="customer_id", time="date", amount="amount")
    >>> model = SeasonalValue().fit(log.until("2023-06-30"))
    >>> low, high = sorted(model.forecast_.season.pace)[::11]
    >>> bool(high > 2.0 * low)
    True
    """

    reads_table: ClassVar[str] = "log"
    _learned = SeasonalForecast

    def __init__(
        self,
        law: Any = None,
        *,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | str | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        period: Span = "1M",
        feasts: Mapping[str, Any] | None = None,
    ) -> None:
        self.law = law
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing
        self.period = period
        self.feasts = feasts

    def fit(self, X: TransactionLog, y: Any = None) -> SeasonalValue:
        """Learn the season, and the law in its operational time.

        Parameters
        ----------
        X : TransactionLog
        y : None
            Not used.

        Returns
        -------
        self : SeasonalValue

        Raises
        ------
        DataContractError
            If ``X`` is no log, or the law refuses its summary.
        """
        log = self._log(X)
        law = self._plain_law()
        season = known_season(log, feasts=self.feasts)
        self.forecast_ = SeasonalForecast("D", law.fit(_warped(log, season)), season)
        return self

    def _plain_law(self) -> Any:
        from custvalue.purchase import MBGNBD

        law = clone(CustomerValue(purchases=MBGNBD()) if self.law is None else self.law)
        if getattr(law, "reads_table", None) != "summary" or not isinstance(law, ValueModel):
            raise ValueError(
                f"law={type(law).__name__} must be a value model that reads a summary, such as "
                "CustomerValue()."
            )
        return law

    def _log(self, X: Any) -> TransactionLog:
        if not isinstance(X, TransactionLog):
            raise DataContractError(
                ContractProblem(
                    "not-a-log",
                    f"{type(self).__name__} reads a TransactionLog, got {type(X).__name__}",
                    "Wrap the frame: custvalue.data.TransactionLog(frame, customer=..., time=..., "
                    "amount=...).",
                )
            )
        return X

    # ---- what is expected -----------------------------------------------------------------------

    def _read(self, X: Any) -> SeasonalRows:
        log = self._log(X)
        table = _warped(log, self.forecast_.season)
        return SeasonalRows(self.forecast_.law._read(table), log.as_of.astype("datetime64[D]"))

    def _law(self) -> Any:
        law = copy.copy(self.forecast_.law)
        own = law.get_params(deep=False)
        mine = ("annual_discount_rate", "margin", "contact_cost", "timing", "period")
        return law.set_params(**{k: getattr(self, k) for k in mine if k in own})

    def _gross(self, rows: SeasonalRows, terms: Terms) -> Floats:
        law = self._law()

        def gross(asked: Terms) -> Floats:
            return np.asarray(law._value(rows.law_rows, asked) + law._cost(rows.law_rows, asked))

        return self.forecast_.season.worth(rows.as_of, terms, gross)

    def _n(self, rows: SeasonalRows) -> int:
        return len(self._law()._value(rows.law_rows, Terms(until=0.0)))

    def _cost(self, rows: SeasonalRows, terms: Terms) -> Any:
        return self._law()._cost(rows.law_rows, terms)

    def _value(self, rows: SeasonalRows, terms: Terms) -> Floats:
        return np.asarray(self._gross(rows, terms) - self._cost(rows, terms))

    def _chance(self, rows: SeasonalRows, terms: Terms) -> Floats:
        asked = self.forecast_.season.terms(rows.as_of, terms)
        return np.asarray(self._law()._chance(rows.law_rows, asked))

    # ---- how it spreads -------------------------------------------------------------------------

    def _undiscounted(self, rows: SeasonalRows, terms: Terms) -> tuple[Terms, Floats]:
        """Terms in operational time, and worth today of a unit of money under the real ones."""
        until = self.forecast_.season.length(rows.as_of, terms.until)
        asked = Terms(until=until, margin=terms.margin)
        if terms.rate == 0.0:
            return asked, np.ones(self._n(rows))
        plain = np.asarray(self._law()._value(rows.law_rows, asked), dtype=np.float64)
        some = plain != 0.0
        gross = self._gross(rows, terms)
        return asked, np.where(some, gross / np.where(some, plain, 1.0), 1.0)

    def _spread(self, rows: SeasonalRows, terms: Terms) -> tuple[Floats, Floats]:
        asked, worth = self._undiscounted(rows, terms)
        variance, none = self._law()._spread(rows.law_rows, asked)
        return variance * worth**2, none

    def _outcome_interval(self, rows: SeasonalRows, terms: Terms, tail: float) -> Floats:
        asked, worth = self._undiscounted(rows, terms)
        ends = self._law()._outcome_interval(rows.law_rows, asked, tail)
        return ends * worth[:, None] - np.reshape(self._cost(rows, terms), (-1, 1))

    def _outcome_draws(
        self, rows: SeasonalRows, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        asked, worth = self._undiscounted(rows, terms)
        drawn = self._law()._outcome_draws(rows.law_rows, asked, n_draws, rng)
        return np.asarray(drawn * worth - self._cost(rows, terms))

    def _parameter_draws(
        self, rows: SeasonalRows, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        asked, worth = self._undiscounted(rows, terms)
        drawn = self._law()._parameter_draws(rows.law_rows, asked, n_draws, rng)
        return np.asarray(drawn * worth - self._cost(rows, terms))

    def _parameter_interval(self, rows: SeasonalRows, terms: Terms, tail: float) -> Floats:
        asked, worth = self._undiscounted(rows, terms)
        ends = self._law()._parameter_interval(rows.law_rows, asked, tail)
        return ends * worth[:, None] - np.reshape(self._cost(rows, terms), (-1, 1))

    def _total_error(self, rows: SeasonalRows, terms: Terms, at: Ints, n_groups: int) -> Floats:
        asked, worth = self._undiscounted(rows, terms)
        error = self._law()._total_error(rows.law_rows, asked, at, n_groups)
        return np.asarray(error * (float(np.median(worth)) if len(worth) else 1.0))

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        first, later = self._law()._newcomer(terms)
        return float(first), float(later)

    # ---- what it says of itself -----------------------------------------------------------------

    def _parts(self, rows: SeasonalRows, terms: Terms) -> dict[str, Any]:
        return {"chance": self._chance(rows, terms), "contact_cost": self._cost(rows, terms)}

    def _facts(self) -> dict[str, Any]:
        known = self.forecast_
        return {"law": known.law.fit_report(), **known.season.facts()}

    def _settings(self) -> dict[str, Any]:
        # the law and the feasts are written as they were learned
        left = ("law", "feasts")
        return {k: v for k, v in self.get_params(deep=False).items() if k not in left}

    def _told_on(self, X: Any) -> Any:
        return self._log(X).summary("D")


def _warped(log: TransactionLog, season: Season) -> Any:
    """Summary in operational days."""
    table = log.summary("D")
    if season.is_identity:
        return table
    columns = {
        name: column(table, name) for name in _COLUMNS if name in (column_names(table) or ())
    }
    first, last = (
        season.days(np.asarray(column(table, name), dtype="datetime64[D]"))
        for name in ("first_order", "last_order")
    )
    end = season.days(np.asarray([log.as_of], dtype="datetime64[D]"))[0]
    columns |= {"recency": last - first, "T": end - first, "silence": end - last}
    # without its dates, by which a table tells the unit of its times
    return with_time_scale(frame_like(table, columns), "D")
