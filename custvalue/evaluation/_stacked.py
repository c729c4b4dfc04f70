"""A blend of value models, weighted and levelled by earlier origins of the same log."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custvalue._frames import column, places_of
from custvalue._open_table import open_table
from custvalue._sklearn import check_is_fitted
from custvalue._typing import Floats, Ints
from custvalue._units import Span
from custvalue._value_model import Terms, Timing, ValueModel, read_value
from custvalue._warn import heard
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import NO_SEASON, Season, known_season, operational
from custvalue.evaluation import _stacking as stacking
from custvalue.evaluation._reads import Candidate, Forecaster, latest_rows
from custvalue.evaluation._stacking import Origin
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    NotSupportedError,
)
from custvalue.value import CustomerValue, LearnedValue, RateForward, SameForAll

LONGEST = 364.0  # days: the longest horizon that earlier origins are asked for
FEWEST_BUYERS = 50  # of a horizon, or it is no proof of anything
SHORTEST = 56.0  # days of history before an origin
KEPT = 6  # answers about opened rows that are remembered
LIKE_ANY = 0.05  # a horizon is hardly another by a season that changes its length by less
_SHARED = ("annual_discount_rate", "margin", "timing", "period")


def usual_parts() -> dict[str, Any]:
    """Value models that :class:`StackedValue` blends when none are given; the first is the law.

    Returns
    -------
    dict of str to estimator

    Examples
    --------
    >>> list(usual_parts())[-1]
    'same for all'
    """
    from custvalue.markov import MarkovCLVEstimator
    from custvalue.purchase import MBGNBD
    from custvalue.spend import GammaGamma, OwnMean

    return {
        "law x own mean": CustomerValue(spend=OwnMean()),
        "law x Gamma-Gamma": CustomerValue(spend=GammaGamma()),
        "Markov chain": MarkovCLVEstimator(),
        "learner": LearnedValue(law=CustomerValue(purchases=MBGNBD()), prove=False),
        "rate so far": RateForward(),
        "same for all": SameForAll(),
    }


@dataclass(frozen=True, eq=False)
class StackedForecast:
    """What a fitted ``StackedValue`` knows.

    Parameters
    ----------
    unit : str
        ``"D"``.
    names : tuple of str
        Parts that have a weight; the holder of cost and newcomers first, whatever its weight.
    parts : tuple of fitted value models
    weights, scales : ndarray of shape (n_parts,)
        Share of each part, and what brings it to the level of all.
    panel_period : str
    why_law_alone : str
        Why there are no weights; empty where there are.
    log_factor, level_error : float
        What earlier origins missed together (drawn to 0), and the standard error left.
    chance_edges, sizes : ndarray
        Relative sizes by bucket of chance, out of time.
    origins : tuple of tuple
        Days back, horizon, customers, and log ratio of what came to what the blend said.
    left_out : tuple of str
        Parts that failed at an origin, with the error, and origins that were not asked.
    remarks : tuple of str
        What parts warned of when they were fitted on the whole log.
    kind : {"stack", "single", "equal", "law"}
        What was chosen, where something was: see ``BestValue``.
    proofs : tuple of tuple
        Figures of each earlier date, weighed by the others: the fields of ``Proof``.
    deviances : tuple of tuple
        Name and mean Tweedie deviance at the earlier dates over that of the same for all: of each
        candidate, and of the blend.
    scores : tuple of tuple
        The rows of ``BestValue.scores``.
    groups : tuple of tuple
        The rows of ``BestValue.calibration``.
    season : Season
        In whose operational time the parts work.
    as_of : str
        Last day of the log that it was fitted on; empty where an older version wrote it.
    """

    unit: str
    names: tuple[str, ...]
    parts: tuple[Any, ...]
    weights: Any
    scales: Any
    panel_period: str
    why_law_alone: str = ""
    log_factor: float = 0.0
    level_error: float = float("nan")
    chance_edges: Any = None
    sizes: Any = None
    origins: tuple[Any, ...] = ()
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    kind: str = "stack"
    proofs: tuple[Any, ...] = ()
    deviances: tuple[Any, ...] = ()
    scores: tuple[Any, ...] = ()
    groups: tuple[Any, ...] = ()
    season: Season = NO_SEASON
    as_of: str = ""

    _records: ClassVar[dict[str, type]] = {"season": Season}


class StackedRows(NamedTuple):
    """Each part's own rows, where each customer stands in them, and the day of the look.

    ``said`` remembers what the blend last said of these rows, by question and terms: an interval, a
    total and a band ask anew for the values that they lie around.
    """

    parts: tuple[Any, ...]
    places: tuple[Any, ...]
    n: int
    as_of: Any
    said: dict[Any, Floats]

    def once(self, question: str, terms: Terms, answer: Callable[[], Floats]) -> Floats:
        """Answer, or what was answered to the same question before."""
        key = question, replace(terms, contact_cost=0.0)
        if key not in self.said:
            while len(self.said) >= KEPT:
                self.said.pop(next(iter(self.said)))
            self.said[key] = answer()
            self.said[key].flags.writeable = False
        return self.said[key]


class StackedValue(ValueModel):
    """Blend of value models: weights, level and intervals from earlier origins of the same log.

    At up to three earlier dates every part is fitted on what was known then and compared with what
    came. The weights are convex, drawn to equal ones, and smallest in mean Tweedie deviance of
    power 1.5 once each part has the right total; the total is that of the parts whose totals came
    true, corrected by what all missed together as far as the origins agree. Intervals carry what
    was seen there: the spread of sizes, and the error of the level. Where the past is too short to
    ask an earlier date, the first part, the law, stands alone, and ``fit_report`` says so.

    A log is what is asked; where every part reads a summary and there is no season, a summary of
    the customers will do, with the same numbers.

    Where two years and more tell of a season that all customers share
    (:func:`custvalue.data.season_of`), every part works in its operational time, in which busy
    months are longer, and is asked for the length of the horizon there. Elsewhere nothing is
    changed, and ``fit_report`` says why.

    Parameters
    ----------
    models : dict of str to value model, or None, default=None
        The first holds what cannot be blended (contact cost, newcomers) and should be a law that
        reads a summary; None is :func:`usual_parts`.
    pull : float, default=0.2
        How strongly weights are drawn to equal ones, over the root of the number of buyers seen.
    spread : float, default=0.2
        Prior standard deviation of the log of the factor that sets the total right.
    panel_period : str, default="4W"
        Of parts that read a panel.
    max_customers : int or None, default=20000
        Of a larger log so many customers, drawn fairly, are asked at earlier dates; from them
        parts that read a panel learn, and how much parts say in total is compared.
    horizon : str, timedelta, number or None, default=None
        As in every value model; what is learned does not depend on it.
    annual_discount_rate : float, default=0.0
    margin : float, str or None, default=None
    contact_cost : float, default=0.0
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
    period : str, default="1M"
        What ``contact_cost`` is paid for, and the step of the other timings.
    random_state : int, default=0

    Attributes
    ----------
    forecast_ : StackedForecast
        All that was learned: frozen, and without a customer.
    unit_ : str
        ``"D"``.

    See Also
    --------
    CalibratedTotal : one estimator's total set right.

    Notes
    -----
    Earlier origins lie a half, a whole and one and a half of the longest provable horizon before
    the end (half the history, at most 364 days), each with half of that, and 56 days, of history
    before it. A longer horizon is asked of the fitted parts, with weights and level as proven.

    The season of an earlier origin is what was known of it then. One that could not know the season
    and whose horizon the season makes longer or shorter by more than a twentieth is not asked.
    Newcomers and contact cost know no season.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.evaluation import StackedValue
    >>> from custvalue.purchase import MBGNBD
    >>> from custvalue.value import CustomerValue, SameForAll
    >>> log = TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                      time="date", amount="amount")
    >>> parts = {"law": CustomerValue(purchases=MBGNBD()), "same for all": SameForAll()}
    >>> model = StackedValue(parts, horizon="26W").fit(log)
    >>> weights = model.weights()
    >>> bool(weights["law"] > weights["same for all"])
    True
    """

    reads_table: ClassVar[str] = "log"
    _learned = StackedForecast

    def __init__(
        self,
        models: Mapping[str, Any] | None = None,
        *,
        pull: float = 0.2,
        spread: float = 0.2,
        panel_period: str = "4W",
        max_customers: int | None = 20_000,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | str | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        period: Span = "1M",
        random_state: int = 0,
    ) -> None:
        self.models = models
        self.pull = pull
        self.spread = spread
        self.panel_period = panel_period
        self.max_customers = max_customers
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing
        self.period = period
        self.random_state = random_state

    # ---- learning -------------------------------------------------------------------------------

    def fit(self, X: TransactionLog, y: Any = None) -> StackedValue:
        """Ask earlier origins, then fit the parts that have a weight on the whole log.

        Parameters
        ----------
        X : TransactionLog
        y : None
            Not used.

        Returns
        -------
        self : StackedValue

        Raises
        ------
        DataContractError
            If ``X`` is no log.
        ValueError
            If a model is no value model, or a parameter is out of range.
        """
        log = as_transaction_log(X, type(self).__name__)
        models = self._models()
        sample = sample_of(log, self.max_customers, self.random_state)
        season = known_season(sample, days_only=True)
        origins, left_out = past_origins(models, sample, self.panel_period, season)
        self._learn(log, sample, models, origins, left_out, season)
        return self

    def _learn(
        self,
        log: TransactionLog,
        sample: TransactionLog,
        models: dict[str, Any],
        origins: list[Origin],
        left_out: dict[str, str],
        season: Season,
        tell: Callable[[str], None] = lambda text: None,
        weights: Floats | None = None,
    ) -> None:
        """Learn from origins that were asked already; ``models`` are those of their columns.

        Parts that read a panel learn from the sample, for a panel has a row a period; how much
        parts say in total is compared there, too.
        """
        told = tuple(f"{k}: {v}" for k, v in left_out.items())
        end = str(log.as_of.astype("datetime64[D]"))
        if not float(self.pull) >= 0.0 or not float(self.spread) >= 0.0:
            raise ValueError(
                f"pull={self.pull!r} and spread={self.spread!r} must be numbers, 0 or more."
            )
        if not origins:
            why = f"{log.span_days:g} days of history with too few buyers to ask an earlier date"
            holder = next(iter(self._models()))
            part = fitted_part(self._models()[holder], log, sample, self.panel_period)
            one = np.ones(1)
            self.forecast_ = StackedForecast(
                "D", (holder,), (part,), one, one, self.panel_period, why, left_out=told,
                season=season if season.is_identity else Season(why_none=why), as_of=end,
            )  # fmt: skip
            return
        buyers = float(np.mean([(o.came > 0).sum() for o in origins]))
        w = weights
        if w is None:
            w = stacking.convex_weights(origins, float(self.pull) / np.sqrt(buyers))
        level = stacking.level_of(origins, float(self.spread))
        longest = season.length(log.as_of, _longest(log))
        log, sample = operational(log, season), operational(sample, season)
        names = list(models)
        use = [k for k in range(len(names)) if w[k] > 0.0 or k == 0]
        fitted, totals, remarks = [], [], []
        for name in names:
            with heard() as said:  # a boundary of one part is a remark on a blend
                part = fitted_part(models[name], log, sample, self.panel_period)
            remarks += [f"{name}: {one}" for one in said]
            fitted.append(part)
            totals.append(float(_plain(part, sample, self.panel_period, longest).sum()))
            tell(name)
        logs = np.log(np.maximum(totals, 1e-300))
        wanted = level.factor * np.exp(level.weights @ logs)
        scales = wanted / np.maximum(np.asarray(totals), 1e-300)
        blends = [o.said @ (w * stacking.scales_at(o, level)) for o in origins]
        chances = [blend_chances(o.chances, w) for o in origins]
        came = np.concatenate([o.came for o in origins])
        edges = sizes = None
        if all(c is not None for c in chances):
            edges, sizes = stacking.relative_sizes(
                came, np.concatenate(blends), np.concatenate([np.asarray(c) for c in chances])
            )
        seen = tuple(
            (o.days_back, o.days, len(o.came), float(np.log(o.came.sum() / b.sum())))
            for o, b in zip(origins, blends, strict=True)
        )
        self.forecast_ = StackedForecast(
            "D",
            tuple(names[k] for k in use),
            tuple(fitted[k] for k in use),
            w[use],
            scales[use],
            self.panel_period,
            "",
            float(np.log(level.factor)),
            level.error,
            edges,
            sizes,
            seen,
            told,
            tuple(remarks),
            season=season,
            as_of=end,
        )

    def _models(self) -> dict[str, Any]:
        models = usual_parts() if self.models is None else dict(self.models)
        if not models:
            raise ValueError("models is empty; give at least one value model.")
        for name, model in models.items():
            if not isinstance(model, ValueModel) or model.reads_table == "supervised":
                raise ValueError(
                    f"{name!r} is a {type(model).__name__}; StackedValue blends value models that "
                    "read a summary, a panel or a log."
                )
        return models

    # ---- what is expected -----------------------------------------------------------------------

    @property
    def reads_summaries(self) -> bool:
        """Whether the rows of a summary can be valued, too: every part reads one, in plain days."""
        check_is_fitted(self, "forecast_")
        known = self.forecast_
        each = all(p.reads_table == "summary" and not p._takes_log for p in known.parts)
        return each and known.season.is_identity

    def _read(self, X: Any) -> StackedRows:
        if not isinstance(X, TransactionLog) and self.reads_summaries:
            table = open_table(X)
            every = np.arange(table.n)
            parts = tuple(part._rows(table) for part in self.forecast_.parts)
            return StackedRows(parts, (every,) * len(parts), table.n, None, {})
        asked = as_transaction_log(X, type(self).__name__)
        log = operational(asked, self.forecast_.season)
        rows, places = [], []
        for part in self.forecast_.parts:
            table, place = part_table(part, log, self.forecast_.panel_period)
            rows.append(part._rows(table))
            places.append(place)
        return StackedRows(tuple(rows), tuple(places), len(log.customers()), asked.as_of, {})

    def _holder(self) -> Any:
        return self._under(self.forecast_.parts[0], cost=self.contact_cost)

    def _under(self, part: Any, cost: Any = 0.0, *, as_spend: bool = False) -> Any:
        """Return a fitted part under this model's terms, or asked for spend instead of profit."""
        part = copy.copy(part)
        own = part.get_params(deep=False)
        mine = {k: getattr(self, k) for k in _SHARED if k in own}
        if as_spend:
            mine["margin"] = 1.0
        return part.set_params(**mine, contact_cost=cost)

    def _own_margins(self, terms: Terms) -> Callable[[StackedRows], Floats] | None:
        """Margin of each customer as the law learned it: own orders, drawn to those of all.

        What is blended is then spend; a part that knows margins of states alone would value who
        brings losses by who brings none. None where the first part learns no margins, or one is
        given.
        """
        holder = self.forecast_.parts[0]
        if terms.margin is not None or not isinstance(holder, CustomerValue):
            return None
        return lambda rows: np.asarray(holder._share(rows.parts[0], terms))[rows.places[0]]

    @staticmethod
    def _terms_of(part: Any, terms: Terms) -> Terms:
        own = part.terms(f"{terms.until:.17g}D" if np.isfinite(terms.until) else "forever")
        return replace(own, rate=0.0) if terms.rate == 0.0 else own

    def _of_part(self, k: int, terms: Terms, *, as_spend: bool) -> Callable[[StackedRows], Floats]:
        """Value of each customer by a part alone, or spend; before costs."""
        part = self._under(self.forecast_.parts[k], as_spend=as_spend)
        season = self.forecast_.season
        if season.is_identity:
            plain = part._under_terms(self._terms_of(part, terms))
            return lambda rows: np.asarray(plain(rows.parts[k]))[rows.places[k]]

        def value(rows: StackedRows) -> Floats:
            def gross(asked: Terms) -> Floats:
                return np.asarray(part._value(rows.parts[k], self._terms_of(part, asked)))

            return season.worth(rows.as_of, terms, gross)[rows.places[k]]

        return value

    def _alone(self) -> bool:
        return bool(self.forecast_.why_law_alone)

    def _gross(self, rows: StackedRows, terms: Terms) -> Floats:
        return rows.once("gross", terms, lambda: self._blended(terms)(rows))

    def _blended(self, terms: Terms) -> Callable[[StackedRows], Floats]:
        known, margins = self.forecast_, self._own_margins(terms)
        asked = [
            (weight * known.scales[k], self._of_part(k, terms, as_spend=margins is not None))
            for k, weight in enumerate(known.weights)
            if weight > 0.0
        ]

        def value(rows: StackedRows) -> Floats:
            total = np.zeros(rows.n)
            for share, of_part in asked:
                total += share * of_part(rows)
            return total if margins is None else total * margins(rows)

        return value

    def _under_terms(self, terms: Terms) -> Callable[[StackedRows], Floats]:
        gross, cost = self._blended(terms), self._costs(terms)
        return lambda rows: np.asarray(gross(rows) - cost(rows))

    def _cost(self, rows: StackedRows, terms: Terms) -> Any:
        return self._costs(terms)(rows)

    def _costs(self, terms: Terms) -> Callable[[StackedRows], Any]:
        if isinstance(terms.contact_cost, dict):
            raise ValueError("contact_cost by state is for MarkovCLVEstimator; give one number.")
        if terms.contact_cost == 0.0:
            return lambda rows: 0.0
        part, bare = self._holder(), self._under(self.forecast_.parts[0])
        paid = part._under_terms(self._terms_of(part, terms))
        free = bare._under_terms(self._terms_of(bare, terms))
        return lambda rows: (free(rows.parts[0]) - paid(rows.parts[0]))[rows.places[0]]

    def _value(self, rows: StackedRows, terms: Terms) -> Floats:
        return np.asarray(self._gross(rows, terms) - self._cost(rows, terms))

    def _chance(self, rows: StackedRows, terms: Terms) -> Floats:
        # a chance knows no money
        asked = replace(terms, rate=0.0, margin=1.0)
        return rows.once("chance", asked, lambda: self._blended_chance(rows, terms))

    def _blended_chance(self, rows: StackedRows, terms: Terms) -> Floats:
        known = self.forecast_
        terms = known.season.terms(rows.as_of, terms)
        found = np.full((rows.n, len(known.parts)), np.nan)
        for k, fitted in enumerate(known.parts):
            part = self._under(fitted)
            try:
                chance = part._chance(rows.parts[k], self._terms_of(part, terms))
            except NotSupportedError:
                continue
            found[:, k] = np.asarray(chance)[rows.places[k]]
        mixed = blend_chances(found, known.weights)
        if mixed is None:
            raise NotSupportedError("none of the parts states the chance of an order.")
        return mixed

    # ---- how it spreads -------------------------------------------------------------------------

    def _sizes(self, rows: StackedRows, terms: Terms) -> tuple[Floats, Floats, Floats, Ints]:
        """Gross value, chance, mean size where something comes, row of the table of sizes."""
        known = self.forecast_
        if known.sizes is None:
            raise NotSupportedError(
                "no part states the chance of an order, so nothing is known of how outcomes spread."
            )
        gross, some = self._gross(rows, terms), np.maximum(self._chance(rows, terms), 1e-9)
        at = np.searchsorted(known.chance_edges, some, side="right").astype(np.int64)
        return gross, some, gross / some, at

    def _spread(self, rows: StackedRows, terms: Terms) -> tuple[Floats, Floats]:
        if self._alone():
            part = self._holder()
            variance, none = part._spread(rows.parts[0], self._terms_of(part, terms))
            return np.asarray(variance)[rows.places[0]], np.asarray(none)[rows.places[0]]
        gross, some, size, at = self._sizes(rows, terms)
        square = (self.forecast_.sizes**2).mean(axis=1)[at]
        return np.maximum(some * size**2 * square - gross**2, 0.0), 1.0 - some

    def _outcome_interval(self, rows: StackedRows, terms: Terms, tail: float) -> Floats:
        if self._alone():
            part = self._holder()
            ends = part._outcome_interval(rows.parts[0], self._terms_of(part, terms), tail)
            return np.asarray(ends)[rows.places[0]]
        gross, some, _, _ = self._sizes(rows, terms)
        known = self.forecast_
        ends = stacking.size_interval(gross, some, known.chance_edges, known.sizes, tail)
        return ends - np.reshape(self._cost(rows, terms), (-1, 1))

    def _outcome_draws(
        self, rows: StackedRows, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        if self._alone():
            part = self._holder()
            drawn = part._outcome_draws(rows.parts[0], self._terms_of(part, terms), n_draws, rng)
            return np.asarray(drawn)[:, rows.places[0]]
        _, some, size, at = self._sizes(rows, terms)
        came = rng.random((n_draws, rows.n)) < some
        which = rng.integers(0, stacking.POINTS, came.shape)
        return np.asarray(came * size * self.forecast_.sizes[at, which] - self._cost(rows, terms))

    def _parameter_draws(
        self, rows: StackedRows, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        if self._alone():
            part = self._holder()
            drawn = part._parameter_draws(rows.parts[0], self._terms_of(part, terms), n_draws, rng)
            return np.asarray(drawn)[:, rows.places[0]]
        error = self.forecast_.level_error
        z = rng.standard_normal((n_draws, 1))
        return np.asarray(
            self._gross(rows, terms) * np.exp(error * z - 0.5 * error**2) - self._cost(rows, terms)
        )

    def _parameter_interval(self, rows: StackedRows, terms: Terms, tail: float) -> Floats:
        from scipy.special import ndtri

        if self._alone():
            part = self._holder()
            ends = part._parameter_interval(rows.parts[0], self._terms_of(part, terms), tail)
            return np.asarray(ends)[rows.places[0]]
        reach = float(ndtri(1.0 - tail)) * self.forecast_.level_error
        gross = self._gross(rows, terms)
        ends = np.column_stack([gross * np.exp(-reach), gross * np.exp(reach)])
        return np.sort(ends, axis=1) - np.reshape(self._cost(rows, terms), (-1, 1))

    def _total_error(self, rows: StackedRows, terms: Terms, at: Ints, n_groups: int) -> Floats:
        if self._alone():
            part = self._holder()
            group = np.empty(rows.n, dtype=np.int64)
            group[rows.places[0]] = at
            return np.asarray(
                part._total_error(rows.parts[0], self._terms_of(part, terms), group, n_groups)
            )
        total = np.bincount(at, weights=self._gross(rows, terms), minlength=n_groups)
        return np.abs(total) * self.forecast_.level_error

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        part = self._holder()
        first, later = part._newcomer(self._terms_of(part, terms))
        return float(first), float(later)

    # ---- what it says of itself -----------------------------------------------------------------

    def weights(self) -> dict[str, float]:
        """Weight of each part, in the order of the models; 1 for the law where it stands alone.

        Returns
        -------
        dict of str to float
        """
        known = self.forecast_
        return {name: float(w) for name, w in zip(known.names, known.weights, strict=True)}

    def _parts(self, rows: StackedRows, terms: Terms) -> dict[str, Any]:
        said: dict[str, Any] = {}
        margins = self._own_margins(terms)
        for k, name in enumerate(self.forecast_.names):
            value = self._of_part(k, terms, as_spend=margins is not None)(rows)
            said[name] = self.forecast_.scales[k] * value
            if margins is not None:
                said[name] *= margins(rows)
        return {**said, "contact_cost": self._cost(rows, terms)}

    def _facts(self) -> dict[str, Any]:
        known = self.forecast_
        said: dict[str, Any] = {
            "parts": {
                name: {"weight": w, "scale": s, "model": type(part).__name__}
                for name, w, s, part in zip(
                    known.names,
                    known.weights.tolist(),
                    known.scales.tolist(),
                    known.parts,
                    strict=True,
                )
            },
            **known.season.facts(),
        }
        if known.left_out:
            said["left out"] = list(known.left_out)
        if known.remarks:
            said["remarks"] = list(known.remarks)
        if known.why_law_alone:
            return {**said, "no weights": known.why_law_alone}
        return {
            **said,
            "earlier origins": [
                {"days back": b, "days": d, "customers": n, "came over said": float(np.exp(r))}
                for b, d, n, r in known.origins
            ],
            "factor of the total": float(np.exp(known.log_factor)),
            "error of the log of the total": known.level_error,
        }

    def _settings(self) -> dict[str, Any]:
        # the parts are written as they were fitted
        own = self.get_params(deep=False)
        return {k: v for k, v in own.items() if k != "models"}

    @classmethod
    def _read_setting(cls, name: str, value: Any) -> Any:
        return read_value(value)

    def _told_on(self, X: Any) -> Any:
        if not isinstance(X, TransactionLog) and self.reads_summaries:
            return X
        return as_transaction_log(X, type(self).__name__).summary("D")


# ---- parts at dates -----------------------------------------------------------------------------


def as_transaction_log(X: Any, caller: str) -> TransactionLog:
    """Return the log, or say how to make one."""
    if not isinstance(X, TransactionLog):
        raise DataContractError(
            ContractProblem(
                "not-a-log",
                f"{caller} reads a TransactionLog, got {type(X).__name__}",
                "Wrap the frame: custvalue.data.TransactionLog(frame, customer=..., time=..., "
                "amount=...).",
            )
        )
    return X


def sample_of(log: TransactionLog, n: int | None, random_state: int) -> TransactionLog:
    """Rows of at most ``n`` customers, drawn fairly."""
    customers = log.customers()
    if n is None or len(customers) <= int(n):
        return log
    rng = np.random.default_rng(random_state)
    return log.of(rng.choice(customers, int(n), replace=False))


def origin_days(span_days: float) -> list[tuple[int, int]]:
    """Days back and horizon of each earlier origin, earliest first."""
    top = int(min(span_days / 2.0, LONGEST))
    pairs = [(top // 2 * 3, top), (top, top), (top // 2, top // 2)]
    return [(b, h) for b, h in pairs if span_days - b >= max(top / 2, SHORTEST) - 1 and h > 0]


def past_origins(
    models: Mapping[str, Any],
    log: TransactionLog,
    panel_period: str,
    season: Season,
    tell: Callable[[str], None] = lambda text: None,
) -> tuple[list[Origin], dict[str, str]]:
    """Ask each model at earlier dates; who fails at one is taken out.

    Parameters
    ----------
    models : dict of str to value model
    log : TransactionLog
    panel_period : str
    season : Season
        Of the whole log. A date gets the one that was known then.
    tell : callable

    Returns
    -------
    origins : list of Origin
        Columns in the order of the models that answered everywhere; those that did not are removed
        from ``models`` where it is a dict.
    left_out : dict
        Error of each that did not, and why a date was not asked.
    """
    left_out: dict[str, str] = {}
    asked: list[tuple[int, int, Floats, dict[str, tuple[Floats, Floats | None]]]] = []
    for back, days in origin_days(log.span_days):
        known = log.until(log.before(f"{back}D"))
        if len(known) == 0:
            continue
        end = log.before(f"{back - days}D") if back > days else log.as_of
        came, _ = log.between(known.as_of, end).totals(known.customers())
        if (came > 0).sum() < FEWEST_BUYERS:
            continue
        then = known_season(known, days_only=True) if not season.is_identity else season
        stretch = season.length(known.as_of, days) / days
        if then.is_identity and abs(stretch - 1.0) > LIKE_ANY:
            # the season would be taken for the level
            left_out[f"{back} days back"] = "not asked, for its season was not known then"
            continue
        asked_days = then.length(known.as_of, days)
        known = operational(known, then)
        said: dict[str, tuple[Floats, Floats | None]] = {}
        for name, model in models.items():
            if name in left_out:
                continue
            forecaster = Forecaster(Candidate(model), f"{asked_days:.17g}D", panel_period)
            try:
                with heard():
                    forecaster.fit(known)
                    value = forecaster.predict(known)
                    said[name] = value, forecaster.chance(known)
                if not np.isfinite(value).all() or not value.sum() > 0.0:
                    raise ValueError("expected no money, or no finite amount")
            except Exception as error:  # any part may fail on a past that is short
                left_out[name] = f"{type(error).__name__}: {error}"
            tell(f"{name}, {back} days back")
        asked.append((back, days, came, said))
    names = [name for name in models if name not in left_out]
    if isinstance(models, dict):
        for name in left_out:
            models.pop(name, None)
    if not names:
        return [], left_out
    origins = []
    for back, days, came, said in asked:
        values = np.column_stack([said[name][0] for name in names])
        chances = [
            np.full(len(came), np.nan) if said[name][1] is None else np.asarray(said[name][1])
            for name in names
        ]
        origins.append(Origin(back, days, came, values, np.column_stack(chances)))
    return origins, left_out


def blend_chances(chances: Floats, weights: Floats) -> Floats | None:
    """Mean chance by weight of the parts that state one; None where none does."""
    stated = np.isfinite(chances).all(axis=0)
    if not stated.any():
        return None
    w = weights[stated] if weights[stated].sum() > 0.0 else np.ones(int(stated.sum()))
    return np.clip(chances[:, stated] @ (w / w.sum()), 0.0, 1.0)


def part_table(part: Any, log: TransactionLog, panel_period: str) -> tuple[Any, npt.NDArray[Any]]:
    """Table that a part reads, and the row of each customer of the log in it."""
    customers = log.customers()
    if part.reads_table == "log" or part._takes_log:
        return log, np.arange(len(customers))
    if part.reads_table == "summary":
        return log.summary("D"), np.arange(len(customers))
    rows = latest_rows(log.panel(panel_period), log.customer)
    return rows, places_of(column(rows, log.customer), customers)


def fitted_part(model: Any, log: TransactionLog, sample: TransactionLog, panel_period: str) -> Any:
    """Fit a clone of a part on the whole log, or on a sample of its customers if by panel."""
    part = clone(model)
    if part.reads_table == "log":
        return part.fit(log)
    table = log.summary("D") if part.reads_table == "summary" else sample.panel(panel_period)
    return part.fit(table)


def _plain(part: Any, log: TransactionLog, panel_period: str, days: float) -> Floats:
    """Revenue of each customer: not discounted, no margin, no cost."""
    table, place = part_table(part, log, panel_period)
    plain = copy.copy(part).set_params(annual_discount_rate=0.0, margin=1.0, contact_cost=0.0)
    return np.asarray(plain.predict(table, f"{days:g}D"))[place]


def _longest(log: TransactionLog) -> float:
    return float(int(min(log.span_days / 2.0, LONGEST)))
