"""Value learned from earlier dates of the same log: whether an order comes, and how much."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import clone

from custvalue._kernels import sum_of_trees
from custvalue._sklearn import boosted_trees, check_is_fitted
from custvalue._typing import Floats, Ints
from custvalue._units import Span, span_days
from custvalue._value_model import Terms, Timing, ValueModel
from custvalue._warn import heard
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import NO_SEASON, Season, known_season, operational
from custvalue.exceptions import ContractProblem, DataContractError, FitFailedError
from custvalue.value import _learning as learning
from custvalue.value._customer_value import CustomerValue

if TYPE_CHECKING:
    import pandas as pd

WINDOWS = ("28D", "91D", "364D")
LONGEST = 364.0  # days: the longest horizon that is learned rather than carried on by the law
FEWEST_BUYERS = 200  # learning rows with an outcome above 0
SHORTEST = 56.0  # days of history
LEAST = 1e-6
MANY = 4096  # rows from which trees are added up by columns
BUCKETS = 5  # of chance, for the spread of sizes


@dataclass(frozen=True, eq=False)
class LearnedForecast:
    """What a fitted ``LearnedValue`` knows.

    Parameters
    ----------
    unit : str
        ``"D"``.
    law : fitted value model
        Carries what was learned beyond the learned horizons, and to other terms.
    why_law_alone : str
        Why nothing was learned; empty where something was.
    grid : tuple of int
        Learned horizons, in days.
    classifier, regressor : fitted estimators or None
    kept : tuple of KeptColumn
    names : tuple of str
        Features, in order.
    smear : float
        Mean size over the exponential of its mean logarithm (Duan, 1983).
    chance_edges, log_sd : ndarray
        Standard deviation of the log of sizes by bucket of chance.
    level_error : float
        Of the log of a total, seen out of time; nan where the past is too short to see it.
    importance : ndarray of shape (n_features, 2)
        Mean rise of the Tweedie deviance where a feature is shuffled, and its standard deviation.
    n_dates, n_rows, n_customers : int
    season : Season
        In whose operational time law and learners work.
    """

    unit: str
    law: Any
    why_law_alone: str = ""
    grid: tuple[int, ...] = ()
    classifier: Any = None
    regressor: Any = None
    kept: tuple[Any, ...] = ()
    names: tuple[str, ...] = ()
    smear: float = 1.0
    chance_edges: Any = None
    log_sd: Any = None
    level_error: float = float("nan")
    importance: Any = None
    n_dates: int = 0
    n_rows: int = 0
    n_customers: int = 0
    season: Season = NO_SEASON

    _records: ClassVar[dict[str, type]] = {"season": Season}


class LearnedRows(NamedTuple):
    """Customers of a log read once: the law's rows, and ratios of learned to law by stretch.

    The law may give up a customer (a chance of 1e-30) whom the learner does not; then there is
    nothing to be a ratio of. So ``least``, a millionth of a usual order over the learned horizon,
    comes steadily beside what the law expects, and a millionth of hazard beside its chance.
    """

    table: Any
    law_rows: Any
    value_ratios: Floats | None
    hazard_ratios: Floats | None
    least: Floats | None
    as_of: Any


class LearnedValue(ValueModel):
    """Value of each customer, learned at earlier dates of the same log in two parts.

    A classifier learns the chance that anything comes within a horizon, a regressor the logarithm
    of how much comes where something does. Both look at several earlier dates of the log, with
    what was known of each customer on that day (history, the answers of a law fitted up to that
    day, and the log's own columns named in ``keep``) and what then came. Horizons up to half of
    the history, at most 364 days, are learned; a law carries the forecast beyond, in between, and
    to any discount rate, margin and cost, so that a longer horizon is never worth less. A log too
    short to learn from is valued by the law alone, which ``fit_report`` says.

    Parameters
    ----------
    classifier : classifier or None, default=None
        With ``predict_proba``; None is scikit-learn's ``HistGradientBoostingClassifier``.
    regressor : regressor or None, default=None
        Of the log of size over the law's; None is ``HistGradientBoostingRegressor``.
    law : value model or None, default=None
        One that reads a summary and states chances; None is ``CustomerValue()``.
    keep : sequence of str, default=()
        Columns of the log (numbers or words) that tell of the customer: the newest row's counts.
    windows : sequence of str, default=("28D", "91D", "364D")
        For each: orders and money of so long before the date.
    n_dates : int, default=4
        Earlier dates to learn from, half of the longest learned horizon apart.
    max_customers : int or None, default=20000
        Larger logs are learned from so many customers, drawn fairly; None takes all.
    n_repeats : int, default=3
        Shuffles of each feature behind :meth:`feature_importance`; 0 saves their time.
    prove : bool, default=True
        Learn once more without the latest date and test on it, which tells the importance of
        features and the error of the level and of single customers. Without it none of them is
        known, and nothing else changes: for a blend, which tests its parts itself.
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
    forecast_ : LearnedForecast
        All that was learned: frozen, and without a customer.
    unit_ : str
        ``"D"``: days, whatever the unit of the log.

    See Also
    --------
    custvalue.value.CustomerValue : the law that this starts from.

    Notes
    -----
    With p the chance and m the mean size learned for a horizon h of the grid, F(h) = p m is made to
    rise with h. Between two horizons of the grid the value is the law's, times
    (F(h2) - F(h1)) / (L(h2) - L(h1)), L the law's own revenue; beyond the grid times F / L at its
    end. Chances are carried on in the same way as sums of hazards, -log(1 - p).

    Where two years and more tell of a season that all customers share
    (:func:`custvalue.data.season_of`), law and learners work in its operational time, in which busy
    months are longer, and are asked for the length of the horizon there; ``fit_report`` has the
    pace of the months, or why there is none.

    The level of what is learned is that of the past: a young log whose customers are leaving is
    valued too high. A forecast that holds its level by earlier dates of the same log is better.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.value import LearnedValue
    >>> log = TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                      time="date", amount="amount")
    >>> model = LearnedValue(horizon="26W").fit(log)
    >>> model.predict(log).shape
    (2349,)
    >>> model.forecast_.grid
    (68, 136, 272)
    """

    reads_table: ClassVar[str] = "log"
    _learned = LearnedForecast

    def __init__(
        self,
        *,
        classifier: Any = None,
        regressor: Any = None,
        law: Any = None,
        keep: Sequence[str] = (),
        windows: Sequence[str] = WINDOWS,
        n_dates: int = 4,
        max_customers: int | None = 20_000,
        n_repeats: int = 3,
        prove: bool = True,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | str | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        period: Span = "1M",
        random_state: int = 0,
    ) -> None:
        self.classifier = classifier
        self.regressor = regressor
        self.law = law
        self.keep = keep
        self.windows = windows
        self.n_dates = n_dates
        self.max_customers = max_customers
        self.n_repeats = n_repeats
        self.prove = prove
        self.horizon = horizon
        self.annual_discount_rate = annual_discount_rate
        self.margin = margin
        self.contact_cost = contact_cost
        self.timing = timing
        self.period = period
        self.random_state = random_state

    # ---- learning -------------------------------------------------------------------------------

    def fit(self, X: TransactionLog, y: Any = None) -> LearnedValue:
        """Learn from earlier dates of the log.

        Parameters
        ----------
        X : TransactionLog
        y : None
            Not used.

        Returns
        -------
        self : LearnedValue

        Raises
        ------
        DataContractError
            If ``X`` is no log, has no column named in ``keep``, or the law refuses its summary.
        FitFailedError
            If the law cannot be fitted on the whole log.
        ValueError
            If a parameter is out of range.
        """
        log = self._log(X)
        if isinstance(self.keep, str):
            raise ValueError(f"keep must be a list of columns; write keep=[{self.keep!r}].")
        if int(self.n_dates) < 1:
            raise ValueError(f"n_dates={self.n_dates!r} must be at least 1.")
        if int(self.n_repeats) < 0:
            raise ValueError(f"n_repeats={self.n_repeats!r} must be 0 or more.")
        for window in self.windows:
            span_days(window)
        sample = self._sample(log)
        season = known_season(sample, days_only=True)
        log, sample = operational(log, season), operational(sample, season)
        law = self._plain_law().fit(log.summary("D"))
        kept = tuple(learning.kept_column(sample, name) for name in self.keep)
        grid = learning.horizon_grid(log.span_days, LONGEST)
        if log.span_days < SHORTEST:
            why = f"{log.span_days:g} days of history, fewer than {SHORTEST:g}"
            self.forecast_ = LearnedForecast("D", law, why, season=season)
            return self
        lessons = self._lessons(sample, grid, kept)
        buyers = sum(int((one.y > 0).sum()) for one in lessons)
        if buyers < FEWEST_BUYERS:
            why = f"{buyers} orders of customers at earlier dates, fewer than {FEWEST_BUYERS}"
            plain = self._plain_law().fit(self._log(X).summary("D"))
            season = Season(why_none=f"nothing was learned: {why}")
            self.forecast_ = LearnedForecast("D", plain, why, season=season)
            return self
        learned = self._learn(law, grid, kept, lessons, len(sample.customers()))
        self.forecast_ = replace(learned, season=season)
        return self

    def _learn(
        self,
        law: Any,
        grid: tuple[int, ...],
        kept: tuple[Any, ...],
        lessons: list[_Lesson],
        n_customers: int,
    ) -> LearnedForecast:
        proof = self._out_of_time(lessons) if self.prove else None
        learned = _TwoParts(*self._parts_to_fit(lessons)).fit(lessons)
        edges, spread = (proof or learned).spread
        return LearnedForecast(
            "D",
            law,
            "",
            grid,
            learned.classifier,
            learned.regressor,
            kept,
            lessons[0].names,
            learned.smear,
            edges,
            spread,
            float("nan") if proof is None else proof.level_error,
            None if proof is None else proof.importance,
            len({one.back for one in lessons}),
            sum(len(one.y) for one in lessons),
            n_customers,
        )

    def _plain_law(self) -> Any:
        law = clone(CustomerValue() if self.law is None else self.law)
        if getattr(law, "reads_table", None) != "summary" or not isinstance(law, ValueModel):
            raise ValueError(
                f"law={type(law).__name__} must be a value model that reads a summary, such as "
                "CustomerValue()."
            )
        return law

    def _parts_to_fit(self, lessons: list[_Lesson]) -> tuple[Any, Any]:
        """Clone the given parts; else small trees with large leaves, for rows that are alike."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        usual: dict[str, Any] = {
            "max_iter": 80,
            "learning_rate": 0.05,
            "max_leaf_nodes": 8,
            "min_samples_leaf": int(np.clip(sum(len(one.y) for one in lessons) / 40, 20, 200)),
            "l2_regularization": 1.0,
            "early_stopping": False,
            "random_state": self.random_state,
        }
        return (
            HistGradientBoostingClassifier(**usual)
            if self.classifier is None
            else clone(self.classifier),
            HistGradientBoostingRegressor(**usual)
            if self.regressor is None
            else clone(self.regressor),
        )

    def _sample(self, log: TransactionLog) -> TransactionLog:
        customers = log.customers()
        if self.max_customers is None or len(customers) <= int(self.max_customers):
            return log
        rng = np.random.default_rng(self.random_state)
        return log.of(rng.choice(customers, int(self.max_customers), replace=False))

    def _lessons(
        self, log: TransactionLog, grid: tuple[int, ...], kept: tuple[Any, ...]
    ) -> list[_Lesson]:
        found: list[_Lesson] = []
        pairs = learning.samples_of(log.span_days, grid, int(self.n_dates))
        for back in sorted({b for b, _ in pairs}, reverse=True):
            known = log.until(log.before(f"{back}D"))
            if len(known) == 0:
                continue
            try:
                with heard():
                    law = self._plain_law().fit(known.summary("D"))
            except (FitFailedError, DataContractError):
                continue  # too few had come back by then
            history = learning.history_features(known, tuple(self.windows), kept)
            customers, law_rows = known.customers(), law._rows(known.summary("D"))
            for h in (h for b, h in pairs if b == back):
                end = log.before(f"{back - h}D") if back > h else log.as_of
                y, _ = log.between(known.as_of, end).totals(customers)
                value, chance = learning.law_answers(law, law_rows, h)
                X = learning.design(history.to_numpy(dtype=np.float64), value, chance, h)
                names = (*map(str, history.columns), *learning.LAW_FEATURES)
                usual = learning.usual_size(history, value, chance, h)
                found.append(_Lesson(back, h, X, y, usual, names))
        return found

    def _out_of_time(self, lessons: list[_Lesson]) -> _Proof | None:
        """Learn from windows that end before the latest date that leaves enough, test on it."""
        for back in sorted({one.back for one in lessons}):
            before = [one for one in lessons if one.back - one.horizon >= back]
            after = [one for one in lessons if one.back == back]
            if not before or sum((one.y > 0).sum() for one in before) < FEWEST_BUYERS:
                continue
            test = max(after, key=lambda one: one.horizon)
            if (test.y > 0).sum() < FEWEST_BUYERS / 4:
                continue
            parts = _TwoParts(*self._parts_to_fit(before)).fit(before)
            return _prove(parts, test, int(self.n_repeats), self.random_state)
        return None

    # ---- what is expected -----------------------------------------------------------------------

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

    def _read(self, X: Any) -> LearnedRows:
        known = self.forecast_
        as_of = self._log(X).as_of
        log = operational(self._log(X), known.season)
        table = log.summary("D")
        law_rows = known.law._rows(table)
        if known.why_law_alone:
            return LearnedRows(table, law_rows, None, None, None, as_of)
        history = learning.history_features(log, tuple(self.windows), known.kept)
        facts = history.to_numpy(dtype=np.float64)
        worth, hazard, law_worth, law_hazard = [], [], [], []
        top = known.grid[-1]
        least = LEAST * learning.usual_size(
            history, *learning.law_answers(known.law, law_rows, top), top
        )
        chance_of = _chance_of(known.classifier, len(facts))
        log_size_of = _log_size_of(known.regressor, len(facts))
        for h in known.grid:
            value, chance = learning.law_answers(known.law, law_rows, h)
            X_h = learning.design(facts, value, chance, h)
            p = chance_of(X_h)
            usual = learning.usual_size(history, value, chance, h)
            size = known.smear * np.exp(log_size_of(X_h)) * usual
            worth.append(p * size)
            hazard.append(-np.log1p(-p))
            law_worth.append(value + least * h / top)
            law_hazard.append(-np.log1p(-chance) + LEAST * h / top)
        return LearnedRows(
            table,
            law_rows,
            learning.stretch_ratios(np.column_stack(worth), np.column_stack(law_worth)),
            learning.stretch_ratios(np.column_stack(hazard), np.column_stack(law_hazard)),
            least / top,
            as_of,
        )

    def _law(self) -> Any:
        """Return the fitted law under this model's terms."""
        law = copy.copy(self.forecast_.law)
        own = law.get_params(deep=False)
        mine = ("annual_discount_rate", "margin", "contact_cost", "timing", "period")
        return law.set_params(**{k: getattr(self, k) for k in mine if k in own})

    def _gross(self, rows: LearnedRows, terms: Terms) -> Floats:
        return self.forecast_.season.worth(
            rows.as_of, terms, lambda asked: self._operational(rows, asked)
        )

    def _operational(self, rows: LearnedRows, terms: Terms) -> Floats:
        """Value before costs, by operational days."""
        law = self._law()

        def at(until: float) -> Floats:
            asked = replace(terms, until=until)
            return np.asarray(law._value(rows.law_rows, asked) + law._cost(rows.law_rows, asked))

        if rows.value_ratios is None or rows.least is None:
            return at(terms.until)
        steady = rows.least * self._usual_share(rows, terms)

        def both(until: float) -> Floats:
            return at(until) + steady * replace(terms, until=until).annuity()

        return learning.over_stretches(rows.value_ratios, self.forecast_.grid, terms.until, both)

    def _usual_share(self, rows: LearnedRows, terms: Terms) -> float:
        """Profit over spend of all customers together, as the law says it."""
        if isinstance(terms.margin, float):
            return terms.margin
        law, asked = self._law(), Terms(until=float(self.forecast_.grid[-1]), margin=terms.margin)
        profit = law._value(rows.law_rows, asked).sum()
        return float(profit / law._value(rows.law_rows, replace(asked, margin=1.0)).sum())

    def _cost(self, rows: LearnedRows, terms: Terms) -> Any:
        return self._law()._cost(rows.law_rows, terms)

    def _value(self, rows: LearnedRows, terms: Terms) -> Floats:
        return np.asarray(self._gross(rows, terms) - self._cost(rows, terms))

    def _chance(self, rows: LearnedRows, terms: Terms) -> Floats:
        law = self._law()

        def at(until: float) -> Floats:
            chance = law._chance(rows.law_rows, replace(terms, until=until))
            steady = LEAST * min(until / float(self.forecast_.grid[-1]), 1e6)
            return -np.log1p(-np.clip(chance, 0.0, 1.0 - 1e-9)) + steady

        if rows.hazard_ratios is None:
            return np.asarray(law._chance(rows.law_rows, terms))
        grid, until = self.forecast_.grid, self.forecast_.season.terms(rows.as_of, terms).until
        return -np.expm1(-learning.over_stretches(rows.hazard_ratios, grid, until, at))

    # ---- how it spreads -------------------------------------------------------------------------

    def _sizes(self, rows: LearnedRows, terms: Terms) -> tuple[Floats, Floats, Floats, Floats]:
        """Gross value, chance, mean size where something comes, sd of the log of sizes."""
        gross, chance = self._gross(rows, terms), self._chance(rows, terms)
        some = np.maximum(chance, 1e-12)
        known = self.forecast_
        sd = known.log_sd[np.searchsorted(known.chance_edges, chance, side="right")]
        return gross, some, gross / some, np.asarray(sd, dtype=np.float64)

    def _spread(self, rows: LearnedRows, terms: Terms) -> tuple[Floats, Floats]:
        if rows.value_ratios is None:
            variance, none = self._law()._spread(rows.law_rows, terms)
            return variance, none
        gross, some, size, sd = self._sizes(rows, terms)
        return np.maximum(some * size**2 * np.exp(sd**2) - gross**2, 0.0), 1.0 - some

    def _quantiles(self, rows: LearnedRows, terms: Terms, levels: Sequence[float]) -> Floats:
        from scipy.special import ndtri

        gross, some, size, sd = self._sizes(rows, terms)
        sign = np.where(gross < 0.0, -1.0, 1.0)
        out = np.zeros((len(gross), len(levels)))
        for k, level in enumerate(levels):
            # of who loses money the low quantiles are those of the large orders
            u = np.where(sign > 0.0, level, 1.0 - level)
            within = (u - (1.0 - some)) / some
            inside = within > 0.0
            z = ndtri(np.clip(within, 1e-12, 1.0 - 1e-12))
            out[:, k] = np.where(inside, size * np.exp(sd * z - 0.5 * sd**2), 0.0)
        return out

    def _outcome_interval(self, rows: LearnedRows, terms: Terms, tail: float) -> Floats:
        if rows.value_ratios is None:
            return np.asarray(self._law()._outcome_interval(rows.law_rows, terms, tail))
        ends = self._quantiles(rows, terms, (tail, 1.0 - tail))
        return np.sort(ends, axis=1) - np.reshape(self._cost(rows, terms), (-1, 1))

    def _outcome_draws(
        self, rows: LearnedRows, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        if rows.value_ratios is None:
            return np.asarray(self._law()._outcome_draws(rows.law_rows, terms, n_draws, rng))
        _, some, size, sd = self._sizes(rows, terms)
        z = rng.standard_normal((n_draws, len(some)))
        came = rng.random(z.shape) < some
        return np.asarray(
            came * size * np.exp(sd * z - 0.5 * sd**2) - self._cost(rows, terms), dtype=np.float64
        )

    def _level_error(self) -> float:
        error = self.forecast_.level_error
        if not np.isfinite(error):
            raise self._unsaid("how sure its level is (prove=False, or a past too short to see it)")
        return float(error)

    def _parameter_draws(
        self, rows: LearnedRows, terms: Terms, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        if rows.value_ratios is None:
            return np.asarray(self._law()._parameter_draws(rows.law_rows, terms, n_draws, rng))
        error = self._level_error()
        z = rng.standard_normal((n_draws, 1))
        return np.asarray(
            self._gross(rows, terms) * np.exp(error * z - 0.5 * error**2) - self._cost(rows, terms)
        )

    def _parameter_interval(self, rows: LearnedRows, terms: Terms, tail: float) -> Floats:
        from scipy.special import ndtri

        if rows.value_ratios is None:
            return np.asarray(self._law()._parameter_interval(rows.law_rows, terms, tail))
        reach = float(ndtri(1.0 - tail)) * self._level_error()
        gross = self._gross(rows, terms)
        ends = np.column_stack([gross * np.exp(-reach), gross * np.exp(reach)])
        return np.sort(ends, axis=1) - np.reshape(self._cost(rows, terms), (-1, 1))

    def _total_error(self, rows: LearnedRows, terms: Terms, at: Ints, n_groups: int) -> Floats:
        if rows.value_ratios is None:
            return np.asarray(self._law()._total_error(rows.law_rows, terms, at, n_groups))
        total = np.bincount(at, weights=self._gross(rows, terms), minlength=n_groups)
        return np.abs(total) * self._level_error()

    def _newcomer(self, terms: Terms) -> tuple[float, float]:
        first, later = self._law()._newcomer(terms)
        return float(first), float(later)

    # ---- what it says of itself -----------------------------------------------------------------

    def predict_quantile(
        self,
        X: TransactionLog,
        horizon: Span | None = None,
        *,
        q: Sequence[float] = (0.1, 0.5, 0.9),
    ) -> Floats:
        """Quantiles of what each customer will bring.

        Parameters
        ----------
        X : TransactionLog
        horizon : str, timedelta, number or None, default=None
        q : sequence of float, default=(0.1, 0.5, 0.9)
            Strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_customers, len(q))
            0 up to the chance that nothing comes, contact cost off.

        Raises
        ------
        ValueError
            If a level is none.
        NotSupportedError
            If the log was too short to learn from: the law states intervals only.
        """
        levels = np.asarray(q, dtype=np.float64)
        if levels.ndim != 1 or not np.all((levels > 0.0) & (levels < 1.0)):
            raise ValueError(f"q={q!r} must be chances strictly between 0 and 1.")
        terms, rows = self.terms(horizon), self._rows(X)
        if rows.value_ratios is None:
            raise self._unsaid(f"quantiles, valued by the law alone ({self._why()})")
        found = self._quantiles(rows, terms, levels.tolist())
        return np.asarray(found - np.reshape(self._cost(rows, terms), (-1, 1)))

    def feature_importance(self) -> pd.DataFrame:
        """Say what the forecast rests on, out of time.

        Returns
        -------
        DataFrame
            One row a feature, most important first: ``feature``, ``importance`` (mean rise of the
            Tweedie deviance of power 1.5 on the latest date that could be kept out of learning,
            where the feature's column is shuffled; words of one column together), ``sd`` (of the
            shuffles).

        Raises
        ------
        NotSupportedError
            If nothing was learned, or the past is too short to keep a date out.
        """
        import pandas as pd

        check_is_fitted(self, "forecast_")
        known = self.forecast_
        if known.importance is None:
            why = self._why() or "a short past, n_repeats=0, or prove=False"
            raise self._unsaid(f"what its features are worth ({why})")
        names = _groups(known.names)
        table = pd.DataFrame(
            {
                "feature": list(names),
                "importance": known.importance[:, 0],
                "sd": known.importance[:, 1],
            }
        )
        table = table.sort_values("importance", ascending=False, kind="stable")
        return table.reset_index(drop=True)

    def _why(self) -> str:
        return str(self.forecast_.why_law_alone)

    def _parts(self, rows: LearnedRows, terms: Terms) -> dict[str, Any]:
        law = self._law()
        return {
            "law_value": law._value(rows.law_rows, terms),
            "chance": self._chance(rows, terms),
            "contact_cost": self._cost(rows, terms),
        }

    def _facts(self) -> dict[str, Any]:
        known = self.forecast_
        said: dict[str, Any] = {"law": known.law.fit_report(), **known.season.facts()}
        if known.why_law_alone:
            return {**said, "learned": "nothing: " + known.why_law_alone}
        return {
            **said,
            "learned": "chance and size",
            "classifier": type(known.classifier).__name__,
            "regressor": type(known.regressor).__name__,
            "horizons in days": known.grid,
            "dates": known.n_dates,
            "rows": known.n_rows,
            "customers": known.n_customers,
            "features": known.names,
            "error of the log of a total, out of time": known.level_error,
        }

    def _settings(self) -> dict[str, Any]:
        # the parts are written as they were fitted
        own = self.get_params(deep=False)
        own = {k: v for k, v in own.items() if k not in ("classifier", "regressor", "law")}
        return {**own, "keep": list(self.keep), "windows": list(self.windows)}

    def _told_on(self, X: Any) -> Any:
        return self._log(X).summary("D")


class _Lesson(NamedTuple):
    """What was known at a date, what came within a horizon, and its usual size."""

    back: int
    horizon: int
    X: Floats
    y: Floats
    usual: Floats
    names: tuple[str, ...]


class _Proof(NamedTuple):
    spread: tuple[Floats, Floats]
    level_error: float
    importance: Floats | None


class _TwoParts:
    """A classifier of any order and a regressor of the log of its size over the law's."""

    def __init__(self, classifier: Any, regressor: Any) -> None:
        self.classifier, self.regressor = classifier, regressor

    def fit(self, lessons: list[_Lesson]) -> _TwoParts:
        X = np.vstack([one.X for one in lessons])
        y = np.concatenate([one.y for one in lessons])
        usual = np.concatenate([one.usual for one in lessons])
        some = y > 0.0
        self.classifier.fit(X, some.astype(np.int64))
        self.regressor.fit(X[some], np.log(y[some] / usual[some]))
        size = np.exp(self.regressor.predict(X[some])) * usual[some]
        self.smear = float(y[some].sum() / size.sum())
        self.spread = _log_spread(_proba(self.classifier, X[some]), np.log(y[some] / size))
        return self

    def predict(self, X: Floats, usual: Floats) -> tuple[Floats, Floats]:
        p = _proba(self.classifier, X)
        return p, self.smear * np.exp(self.regressor.predict(X)) * usual


def _proba(classifier: Any, X: Floats) -> Floats:
    return _chance_of(classifier, len(X))(X)


def _chance_of(classifier: Any, n: int) -> Callable[[Floats], Floats]:
    """Chance that a classifier states of each of ``n`` rows, never quite 0 or 1."""
    quick = _by_columns(classifier, n)

    def chance(X: Floats) -> Floats:
        if quick is not None:
            return np.clip(quick(X), LEAST, 1.0 - LEAST)
        found = classifier.predict_proba(X)
        if found.shape[1] == 1:  # everybody came, or nobody
            return np.full(len(X), float(np.clip(classifier.classes_[0], LEAST, 1.0 - LEAST)))
        return np.asarray(np.clip(found[:, 1], LEAST, 1.0 - LEAST), dtype=np.float64)

    return chance


def _log_size_of(regressor: Any, n: int) -> Callable[[Floats], Floats]:
    """Log of the size over the law's that a regressor states of each of ``n`` rows."""
    return _by_columns(regressor, n) or regressor.predict


def _by_columns(model: Any, n: int) -> Callable[[Floats], Floats] | None:
    """Prediction of small boosted trees of many rows, as theirs to the bit; None of others."""
    boosted = boosted_trees(model) if n >= MANY else None
    if boosted is None:
        return None
    trees, start, inverse = boosted
    return lambda X: np.asarray(inverse(sum_of_trees(trees, X, start)), dtype=np.float64)


def _log_spread(chance: Floats, off: Floats) -> tuple[Floats, Floats]:
    """Take the standard deviation of log errors by bucket of chance, and the inner edges."""
    edges = np.unique(np.quantile(chance, np.arange(1, BUCKETS) / BUCKETS))
    at = np.searchsorted(edges, chance, side="right")
    whole = float(off.var())
    n = np.bincount(at, minlength=len(edges) + 1).astype(np.float64)
    centre = np.bincount(at, off, len(edges) + 1) / np.maximum(n, 1.0)
    square = np.bincount(at, (off - centre[at]) ** 2, len(edges) + 1)
    return edges, np.sqrt((square + 10.0 * whole) / (n + 10.0))  # ten orders of the whole


def _prove(parts: _TwoParts, test: _Lesson, n_repeats: int, random_state: int) -> _Proof:
    """Spread, error of the level and worth of features on a date that was kept out."""
    from sklearn.metrics import mean_tweedie_deviance

    usual = test.usual
    p, size = parts.predict(test.X, usual)
    some = test.y > 0.0
    total = float(test.y.sum())
    noise = float(np.sqrt((test.y**2).sum())) / total
    level = float(np.log(total / max(float((p * size).sum()), 1e-300)))
    y, least = np.maximum(test.y, 0.0), 1e-9 * total / len(test.y)
    rng = np.random.default_rng(random_state)
    few = rng.permutation(len(y))[:4000]

    def miss(X: Floats) -> float:
        chance, mean = parts.predict(X, usual[few])
        return float(mean_tweedie_deviance(y[few], np.maximum(chance * mean, least), power=1.5))

    plain = miss(test.X[few]) if n_repeats else 0.0
    rises = []
    for columns in _groups(test.names).values() if n_repeats else ():
        own = []
        for _ in range(n_repeats):
            X = test.X[few].copy()
            X[:, columns] = X[rng.permutation(len(few))][:, columns]
            own.append(miss(X) - plain)
        rises.append((float(np.mean(own)), float(np.std(own))))
    return _Proof(
        _log_spread(p[some], np.log(test.y[some] / size[some])),
        float(np.hypot(level, noise)),
        np.asarray(rises, dtype=np.float64) if rises else None,
    )


def _groups(names: Sequence[str]) -> dict[str, list[int]]:
    """Columns of each feature; the words of a column belong together."""
    found: dict[str, list[int]] = {}
    for k, name in enumerate(names):
        found.setdefault(name.split("=", 1)[0], []).append(k)
    return found
