"""The forecast that a log's own past chooses, proves, and says what it may be used for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._sklearn import check_is_fitted
from custvalue._typing import Floats
from custvalue._units import Span
from custvalue._value_model import Timing
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import known_season
from custvalue.evaluation import _stacking as stacking
from custvalue.evaluation._progress import Progress, Teller
from custvalue.evaluation._stacked import (
    StackedValue,
    as_transaction_log,
    blend_chances,
    origin_days,
    past_origins,
    sample_of,
)
from custvalue.evaluation._stacking import Origin
from custvalue.evaluation._verdict import Proof, Verdict, judged
from custvalue.metrics import (
    calibration_table,
    decile_calibration_error,
    interval_coverage,
    normalized_gini_score,
    top_share_score,
)

if TYPE_CHECKING:
    import pandas as pd

CLEARLY = 0.02  # of deviance: by less a single model does not beat a blend
WORTH = 0.01  # of deviance: by less nothing beats the same for all
TAIL = 0.1
SCORES = ("days_back", "days", "method", "said", "came", "gini", "mae", "top_share")
GROUPS = (
    "group",
    "n_customers",
    "predicted_mean",
    "actual_mean",
    "predicted_total",
    "actual_total",
)


class BestValue(StackedValue):
    """The best forecast of a log by the log's own past, with a verdict for each use.

    The candidates are asked at up to three earlier dates. A blend of them
    (:class:`StackedValue`), each single one and the same for all are compared there, each date with
    the weights of the other dates; a single candidate is taken only where it beats the blend
    clearly, and the same for all where nothing beats that. :meth:`verdict` says what the forecast
    may be used for: a budget, a list, a single customer. A season that two years and more agree on
    is followed, as in :class:`StackedValue`, and told.

    Parameters
    ----------
    models : dict of str to value model, or None, default=None
        As in :class:`StackedValue`.
    pull : float, default=0.2
    spread : float, default=0.2
    panel_period : str, default="4W"
    max_customers : int or None, default=20000
    progress : bool, callable or None, default=None
        A callable gets (done, total, text); None draws a bar after two seconds where standard
        error is a terminal.
    horizon : str, timedelta, number or None, default=None
    annual_discount_rate : float, default=0.0
    margin : float, str or None, default=None
    contact_cost : float, default=0.0
    timing : {"continuous", "start", "middle", "end"}, default="continuous"
    period : str, default="1M"
    random_state : int, default=0

    Attributes
    ----------
    forecast_ : StackedForecast
        All that was learned: frozen, and without a customer.
    unit_ : str
        ``"D"``.

    Notes
    -----
    With a single earlier date the weights are judged on the date they were learned from, which
    flatters, and the verdict says so.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.data import TransactionLog
    >>> from custvalue.evaluation import BestValue
    >>> from custvalue.purchase import MBGNBD
    >>> from custvalue.value import CustomerValue, RateForward
    >>> log = TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                      time="date", amount="amount")
    >>> models = {"law": CustomerValue(purchases=MBGNBD()), "rate": RateForward()}
    >>> model = BestValue(models, horizon="26W").fit(log)
    >>> model.verdict().uses["list"]
    'good'
    """

    def __init__(
        self,
        models: Mapping[str, Any] | None = None,
        *,
        pull: float = 0.2,
        spread: float = 0.2,
        panel_period: str = "4W",
        max_customers: int | None = 20_000,
        progress: Progress = None,
        horizon: Span | None = None,
        annual_discount_rate: float = 0.0,
        margin: float | str | None = None,
        contact_cost: float = 0.0,
        timing: Timing = "continuous",
        period: Span = "1M",
        random_state: int = 0,
    ) -> None:
        super().__init__(
            models,
            pull=pull,
            spread=spread,
            panel_period=panel_period,
            max_customers=max_customers,
            horizon=horizon,
            annual_discount_rate=annual_discount_rate,
            margin=margin,
            contact_cost=contact_cost,
            timing=timing,
            period=period,
            random_state=random_state,
        )
        self.progress = progress

    def fit(self, X: TransactionLog, y: Any = None) -> BestValue:
        """Ask every candidate at earlier dates, choose, prove, and fit the choice on the whole log.

        Parameters
        ----------
        X : TransactionLog
        y : None
            Not used.

        Returns
        -------
        self : BestValue

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
        tell = Teller(self.progress, len(models) * (len(origin_days(log.span_days)) + 1))
        try:
            season = known_season(sample, days_only=True)
            origins, left_out = past_origins(models, sample, self.panel_period, season, tell)
            found = choose(origins, list(models), float(self.pull), float(self.spread))
            self._learn(log, sample, models, origins, left_out, season, tell, found.weights)
        finally:
            tell.close()
        self.forecast_ = replace(
            self.forecast_,
            kind=found.kind,
            proofs=found.proofs,
            deviances=found.deviances,
            scores=found.scores,
            groups=found.groups,
        )
        return self

    def verdict(self) -> Verdict:
        """Say what the forecast may be used for, by what earlier dates of its log said of it.

        Returns
        -------
        Verdict
            Print it for the words; ``words("zh")`` for Chinese.
        """
        check_is_fitted(self, "forecast_")
        known = self.forecast_
        parts = tuple((name, float(w)) for name, w in self.weights().items())
        return judged(
            tuple(Proof(*one) for one in known.proofs),
            known.kind,
            parts,
            float(np.exp(known.log_factor)),
            known.why_law_alone,
            known.season,
        )

    def candidates(self) -> dict[str, float]:
        """Mean Tweedie deviance of each candidate and of the blend over that of the same for all.

        Each is first brought to the total that came; the blend is weighed by the other dates.

        Returns
        -------
        dict of str to float
            Best first; empty where there was no earlier date.
        """
        check_is_fitted(self, "forecast_")
        found = {str(name): float(v) for name, v in self.forecast_.deviances}
        return dict(sorted(found.items(), key=lambda pair: pair[1]))

    def scores(self) -> pd.DataFrame:
        """How the forecast and each candidate did at each earlier date.

        Returns
        -------
        DataFrame
            One row a date and method, the chosen forecast (``"forecast"``, weighed by the other
            dates) first: ``days_back``, ``days`` (the horizon), ``method``, ``said`` and ``came``
            (totals, not discounted), ``gini``, ``mae``, ``top_share`` (what its best tenth brought,
            as a share of what the true best tenth did). Empty where there was no earlier date.
        """
        import pandas as pd

        check_is_fitted(self, "forecast_")
        return pd.DataFrame(list(self.forecast_.scores), columns=list(SCORES))

    def calibration(self) -> pd.DataFrame:
        """Forecast against outcome by tenths of customers, at the latest date of the full horizon.

        Returns
        -------
        DataFrame
            As :func:`custvalue.metrics.calibration_table`, of the chosen forecast.
        """
        import pandas as pd

        check_is_fitted(self, "forecast_")
        return pd.DataFrame(list(self.forecast_.groups), columns=list(GROUPS))

    def _facts(self) -> dict[str, Any]:
        verdict = self.verdict()
        return {
            **super()._facts(),
            "chosen": self.forecast_.kind,
            "deviance over the same for all": self.candidates(),
            "verdict": {"overall": verdict.overall, **verdict.uses},
        }

    def _settings(self) -> dict[str, Any]:
        return {k: v for k, v in super()._settings().items() if k != "progress"}


@dataclass(frozen=True)
class Choice:
    """What earlier origins chose: a kind, weights (None: as the stack learns them), figures."""

    kind: str
    weights: Floats | None
    proofs: tuple[Any, ...]
    deviances: tuple[Any, ...]
    scores: tuple[Any, ...] = ()
    groups: tuple[Any, ...] = ()


def choose(origins: list[Origin], names: list[str], pull: float, spread: float) -> Choice:
    """Compare a blend, each candidate and the same for all, each origin by the others' weights."""
    if not origins:
        return Choice("law", None, (), ())
    k = len(names)
    buyers = float(np.mean([(o.came > 0).sum() for o in origins]))
    strength = pull / np.sqrt(buyers)
    folds = [([p for p in origins if p is not o] if len(origins) > 1 else origins) for o in origins]
    blends = [stacking.convex_weights(fold, strength) for fold in folds]
    singles = [float(np.mean([_shape_miss(o, np.eye(k)[j]) for o in origins])) for j in range(k)]
    blend = float(np.mean([_shape_miss(o, w) for o, w in zip(origins, blends, strict=True)]))
    best = int(np.argmin(singles))
    kind, weights = "stack", None
    if singles[best] < blend - CLEARLY:
        kind, weights = "single", np.eye(k)[best]
    if min(blend, singles[best]) > 1.0 - WORTH:
        equal = [j for j in range(k) if _is_equal(origins, j)]
        if equal:
            kind, weights = "equal", np.eye(k)[equal[0]]
    proofs, scores = [], []
    groups: tuple[Any, ...] = ()
    for o, fold, w in zip(origins, folds, blends, strict=True):
        own = w if weights is None else weights
        level = stacking.level_of(fold, spread)
        said = o.said @ (own * stacking.scales_at(o, level))
        proofs.append(_proof(o, fold, own, level, said))
        each = [("forecast", said), *((name, o.said[:, j]) for j, name in enumerate(names))]
        scores += [_scores(o, name, by) for name, by in each]
        if o.days == max(p.days for p in origins):
            table = calibration_table(o.came, said)
            groups = tuple(table[list(GROUPS)].itertuples(index=False, name=None))
    told = [*zip(names, singles, strict=True), ("blend", blend)]
    return Choice(kind, weights, tuple(proofs), tuple(told), tuple(scores), groups)


def _scores(o: Origin, name: str, said: Floats) -> tuple[Any, ...]:
    """Row of :meth:`BestValue.scores`."""
    tells = bool(np.ptp(said) > 0.0)
    return (
        o.days_back,
        o.days,
        name,
        float(said.sum()),
        float(o.came.sum()),
        float(normalized_gini_score(o.came, said)) if tells else 0.0,
        float(np.abs(o.came - said).mean()),
        top_share_score(o.came, said, top=TAIL),
    )


def _is_equal(origins: list[Origin], j: int) -> bool:
    return all(np.ptp(o.said[:, j]) <= 1e-9 * o.said[:, j].mean() for o in origins)


def _shape_miss(o: Origin, w: Floats) -> float:
    """Deviance at an origin once every part has the total that came, over that of the mean."""
    said = o.said @ (w * np.exp(o.log_ratios))
    return stacking.tweedie(o.came, said) / _same_miss(o)


def _same_miss(o: Origin) -> float:
    return stacking.tweedie(o.came, np.full(len(o.came), o.came.mean()))


def _proof(
    o: Origin, fold: list[Origin], w: Floats, level: stacking.Level, said: Floats
) -> tuple[Any, ...]:
    """Figures at an origin of what the other origins would have said."""
    total = float(o.came.sum())
    ratio = total / float(said.sum())
    cover = float("nan")
    chance = blend_chances(o.chances, w)
    others = [blend_chances(p.chances, w) for p in fold]
    if chance is not None and all(c is not None for c in others):
        edges, sizes = stacking.relative_sizes(
            np.concatenate([p.came for p in fold]),
            np.concatenate([p.said @ (w * stacking.scales_at(p, level)) for p in fold]),
            np.concatenate([np.asarray(c) for c in others]),
        )
        ends = stacking.size_interval(said, np.maximum(chance, 1e-9), edges, sizes, TAIL)
        low, high = np.minimum(ends[:, 0], said), np.maximum(ends[:, 1], said)
        cover = interval_coverage(o.came, low, high)
    gini = normalized_gini_score(o.came, said) if np.ptp(said) > 0.0 else 0.0
    return (
        o.days_back,
        o.days,
        len(o.came),
        ratio,
        float(gini),
        1.0 - stacking.tweedie(o.came, said) / _same_miss(o),
        decile_calibration_error(o.came, said * ratio),
        cover,
    )
