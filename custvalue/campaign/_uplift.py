"""What a campaign adds for whom, learned from a random experiment."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from sklearn.base import BaseEstimator, clone

from custvalue import _frames
from custvalue._sklearn import DocLink, check_is_fitted
from custvalue._typing import ByName, Floats, Places
from custvalue._warn import warn_caller
from custvalue._words import CAMPAIGN, Language
from custvalue.campaign._arms import Experiment, propensity_of, read_experiment
from custvalue.campaign._columns import (
    Columns,
    read_to_learn,
    read_to_predict,
    takes_gaps,
)
from custvalue.campaign._foreign import effect_of, fit_foreign, foreign_kind
from custvalue.campaign._learners import (
    folds_of,
    mean_of,
    usual_classifier,
    usual_regressor,
)
from custvalue.exceptions import ContractProblem, DataContractError, SmallSampleWarning
from custvalue.metrics._for_rooms import Estimate, gains_of, normal_quantile, qini_of

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["doubly_robust", "two_model", "as_given"]
FEW = 20  # outcomes that are not zero, in an arm
LEAST = 0.1  # of an arm's share: below it, hardly anybody like this customer was in the arm
TWICE = np.sqrt(2.0)
SHARES = np.linspace(0.0, 1.0, 101)


class OutOfFold(NamedTuple):
    """What was predicted of customers by models that did not learn from them.

    Attributes
    ----------
    uplift : ndarray of shape (n_customers,), or (n_customers, n_arms) where there are several
    expected : ndarray of shape (n_customers, n_arms + 1)
        Outcome in the control group and under each arm.
    propensity : ndarray of shape (n_customers, n_arms + 1)

    Examples
    --------
    >>> OutOfFold._fields
    ('uplift', 'expected', 'propensity')
    """

    uplift: Floats
    expected: Floats
    propensity: Floats


@dataclass(frozen=True, eq=False)
class LearnedUplift:
    """What a fitted ``UpliftModel`` knows; no customer's row is in it.

    Parameters
    ----------
    columns : Columns
        How a table becomes features.
    arms : tuple
        Codes, the control group first.
    sizes : tuple of int
    means : tuple of float
        Mean outcome of each arm, as observed.
    shares_of_outcome : bool
        Whether every outcome was 0 or 1.
    effects : tuple of Estimate
        Mean effect of each arm but the first.
    models : tuple of fitted learners
        Of the effect of each arm but the first; for ``two_model`` those of ``outcomes`` are read.
    outcomes : tuple of fitted learners
        Of the outcome under each arm; empty where nothing is read of customers.
    centre, slope : ndarray of shape (n_arms - 1,)
        Prediction = effect + slope (what the learner says - centre).
    qini : tuple of Estimate
        Out of fold.
    gains : tuple of (ndarray, ndarray)
        Gain and its error at each percent of customers, out of fold.
    method : str
    fill : bool
        Whether missing numbers are filled before a learner reads them.
    """

    columns: Columns
    arms: tuple[Hashable, ...]
    sizes: tuple[int, ...]
    means: tuple[float, ...]
    shares_of_outcome: bool
    effects: tuple[Estimate, ...]
    models: tuple[Any, ...]
    outcomes: tuple[Any, ...]
    centre: Floats
    slope: Floats
    qini: tuple[Estimate, ...]
    gains: tuple[tuple[Floats, Floats], ...]
    method: str
    fill: bool


class UpliftModel(DocLink, BaseEstimator):
    """Learn from a random experiment what a campaign adds, and for whom most.

    Every figure is a mean of doubly robust scores: the mean effect, the gain of treating the first
    tenth by predicted effect, the value of a plan. Learners only narrow them; where a learner is of
    no use the figures stay right. Predictions are as wide as they were out of fold: the spread
    of predicted effects is multiplied by the slope of the scores on it, less what chance explains
    of it, so that a learner that only saw noise predicts the mean effect for everybody.

    Parameters
    ----------
    learner : regressor, classifier or None, default=None
        Any of scikit-learn's for the outcome (a classifier where outcomes are 0 and 1), or, with
        ``method="as_given"``, an estimator of effects of econml or causalml. None: small
        gradient-boosted trees where at least 200 customers of each arm brought anything, else a
        ridge regression.
    method : {"doubly_robust", "two_model", "as_given"}, default="doubly_robust"
        ``"doubly_robust"``: a learner of the scores (Kennedy 2023). ``"two_model"``: the difference
        of the outcomes learned in each arm. ``"as_given"``: ``learner`` learns effects itself;
        reading, folds, intervals and figures are this class's.
    effect_learner : regressor or None, default=None
        Of the scores, for ``"doubly_robust"``. None: a clone of ``learner`` if it is a regressor,
        else as the default of ``learner``.
    control : hashable, default=0
        Code of the arm that was left alone.
    propensity : None, "learned" or mapping of arm to float, default=None
        Chance of each arm. None: its share of the customers, right where everybody had the same
        chance. ``"learned"``: learned from the columns, out of fold, where chance depended on them
        (an experiment within strata, or no experiment at all: then effects are right only if the
        columns tell all that chance and outcome have in common). Chances that differ between
        customers and are known go to ``fit``.
    columns : sequence of str or None, default=None
        Columns to read. None: all but the table's own customer column and dates. ``[]``: none;
        effects are then plain differences of means, the same for all.
    n_folds : int, default=3
    random_state : int, default=0

    Attributes
    ----------
    learned_ : LearnedUplift
        All that was learned: frozen, and without a customer.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    See Also
    --------
    custvalue.campaign.campaign_effect : one effect, with an interval for small groups and long
        tails.
    policy_value : the value of a plan.

    References
    ----------
    Kennedy, E. H. (2023), Towards optimal doubly robust estimation of heterogeneous causal effects,
    Electronic Journal of Statistics 17. Chernozhukov, V. et al. (2018), Double/debiased machine
    learning, Econometrics Journal 21; and (2025), Generic machine learning inference on
    heterogeneous treatment effects, Econometrica 93 (the slope).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custvalue.campaign import UpliftModel
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"recency": rng.uniform(0, 1, 4000)})
    >>> mailed = rng.integers(0, 2, 4000)
    >>> spent = rng.exponential(4, 4000) + 5 * mailed * (X["recency"] > 0.5)
    >>> model = UpliftModel().fit(X, spent, treatment=mailed)
    >>> model.effect().round(1)[["arm", "treated", "controls", "effect"]]
       arm  treated  controls  effect
    0    1     2052      1948     2.5
    >>> model.predict(pd.DataFrame({"recency": [0.2, 0.8]})).round(0)
    array([1., 5.])
    """

    def __init__(
        self,
        learner: Any = None,
        *,
        method: Method = "doubly_robust",
        effect_learner: Any = None,
        control: Hashable = 0,
        propensity: Any = None,
        columns: Sequence[str] | None = None,
        n_folds: int = 3,
        random_state: int = 0,
    ) -> None:
        self.learner = learner
        self.method = method
        self.effect_learner = effect_learner
        self.control = control
        self.propensity = propensity
        self.columns = columns
        self.n_folds = n_folds
        self.random_state = random_state

    # ---- learning -------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, *, treatment: Any, propensity: Any = None) -> UpliftModel:
        """Learn from an experiment.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
            What was known of each customer before: of all arms, answered or not.
        y : array-like of shape (n_customers,)
            What each customer brought since, zeros included: money, or 0 and 1.
        treatment : array-like of shape (n_customers,)
            Code of each customer's arm.
        propensity : array-like of shape (n_customers,) or (n_customers, n_arms + 1), optional
            Known chances that differ between customers: of the only arm, or of the control group
            and each arm in sorted order.

        Returns
        -------
        self : UpliftModel

        Raises
        ------
        DataContractError
            If outcomes or treatments are missing, there is one arm or no control group, an arm has
            fewer customers than folds, a customer is in two arms, or chances are not strictly
            between 0 and 1; if learned chances leave customers of whom only one arm is seen.
        ValueError
            If a parameter is out of range.

        Warns
        -----
        SmallSampleWarning
            If fewer than 20 customers of an arm brought anything.
        """
        self._check_options()
        values, left_out, unit = read_to_learn(self, X, self.columns)
        n = len(next(iter(values.values())))
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: what "
                "each customer brought."
            )
        trial = read_experiment(X, y, treatment, self.control, fewest=max(2, int(self.n_folds)))
        if len(trial.y) != n:
            raise ValueError(f"y has {len(trial.y):,} outcomes, X {n:,} rows.")
        _refuse_two_arms(X, trial)
        columns = Columns.of(values, left_out, unit)
        plan = _Plan(self, trial)
        rng = np.random.default_rng(self.random_state)
        expected, chances, raw = plan.cross(columns, values, propensity, rng)
        scores = trial.scores(chances, expected)
        psi = scores[:, 1:] - scores[:, :1]
        effects = tuple(_mean_estimate(psi[:, a]) for a in range(psi.shape[1]))
        if columns.columns:
            X_own = columns.matrix(values, plan.fill)
            models, outcomes, own = plan.final(X_own, psi)
        else:
            models, outcomes, own = (), (), np.broadcast_to(0.0, psi.shape)
        few = [
            f"{arm!r} ({int(k):,})"
            for arm, k in zip(
                trial.arms, np.bincount(trial.arm[trial.y != 0], minlength=len(trial.arms)),
                strict=True,
            )
            if k < FEW
        ]  # fmt: skip
        if few:
            warn_caller(
                f"fewer than {FEW} customers brought anything in arm {', '.join(few)}: an effect "
                "for whom cannot be learned from them. campaign_effect has an interval for so few.",
                SmallSampleWarning,
            )
        self.learned_ = LearnedUplift(
            columns,
            trial.arms,
            tuple(int(k) for k in trial.size),
            tuple(float(m) for m in trial.means()),
            bool(np.isin(trial.y, (0.0, 1.0)).all()),
            effects,
            models,
            outcomes,
            own.mean(axis=0),
            np.array([_slope(psi[:, a], raw[:, a]) for a in range(psi.shape[1])]),
            tuple(_crossed_qini(psi[:, a], raw[:, a]) for a in range(psi.shape[1])),
            tuple(_crossed_gains(psi[:, a], raw[:, a]) for a in range(psi.shape[1])),
            str(self.method),
            plan.fill,
        )
        return self

    def _check_options(self) -> None:
        if self.method not in get_args(Method):
            raise ValueError(f"method={self.method!r} must be one of {list(get_args(Method))}.")
        if not isinstance(self.n_folds, (int, np.integer)) or self.n_folds < 2:
            raise ValueError(f"n_folds={self.n_folds!r} must be a whole number from 2 on.")
        kind = None if self.learner is None else foreign_kind(self.learner)
        if (kind is None) == (self.method == "as_given"):
            name = type(self.learner).__name__
            raise ValueError(
                f"learner={name} learns {'outcomes' if kind is None else 'effects itself'}; "
                + (
                    "method='as_given' is for estimators of effects of econml or causalml."
                    if kind is None
                    else "say method='as_given'."
                )
            )
        known = self.propensity is None or isinstance(self.propensity, Mapping)
        if not known and self.propensity != "learned":
            raise ValueError(
                f"propensity={self.propensity!r} must be None, 'learned' or the chance of each "
                "arm; chances of each customer go to fit."
            )

    def out_of_fold(self, X: Any, y: Any, *, treatment: Any, propensity: Any = None) -> OutOfFold:
        """Predict each customer by models that did not learn from them; this one stays as it is.

        Parameters
        ----------
        X, y, treatment, propensity
            As in :meth:`fit`.

        Returns
        -------
        OutOfFold
            Of the rows of ``fit``, what every figure of the model is made of. Effects of each fold
            have one mean. Its parts go to
            ``qini_table`` and ``policy_value`` as ``uplift``, ``expected`` and ``propensity``.
        """
        self._check_options()
        other = clone(self, safe=False)
        values, left_out, unit = read_to_learn(other, X, self.columns)
        trial = read_experiment(X, y, treatment, self.control, fewest=max(2, int(self.n_folds)))
        columns = Columns.of(values, left_out, unit)
        rng = np.random.default_rng(self.random_state)
        expected, chances, raw = _Plan(other, trial).cross(columns, values, propensity, rng)
        return OutOfFold(raw[:, 0] if raw.shape[1] == 1 else raw, expected, np.array(chances))

    # ---- what is expected -----------------------------------------------------------------------

    @property
    def arms(self) -> tuple[Hashable, ...]:
        """Codes of the arms beside the control group, in the order of the columns of `predict`."""
        check_is_fitted(self, "learned_")
        return self.learned_.arms[1:]

    def predict(self, X: Any) -> Floats:
        """Effect of treating each customer.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
            Columns are found by name; more of them, and their order, do not matter.

        Returns
        -------
        ndarray of shape (n_customers,), or (n_customers, n_arms) where there are several arms
            In the unit of ``y``. The mean over the customers of ``fit`` is :meth:`effect`.
        """
        check_is_fitted(self, "learned_")
        known = self.learned_
        values = read_to_predict(self, X, known.columns)
        n = len(next(iter(values.values())))
        mean = np.array([one.value for one in known.effects])
        found = np.broadcast_to(mean, (n, len(mean)))
        if known.columns.columns:
            raw = _raw(known, known.columns.matrix(values, known.fill))
            found = mean + known.slope * (raw - known.centre)
        return np.array(found[:, 0] if len(mean) == 1 else found)

    def predict_outcome(self, X: Any) -> Floats:
        """Outcome of each customer in the control group and under each arm.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers, n_arms + 1)
            For ``expected`` of ``policy_value`` on *other* customers than those of ``fit``.
        """
        check_is_fitted(self, "learned_")
        known = self.learned_
        values = read_to_predict(self, X, known.columns)
        n = len(next(iter(values.values())))
        if not known.outcomes:
            return np.tile(np.array(known.means), (n, 1))
        matrix = known.columns.matrix(values, known.fill)
        return np.column_stack([mean_of(one, matrix) for one in known.outcomes])

    # ---- what it says of itself -----------------------------------------------------------------

    def effect(self, *, level: float = 0.95) -> pd.DataFrame:
        """Mean effect of each arm over all customers of the experiment.

        Parameters
        ----------
        level : float, default=0.95

        Returns
        -------
        DataFrame
            One row an arm: ``arm``, ``treated``, ``controls``, ``mean_treated``, ``mean_control``
            (as observed), ``effect`` (doubly robust), ``error``, ``lower``, ``upper``.
        """
        import pandas as pd

        check_is_fitted(self, "learned_")
        known, z = self.learned_, normal_quantile(level)
        value, error = (np.array([e[k] for e in known.effects]) for k in (0, 1))
        return pd.DataFrame(
            {
                "arm": list(known.arms[1:]),
                "treated": known.sizes[1:],
                "controls": known.sizes[0],
                "mean_treated": known.means[1:],
                "mean_control": known.means[0],
                "effect": value,
                "error": error,
                "lower": value - z * error,
                "upper": value + z * error,
            }
        )

    def qini_table(self, arm: Hashable = None, *, level: float = 0.95) -> pd.DataFrame:
        """Gain of treating the customers of greatest predicted effect first, out of fold.

        Parameters
        ----------
        arm : hashable, optional
            Needed where there are several.
        level : float, default=0.95

        Returns
        -------
        DataFrame
            As `custvalue.metrics.qini_table`, a row each percent of customers. Errors are wider, as
            folds that learn from each other share their luck.
        """
        import pandas as pd

        a = self._arm(arm)
        gain, error = self.learned_.gains[a]
        half = normal_quantile(level) * error
        return pd.DataFrame(
            {
                "share": SHARES,
                "gain": gain,
                "error": error,
                "lower": gain - half,
                "upper": gain + half,
                "random": SHARES * self.learned_.effects[a].value,
            }
        )

    def qini_score(self, arm: Hashable = None, *, level: float = 0.95) -> Estimate:
        """Area between the curve of :meth:`qini_table` and its random line, out of fold.

        Parameters
        ----------
        arm : hashable, optional
            Needed where there are several.
        level : float, default=0.95

        Returns
        -------
        Estimate
            As `custvalue.metrics.qini_score`, its error times the root of 2: folds that learn from
            each other share their luck.
        """
        return _estimate(*self.learned_.qini[self._arm(arm)][:2], level)

    def uplift_at_k(self, k: float = 0.3, arm: Hashable = None, *, level: float = 0.95) -> Estimate:
        """Mean effect on the share ``k`` of customers of greatest predicted effect, out of fold.

        Parameters
        ----------
        k : float, default=0.3
            A whole percentage.
        arm : hashable, optional
            Needed where there are several.
        level : float, default=0.95

        Returns
        -------
        Estimate
        """
        at = round(100 * k)
        if not 1 <= at <= 100 or abs(100 * k - at) > 1e-9:
            raise ValueError(f"k={k!r} must be a whole percentage, 0.01 to 1.")
        gain, error = self.learned_.gains[self._arm(arm)]
        return _estimate(float(gain[at] / k), float(error[at] / k), level)

    def verdict(self, *, language: Language = "en") -> str:
        """Say what each arm added, and whether it is shown for whom it adds more.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str
        """
        check_is_fitted(self, "learned_")
        known, lines = self.learned_, []
        for a, arm in enumerate(known.arms[1:]):
            value, _, low, high = known.effects[a]
            lines.append(
                CAMPAIGN(
                    "{arm}: {value:.4g} a customer more than the control group ({low:.4g} to "
                    "{high:.4g}), {n:,} treated, {m:,} controls.",
                    language,
                    arm=arm,
                    value=value,
                    low=low,
                    high=high,
                    n=known.sizes[a + 1],
                    m=known.sizes[0],
                )
            )
            q = known.qini[a]
            order = (
                "{arm}: choosing by this order brings {gain:.4g} a customer more than choosing at "
                "random ({low:.4g} to {high:.4g}), on average over all shares, out of fold."
                if q.lower > 0
                else "{arm}: it is not shown that the effect differs between customers (order over "
                "chance {gain:.4g} a customer, {low:.4g} to {high:.4g}): treat all or none."
            )
            lines.append(
                CAMPAIGN(order, language, arm=arm, gain=q.value, low=q.lower, high=q.upper)
            )
        return "\n".join(lines)

    def fit_report(self) -> dict[str, Any]:
        """Say in plain values what was fitted on what, and how it did out of fold.

        Returns
        -------
        dict
            ``slope``: share of the learner's own spread that is predicted; ``verdict`` of an arm is
            ``"ranks"`` where the 95 % interval of its Qini score is above 0, else ``"unproven"``.
        """
        check_is_fitted(self, "learned_")
        known = self.learned_
        arms = known.arms[1:]
        return {
            "model": type(self).__name__,
            "method": known.method,
            "customers": dict(zip(known.arms, known.sizes, strict=True)),
            "columns": known.columns.names,
            "left out": dict(known.columns.left_out),
            "effect": {a: tuple(e) for a, e in zip(arms, known.effects, strict=True)},
            "qini": {a: tuple(q) for a, q in zip(arms, known.qini, strict=True)},
            "slope": {a: float(s) for a, s in zip(arms, known.slope, strict=True)},
            "verdict": {
                a: "ranks" if q.lower > 0 else "unproven"
                for a, q in zip(arms, known.qini, strict=True)
            },
        }

    def _arm(self, arm: Hashable) -> int:
        arms = self.arms
        if arm is None and len(arms) == 1:
            return 0
        if arm not in arms:
            raise ValueError(f"arm={arm!r} must be one of {list(arms)!r}.")
        return arms.index(arm)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags


class _Plan:
    """How one experiment is learned from: which learners, on which rows."""

    def __init__(self, model: UpliftModel, trial: Experiment) -> None:
        self.trial, self.method, self.n_folds = trial, model.method, int(model.n_folds)
        self.propensity, self.random_state = model.propensity, model.random_state
        brought = np.bincount(trial.arm[trial.y != 0], minlength=len(trial.arms))
        fewest = int(brought.min())
        usual = usual_regressor(len(trial.y), fewest, model.random_state, "squared_error")
        own = None if model.method == "as_given" else model.learner
        self.foreign = model.learner if model.method == "as_given" else None
        self.outcome = usual if own is None else own
        if hasattr(self.outcome, "predict_proba") and not np.isin(trial.y, (0.0, 1.0)).all():
            raise DataContractError(
                ContractProblem(
                    "not-0-or-1",
                    f"learner={type(self.outcome).__name__} is a classifier, and y has outcomes "
                    "other than 0 and 1",
                    "Use a regressor for money.",
                )
            )
        effect = model.effect_learner
        if effect is None:
            effect = usual if hasattr(self.outcome, "predict_proba") else self.outcome
        self.effect = effect
        learners = [self.outcome, *([self.effect] if self.method == "doubly_robust" else [])]
        self.fill = self.foreign is not None or not all(takes_gaps(one) for one in learners)

    def cross(
        self, columns: Columns, values: ByName, given: Any, rng: np.random.Generator
    ) -> tuple[Floats, Floats, Floats]:
        """Say outcomes, chances and effects of customers not learned from."""
        trial = self.trial
        n, A = len(trial.y), len(trial.arms)
        fold = folds_of(trial.arm, self.n_folds, rng)
        if not columns.columns:
            if isinstance(self.propensity, str) and given is None:
                raise ValueError("propensity='learned' needs columns to learn from.")
            chances = self._chances(None, given, fold)
            return np.tile(trial.means(), (n, 1)), chances, np.zeros((n, A - 1))
        X = columns.matrix(values, self.fill)
        chances = self._chances(X, given, fold)
        expected, raw = np.empty((n, A)), np.empty((n, A - 1))
        for k in range(self.n_folds):
            here = fold == k
            rows = np.flatnonzero(~here)
            if self.method == "doubly_robust":
                expected[here], effects = self._halves(X, rows, chances[rows], rng, X[here])
                raw[here] = np.column_stack([mean_of(one, X[here]) for one in effects])
                continue
            learned = self._outcomes(X, rows)
            expected[here] = np.column_stack([mean_of(one, X[here]) for one in learned])
            if self.foreign is None:
                raw[here] = expected[here, 1:] - expected[here, :1]
            else:
                raw[here] = self._by_foreign(self._foreign(X, rows), X[here])
        # a fold whose effects are above those of all others is predicted below them: its own mean
        # would rank whole folds the wrong way round
        size = np.bincount(fold)
        for a in range(A - 1):
            raw[:, a] += raw[:, a].mean() - (np.bincount(fold, raw[:, a]) / size)[fold]
        return expected, chances, raw

    def _halves(
        self, X: Floats, rows: Places, chances: Floats, rng: np.random.Generator, others: Floats
    ) -> tuple[Floats, tuple[Any, ...]]:
        """Learn effects from ``rows`` alone, and outcomes of ``others``.

        Scores of each half are made by outcomes learned from the other half. Customers kept out
        must stay unseen by the scores, too: else their luck is learned, and found again in them.
        """
        half = folds_of(self.trial.arm[rows], 2, rng)
        inner = np.empty((len(rows), len(self.trial.arms)))
        expected = np.zeros((len(others), len(self.trial.arms)))
        for j in range(2):
            inside = half == j
            models = self._outcomes(X, rows[~inside])
            inner[inside] = np.column_stack([mean_of(one, X[rows[inside]]) for one in models])
            expected += np.column_stack([mean_of(one, others) for one in models]) / 2.0
        part = Experiment(self.trial.y[rows], self.trial.arm[rows], self.trial.arms)
        scores = part.scores(chances, inner)
        return expected, self._effects(X[rows], scores[:, 1:] - scores[:, :1])

    def final(self, X: Floats, psi: Floats) -> tuple[tuple[Any, ...], tuple[Any, ...], Floats]:
        """Learners of effects and outcomes on all rows, and what the former say of these."""
        rows = np.arange(len(X))
        outcomes = self._outcomes(X, rows)
        if self.method == "two_model":
            found = np.column_stack([mean_of(one, X) for one in outcomes])
            return (), outcomes, found[:, 1:] - found[:, :1]
        if self.foreign is not None:
            foreign = self._foreign(X, rows)
            return foreign, outcomes, self._by_foreign(foreign, X)
        effects = self._effects(X, psi)
        return effects, outcomes, np.column_stack([mean_of(one, X) for one in effects])

    def _outcomes(self, X: Floats, rows: Places) -> tuple[Any, ...]:
        y, arm = self.trial.y, self.trial.arm
        binary = hasattr(self.outcome, "predict_proba")
        found = []
        for a in range(len(self.trial.arms)):
            mine = rows[arm[rows] == a]
            target = y[mine].astype(int) if binary else y[mine]
            found.append(clone(self.outcome).fit(X[mine], target))
        return tuple(found)

    def _effects(self, X: Floats, psi: Floats) -> tuple[Any, ...]:
        return tuple(clone(self.effect).fit(X, psi[:, a]) for a in range(psi.shape[1]))

    def _foreign(self, X: Floats, rows: Places) -> tuple[Any, ...]:
        y, arm = self.trial.y, self.trial.arm
        found = []
        for a in range(1, len(self.trial.arms)):
            mine = rows[(arm[rows] == 0) | (arm[rows] == a)]
            found.append(fit_foreign(self.foreign, X[mine], y[mine], arm[mine] == a))
        return tuple(found)

    @staticmethod
    def _by_foreign(learned: tuple[Any, ...], X: Floats) -> Floats:
        return np.column_stack([effect_of(one, X) for one in learned])

    def _chances(self, X: Floats | None, given: Any, fold: Places) -> Floats:
        trial = self.trial
        n = len(trial.y)
        if given is not None:
            return propensity_of(given, trial.arms, n)
        if not isinstance(self.propensity, str):
            return propensity_of(self.propensity, trial.arms, n, trial.shares)
        assert X is not None
        chances = np.empty((n, len(trial.arms)))
        for k in range(self.n_folds):
            here = fold == k
            plain = usual_classifier(n, int(trial.size.min()), self.random_state)
            chances[here] = plain.fit(X[~here], trial.arm[~here]).predict_proba(X[here])
        alone = np.flatnonzero((chances < LEAST * trial.shares).any(axis=1))
        if len(alone):
            raise DataContractError(
                ContractProblem.at(
                    "no-overlap",
                    "customers are hardly ever in one of the arms (less than a tenth as often as "
                    "all)",
                    "Nothing like them is seen under that arm: leave them out, or randomise.",
                    alone,
                )
            )
        return chances


def _raw(known: LearnedUplift, X: Floats) -> Floats:
    """Effects as the learners say them, shape (n, n_arms)."""
    if known.method == "two_model":
        found = np.column_stack([mean_of(one, X) for one in known.outcomes])
        return np.asarray(found[:, 1:] - found[:, :1])
    say = effect_of if known.method == "as_given" else mean_of
    return np.column_stack([say(one, X) for one in known.models])


# Where nobody is moved more than others, the luck of one fold that is found in another is found the
# other way round, too: what the folds say of an order is said twice, at twice the variance. Where
# effects differ much the interval is then too wide.


def _crossed_qini(psi: Floats, raw: Floats) -> Estimate:
    value, error = qini_of(psi, raw)
    return _estimate(value, TWICE * error)


def _crossed_gains(psi: Floats, raw: Floats) -> tuple[Floats, Floats]:
    gain, error = gains_of(psi, raw, SHARES)
    over_random = SHARES * (1.0 - SHARES) * psi.var() / len(psi) * (np.ptp(raw) > 0)
    return gain, np.sqrt(error**2 + (TWICE**2 - 1.0) * over_random)


def _slope(psi: Floats, raw: Floats) -> float:
    """Slope of the scores on predicted effects, less what chance explains of it; 0 to 1."""
    x = raw - raw.mean()
    total = float(x @ x)
    if total <= 1e-24 * max(float(raw @ raw), 1e-300):
        return 0.0
    slope = float(x @ psi) / total
    rest = psi - psi.mean() - slope * x
    variance = TWICE**2 * float((x * rest) @ (x * rest)) / total**2
    if slope <= 0 or variance >= slope**2:
        return 0.0
    return min(slope * (1.0 - variance / slope**2), 1.0)


def _mean_estimate(psi: Floats) -> Estimate:
    return _estimate(float(psi.mean()), float(psi.std(ddof=1) / np.sqrt(len(psi))))


def _estimate(value: float, error: float, level: float = 0.95) -> Estimate:
    half = normal_quantile(level) * error
    return Estimate(value, error, value - half, value + half)


def _refuse_two_arms(X: Any, trial: Experiment) -> None:
    """Refuse a customer who is in two arms, where the table tells who its rows are."""
    import pandas as pd

    told = _frames.customer_ids(X)
    if told is not None:
        name, ids = told
    elif isinstance(X, pd.DataFrame) and not isinstance(X.index, pd.RangeIndex):
        name, ids = "the index", X.index.to_numpy()
    else:
        return
    arms = pd.Series(trial.arm).groupby(pd.Series(ids, dtype=object).to_numpy()).nunique()
    twice = arms.index[arms > 1]
    if len(twice):
        rows = np.flatnonzero(pd.Series(ids, dtype=object).isin(list(twice)).to_numpy())
        raise DataContractError(
            ContractProblem(
                "customer-in-two-arms",
                f"{len(twice):,} customers ({name}) are in more than one arm, first: "
                f"{', '.join(map(str, twice[:5]))}",
                "Leave them out, or reset_index(drop=True) where the index names no customers.",
                len(rows),
                (),
                rows,
            )
        )
