"""Who answers a mailing, learned from past mailings: a calibrated chance, and money where known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, clone

from custvalue import _frames
from custvalue._kernels import share_ratio, wilson
from custvalue._sklearn import DocLink, check_is_fitted
from custvalue._typing import ByName, Floats
from custvalue._warn import warn_caller
from custvalue._words import CAMPAIGN, Language
from custvalue.campaign._columns import (
    Columns,
    read_to_learn,
    read_to_predict,
    takes_gaps,
)
from custvalue.campaign._learners import (
    ENOUGH,
    chance_of,
    folds_of,
    usual_classifier,
    usual_regressor,
)
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    NotSupportedError,
    SmallSampleWarning,
)
from custvalue.metrics import calibration_table
from custvalue.metrics._for_rooms import Estimate, normal_quantile

if TYPE_CHECKING:
    import pandas as pd

NOT_WON = (
    "Who answers is not who is won: some would have come anyway. What a mailing adds is "
    "learned from a random control group (UpliftModel)."
)
FEW = 50  # answers below which a warning is due
SHUFFLED = 2000  # customers of a fold on whom columns are shuffled


@dataclass(frozen=True, eq=False)
class LearnedResponse:
    """What a fitted ``ResponseModel`` knows; no customer's row is in it.

    Parameters
    ----------
    columns : Columns
        How a table becomes features.
    classifier, regressor : fitted estimators
        The regressor is None where amounts are the same for all, or not given.
    intercept, slope : float
        Chance = expit(intercept + slope logit(p)) of the classifier's p; fitted out of fold.
    mean_amount : float or None
        Of an answer; None where no amounts were given.
    level : float
        By which the regressor's amounts are multiplied, so that their out-of-fold total is right.
    n_customers, n_answers : int
    auc : Estimate
        Chance that an answer is ranked before none, out of fold.
    brier, brier_gain : float, Estimate
        Mean squared error of the chance out of fold, and how much less that is than that of the
        same chance for all.
    gains : DataFrame
        ``gains_table`` out of fold.
    importance : ndarray of shape (n_columns, 2)
        Mean fall of ``auc`` where a column is shuffled, and its standard deviation.
    """

    columns: Columns
    classifier: Any
    regressor: Any
    intercept: float
    slope: float
    mean_amount: float | None
    level: float
    n_customers: int
    n_answers: int
    auc: Estimate
    brier: float
    brier_gain: Estimate
    gains: Any
    importance: Any


class ResponseModel(DocLink, BaseEstimator):
    """Learn from past mailings who answers, and what an answer brings.

    A classifier learns the chance of an answer from any columns that are known of a customer before
    the mailing: RFM scores, silence, value, the columns of the shop, words among them. Its chances
    are calibrated on customers it did not learn from, and everything it says of itself (the lift of
    the best tenth, the error, what it rests on) is from such customers too.

    It ranks who *answers*, not who is *won*: a customer who would have come anyway answers best of
    all. What a mailing adds needs a random control group and :class:`UpliftModel`.

    Parameters
    ----------
    classifier : classifier or None, default=None
        Any of scikit-learn's with ``predict_proba``. None: small gradient-boosted trees where at
        least 200 answered and 200 did not, else a logistic regression.
    regressor : regressor or None, default=None
        Of the amount of an answer, where ``fit`` is given amounts. None: gradient-boosted trees of
        Poisson deviance from 200 answers on, else the mean amount for all. Amounts that are not
        shown to differ between customers, out of fold, are the same for all.
    columns : sequence of str or None, default=None
        Columns to read. None: all but the table's own customer column and dates.
    n_folds : int, default=5
    n_repeats : int, default=3
        Shuffles of each column behind :meth:`feature_importance`; 0 saves their time.
    random_state : int, default=0

    Attributes
    ----------
    learned_ : LearnedResponse
        All that was learned: frozen, and without a customer.
    n_features_in_ : int
    feature_names_in_ : ndarray of str

    See Also
    --------
    UpliftModel : what a mailing adds.
    custvalue.silence.activation_plan : reads a fitted ``ResponseModel``.

    Notes
    -----
    Words that fewer than 1 % of the customers share, and all beyond the 20 most frequent of a
    column, are one group; a missing word is a word. A missing number is left to a classifier that
    reads it, else it is the median with a column of its own.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from custvalue.campaign import ResponseModel
    >>> rng = np.random.default_rng(1)
    >>> n = 4000
    >>> customers = pd.DataFrame({"orders": rng.poisson(3, n), "city": rng.choice(["a", "b"], n)})
    >>> answered = rng.random(n) < 0.02 + 0.03 * customers["orders"]
    >>> model = ResponseModel().fit(customers, answered)
    >>> model.predict_chance(customers.head(3)).shape
    (3,)
    >>> print(model.verdict())  # doctest: +ELLIPSIS
    It ranks who answers: ...
    >>> model.feature_importance()["column"].tolist()
    ['orders', 'city']
    """

    def __init__(
        self,
        classifier: Any = None,
        *,
        regressor: Any = None,
        columns: Sequence[str] | None = None,
        n_folds: int = 5,
        n_repeats: int = 3,
        random_state: int = 0,
    ) -> None:
        self.classifier = classifier
        self.regressor = regressor
        self.columns = columns
        self.n_folds = n_folds
        self.n_repeats = n_repeats
        self.random_state = random_state

    # ---- learning -------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, *, amount: Any = None) -> ResponseModel:
        """Learn from customers who were mailed.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
            What was known of each customer before the mailing; everybody who got it.
        y : array-like of shape (n_customers,)
            1 or True for an answer, 0 or False for none.
        amount : array-like of shape (n_customers,), optional
            Money that an answer brought; 0 or missing where there was none.

        Returns
        -------
        self : ResponseModel

        Raises
        ------
        DataContractError
            If answers are missing or no 0 and 1, if there are fewer answers (or customers without)
            than folds, if amounts are missing, negative, or of customers who did not answer.
        ValueError
            If a parameter is out of range.

        Warns
        -----
        SmallSampleWarning
            If fewer than 50 answered, or did not.
        """
        self._check_options()
        values, left_out, unit = read_to_learn(self, X, self.columns)
        answered = self._answers(X, y, values)
        money = None if amount is None else self._amounts(X, amount, answered)
        columns = self._learned_columns(values, left_out, unit)
        proof = self._out_of_fold(columns, values, answered)
        fewest = min(int(answered.sum()), int((~answered).sum()))
        if fewest < FEW:
            warn_caller(
                f"of {len(answered):,} customers {int(answered.sum()):,} answered: with fewer than "
                f"{FEW} on a side a ranking is hardly to be learned; verdict() says how it did.",
                SmallSampleWarning,
            )
        intercept, slope = _calibration(proof.raw, answered)
        classifier = self._classifier_for(answered)
        classifier.fit(columns.matrix(values, not takes_gaps(classifier)), answered.astype(int))
        regressor, mean, level = None, None, 1.0
        if money is not None:
            regressor, mean, level = self._learn_amounts(columns, values, answered, money)
        base = answered.mean()
        square = (answered - proof.chance) ** 2
        self.learned_ = LearnedResponse(
            columns,
            classifier,
            regressor,
            intercept,
            slope,
            mean,
            level,
            len(answered),
            int(answered.sum()),
            ranking_chance(answered, proof.chance),
            float(square.mean()),
            _mean_estimate((answered - base) ** 2 - square),
            gains_table(answered, proof.chance, amount=money),
            proof.importance,
        )
        return self

    def _check_options(self) -> None:
        for name, least in (("n_folds", 2), ("n_repeats", 0)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or value < least:
                raise ValueError(f"{name}={value!r} must be a whole number from {least} on.")
        if self.classifier is not None and not hasattr(self.classifier, "predict_proba"):
            raise ValueError(
                f"classifier={type(self.classifier).__name__} must have predict_proba: a chance is "
                "needed, not a class."
            )

    def _learned_columns(self, values: ByName, left_out: Any, unit: str | None) -> Columns:
        columns = Columns.of(values, left_out, unit)
        if not columns.columns:
            raise DataContractError(
                ContractProblem(
                    "no-columns",
                    f"X has no column to learn from; left out: {dict(columns.left_out)}",
                    "Add what is known of each customer, such as RFM scores.",
                )
            )
        return columns

    def _answers(self, X: Any, y: Any, values: ByName) -> npt.NDArray[np.bool_]:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: 1 for "
                "an answer, 0 for none."
            )
        answers = zero_or_one(
            _frames.same_rows(X, y, "y"), len(next(iter(values.values()))), "y", "answers"
        )
        few = min(int(answers.sum()), int((~answers).sum()))
        if few < self.n_folds:
            side = "answered" if answers.sum() == few else "did not answer"
            raise DataContractError(
                ContractProblem(
                    "too-few-answers",
                    f"{few:,} of {len(answers):,} customers {side}, fewer than n_folds="
                    f"{self.n_folds} (n_samples={len(answers)})",
                    "Put several mailings together, or wait for more answers.",
                )
            )
        return answers

    def _amounts(self, X: Any, amount: Any, answered: npt.NDArray[np.bool_]) -> Floats:
        money = np.asarray(_frames.same_rows(X, amount, "amount"), dtype=np.float64)
        if money.shape != answered.shape:
            raise ValueError(f"amount has shape {money.shape}; X has {len(answered):,} rows.")
        problems = []
        for code, text, cure, bad in (
            (
                "missing-amount",
                "answers have no amount",
                "Give what each answer brought, or leave amount= out.",
                answered & ~np.isfinite(money),
            ),
            (
                "negative-amount",
                "amounts are negative",
                "Net refunds with the order that they belong to.",
                money < 0,
            ),
            (
                "amount-without-answer",
                "customers who did not answer have an amount",
                "Give what the answer to this mailing brought, not all spend since.",
                ~answered & np.isfinite(money) & (money > 0),
            ),
        ):
            if len(rows := np.flatnonzero(bad)):
                problems.append(ContractProblem.at(code, text, cure, rows))
        if problems:
            raise DataContractError(problems)
        return np.where(answered, money, 0.0)

    def _classifier_for(self, answered: npt.NDArray[np.bool_]) -> Any:
        if self.classifier is not None:
            return clone(self.classifier)
        fewest = min(int(answered.sum()), int((~answered).sum()))
        return usual_classifier(len(answered), fewest, self.random_state)

    def _out_of_fold(
        self, columns: Columns, values: ByName, answered: npt.NDArray[np.bool_]
    ) -> _OutOfFold:
        rng = np.random.default_rng(self.random_state)
        fold = folds_of(answered.astype(np.intp), self.n_folds, rng)
        fill = not takes_gaps(self._classifier_for(answered))
        X = columns.matrix(values, fill)
        raw = np.empty(len(answered))
        falls: list[list[float]] = [[] for _ in columns.columns]
        for k in range(self.n_folds):
            here = fold == k
            learned = self._classifier_for(answered).fit(X[~here], answered[~here].astype(int))
            raw[here] = chance_of(learned, X[here])
            if not self.n_repeats:
                continue
            some = rng.permutation(np.flatnonzero(here))[:SHUFFLED]
            truth = answered[some]
            if truth.all() or not truth.any():
                continue
            whole = ranking_chance(truth, raw[some]).value
            for own, places in zip(falls, columns.places(fill), strict=True):
                # all shuffles of a column in one call: calls cost more than rows
                moved = np.tile(X[some], (self.n_repeats, 1, 1))
                for one in moved:
                    one[:, places] = X[rng.permutation(some)][:, places]
                chances = chance_of(learned, moved.reshape(-1, X.shape[1]))
                for one in chances.reshape(self.n_repeats, -1):
                    own.append(whole - ranking_chance(truth, one).value)
        chance = np.empty(len(raw))
        for k in range(self.n_folds):
            here = fold == k
            intercept, slope = _calibration(raw[~here], answered[~here])
            chance[here] = expit(intercept + slope * logit(raw[here]))
        worth = np.array([[np.mean(own), np.std(own)] for own in falls]) if any(falls) else None
        return _OutOfFold(raw, chance, worth)

    def _learn_amounts(
        self, columns: Columns, values: ByName, answered: npt.NDArray[np.bool_], money: Floats
    ) -> tuple[Any, float, float]:
        """Regressor (None where it is not shown to tell amounts apart), mean, level."""
        paid = money[answered]
        mean, n = float(paid.mean()), len(paid)
        if (self.regressor is None and n < ENOUGH) or not paid.any():
            return None, mean, 1.0
        if self.regressor is None:
            plain = usual_regressor(n, n, self.random_state, "poisson")
        else:
            plain = self.regressor
        X = columns.matrix(values, not takes_gaps(plain))[answered]
        rng = np.random.default_rng(self.random_state)
        fold = folds_of(np.zeros(n, dtype=np.intp), self.n_folds, rng)
        size = np.empty(n)
        for k in range(self.n_folds):
            size[fold == k] = clone(plain).fit(X[fold != k], paid[fold != k]).predict(X[fold == k])
        level = mean / float(size.mean()) if size.mean() > 0 else 0.0
        gain = _mean_estimate((paid - mean) ** 2 - (paid - level * size) ** 2)
        if level == 0.0 or gain.lower <= 0:
            return None, mean, 1.0
        return clone(plain).fit(X, paid), mean, level

    # ---- what is expected -----------------------------------------------------------------------

    def predict_chance(self, X: Any) -> Floats:
        """Chance that a customer answers such a mailing.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)
            Columns are found by name; more of them, and their order, do not matter.

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        check_is_fitted(self, "learned_")
        known = self.learned_
        values = read_to_predict(self, X, known.columns)
        raw = chance_of(
            known.classifier, known.columns.matrix(values, not takes_gaps(known.classifier))
        )
        return np.asarray(expit(known.intercept + known.slope * logit(raw)))

    def predict_amount(self, X: Any) -> Floats:
        """Money that an answer of each customer brings, if it comes.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)

        Raises
        ------
        NotSupportedError
            If ``fit`` was given no amounts.
        """
        check_is_fitted(self, "learned_")
        known = self.learned_
        if known.mean_amount is None:
            raise NotSupportedError(
                "this ResponseModel was fitted without amounts; pass amount= to fit."
            )
        values = read_to_predict(self, X, known.columns)
        n = len(next(iter(values.values())))
        if known.regressor is None:
            return np.full(n, known.mean_amount)
        matrix = known.columns.matrix(values, not takes_gaps(known.regressor))
        return np.maximum(known.level * np.asarray(known.regressor.predict(matrix)), 0.0)

    def predict(self, X: Any) -> Floats:
        """Outcome to expect of mailing each customer: money where amounts were given, else answers.

        Parameters
        ----------
        X : frame or array-like, shape (n_customers, n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)
            Chance x amount, before margin and cost; without amounts the chance.
        """
        chance = self.predict_chance(X)
        return chance if self.learned_.mean_amount is None else chance * self.predict_amount(X)

    def out_of_fold_chance(self, X: Any, y: Any) -> Floats:
        """Chance of each customer by models that did not learn from them; this one stays as it is.

        Parameters
        ----------
        X, y
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_customers,)
            Of the rows of ``fit`` these are the chances that every figure of the model is made of.
        """
        self._check_options()
        other = clone(self).set_params(n_repeats=0)
        values, left_out, unit = read_to_learn(other, X, self.columns)
        answered = self._answers(X, y, values)
        columns = self._learned_columns(values, left_out, unit)
        return other._out_of_fold(columns, values, answered).chance

    def score(self, X: Any, y: Any) -> float:
        """Chance that a customer who answered is ranked before one who did not (area under ROC).

        Parameters
        ----------
        X, y
            As in :meth:`fit`, of other customers.

        Returns
        -------
        float
        """
        chance = self.predict_chance(X)
        answered = zero_or_one(_frames.same_rows(X, y, "y"), len(chance), "y", "answers")
        return ranking_chance(answered, chance).value

    # ---- what it says of itself -----------------------------------------------------------------

    def gains_table(self) -> pd.DataFrame:
        """Tenths of customers by chance, out of fold: answers, lift and shares with intervals.

        Returns
        -------
        DataFrame
            As :func:`gains_table`.
        """
        check_is_fitted(self, "learned_")
        return self.learned_.gains.copy()

    def feature_importance(self) -> pd.DataFrame:
        """Say what the ranking rests on.

        Returns
        -------
        DataFrame
            One row a column, most important first: ``column``, ``importance`` (mean fall of the
            area under ROC, out of fold, where the column is shuffled), ``sd`` (over folds and
            shuffles).

        Raises
        ------
        NotSupportedError
            If ``n_repeats`` is 0.
        """
        import pandas as pd

        check_is_fitted(self, "learned_")
        known = self.learned_
        if known.importance is None:
            raise NotSupportedError(
                "this ResponseModel shuffled no column; set n_repeats above 0 and fit again."
            )
        table = pd.DataFrame(
            {
                "column": list(known.columns.names),
                "importance": known.importance[:, 0],
                "sd": known.importance[:, 1],
            }
        ).sort_values("importance", ascending=False, kind="stable")
        return table.reset_index(drop=True)

    def verdict(self, *, language: Language = "en") -> str:
        """Whether it ranks better than the same chance for all, and what it does not say.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str
        """
        check_is_fitted(self, "learned_")
        known = self.learned_
        auc, gain = known.auc, known.brier_gain
        rate = known.n_answers / known.n_customers
        base = rate * (1.0 - rate)
        ranking = (
            "It ranks who answers: a customer who answered stands before one who did not with a "
            "chance of {auc:.3f} ({low:.3f} to {high:.3f}; 0.5 is chance), out of fold."
            if self.fit_report()["verdict"] == "ranks"
            else "It is not shown to rank who answers (chance {auc:.3f}, {low:.3f} to {high:.3f}; "
            "0.5 is chance): say the same for all until more have answered."
        )
        lines = [
            CAMPAIGN(ranking, language, auc=auc.value, low=auc.lower, high=auc.upper),
            CAMPAIGN(
                "Its squared error is {gain:.1f} % below saying {rate:.2f} % of everybody "
                "({low:.1f} % to {high:.1f} %).",
                language,
                rate=100 * rate,
                gain=100 * gain.value / base,
                low=100 * gain.lower / base,
                high=100 * gain.upper / base,
            ),
            CAMPAIGN(
                "Learned by {learner} from {n:,} customers, {answers:,} of whom answered.",
                language,
                learner=_learner_name(known.classifier),
                n=known.n_customers,
                answers=known.n_answers,
            ),
            CAMPAIGN(NOT_WON, language),
        ]
        return "\n".join(lines)

    def fit_report(self) -> dict[str, Any]:
        """Say in plain values what was fitted on what, and how it did out of fold.

        Returns
        -------
        dict
            ``verdict`` is ``"ranks"`` where the 95 % intervals of both the area under ROC and the
            gain in squared error are above what the same chance for all has, else ``"unproven"``.
        """
        check_is_fitted(self, "learned_")
        known = self.learned_
        better = known.auc.lower > 0.5 and known.brier_gain.lower > 0
        return {
            "model": type(self).__name__,
            "classifier": _learner_name(known.classifier),
            "customers": known.n_customers,
            "answers": known.n_answers,
            "columns": known.columns.names,
            "left out": dict(known.columns.left_out),
            "verdict": "ranks" if better else "unproven",
            "auc": tuple(known.auc),
            "brier": known.brier,
            "brier gain over the same for all": tuple(known.brier_gain),
            "calibration": (known.intercept, known.slope),
            "amount": "not given"
            if known.mean_amount is None
            else f"the same for all: {known.mean_amount:.6g}"
            if known.regressor is None
            else _learner_name(known.regressor),
        }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags


class _OutOfFold(NamedTuple):
    """Chance as learned and as calibrated, of customers not learned from; worth of columns."""

    raw: Floats
    chance: Floats
    importance: Floats | None


def gains_table(
    answered: Any, chance: Any, *, amount: Any = None, n_groups: int = 10, level: float = 0.95
) -> pd.DataFrame:
    """Group customers by falling chance: how many answered, against the chance and against all.

    Parameters
    ----------
    answered : array-like of shape (n_customers,)
        1 or True for an answer.
    chance : array-like of shape (n_customers,)
        As predicted without these customers; only its order makes the groups.
    amount : array-like of shape (n_customers,), optional
        Money of each answer, 0 for none.
    n_groups : int, default=10
        Of near-equal size. Customers of equal chance stay together: fewer groups may remain.
    level : float, default=0.95

    Returns
    -------
    DataFrame
        One row a group, best first: ``group``, ``customers``, ``expected`` (mean chance),
        ``answers``, ``rate`` with ``rate_lower`` and ``rate_upper`` (Wilson), ``lift`` (rate over
        that of all) with ``lift_lower`` and ``lift_upper`` (from the ratio to all others' rate),
        ``customer_share`` and ``answer_share`` (of this group and all before it), and with amounts
        ``amount`` (total) and ``amount_share``.

    Raises
    ------
    DataContractError
        If answers are missing or no 0 and 1, or nobody answered.

    Examples
    --------
    >>> table = gains_table([1, 1, 0, 1, 0, 0, 0, 0], [.9, .8, .7, .6, .4, .3, .2, .1], n_groups=2)
    >>> table[["customers", "answers", "lift", "answer_share"]].to_numpy().tolist()
    [[4.0, 3.0, 2.0, 1.0], [4.0, 0.0, 0.0, 1.0]]
    """
    import pandas as pd

    order = np.asarray(chance, dtype=np.float64)
    hits = zero_or_one(answered, len(order), "answered", "answers").astype(np.float64)
    if not hits.any():
        raise DataContractError(
            ContractProblem("no-answers", "nobody answered", "There is nothing to gain yet.")
        )
    found = calibration_table(hits, order, n_groups=n_groups).iloc[::-1]
    n, k = found["n_customers"].to_numpy(), found["actual_total"].to_numpy()
    others, total = len(hits) - n, hits.sum()
    rate = k / n
    low, high = wilson(rate, n, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(others > 0, (total - k) / np.maximum(others, 1), rate)
        ends = share_ratio(rate, n, rest, np.maximum(others, 1), level)[1:]
        # over all, of whom the group is a part: N r / (n r + others), which rises with r
        lift_low, lift_high = (
            np.where(np.isinf(r), len(hits) / n, len(hits) * r / (n * r + others)) for r in ends
        )
    table = {
        "group": np.arange(1, len(n) + 1),
        "customers": n,
        "expected": found["predicted_mean"].to_numpy(),
        "answers": k.astype(np.int64),
        "rate": rate,
        "rate_lower": low,
        "rate_upper": high,
        "lift": rate * len(hits) / total,
        "lift_lower": np.where(others > 0, lift_low, 1.0),
        "lift_upper": np.where(others > 0, lift_high, 1.0),
        "customer_share": np.cumsum(n) / len(hits),
        "answer_share": np.cumsum(k) / total,
    }
    if amount is not None:
        money = np.asarray(amount, dtype=np.float64)
        paid = calibration_table(money, order, n_groups=n_groups)["actual_total"].to_numpy()[::-1]
        table["amount"] = paid
        table["amount_share"] = np.cumsum(paid) / paid.sum() if paid.sum() > 0 else np.nan * paid
    return pd.DataFrame(table)


def zero_or_one(values: Any, n: int, name: str, what: str) -> npt.NDArray[np.bool_]:
    """Read a column of 0 and 1 (or truth values), or refuse it with the first that are neither."""
    given = np.asarray(values)
    if given.shape != (n,):
        raise ValueError(f"{name} has shape {given.shape}; expected ({n},), one value a customer.")
    if given.dtype.kind == "O":
        import pandas as pd

        given = np.asarray(pd.to_numeric(pd.Series(given), errors="coerce"), dtype=np.float64)
    if given.dtype.kind not in "biuf":
        raise DataContractError(
            ContractProblem("not-0-or-1", f"{name} holds no numbers", f"Code {what} as 1 and 0.")
        )
    bad = ~((given == 0) | (given == 1))
    if bad.any():
        gone = np.flatnonzero(bad & np.isnan(given.astype(np.float64)))
        problems = []
        if len(gone):
            problems.append(
                ContractProblem.at(
                    "missing-outcome",
                    f"{name} has missing {what}",
                    "Who did not answer has 0; leave out who was never asked.",
                    gone,
                )
            )
        if len(gone) < bad.sum():
            strange = np.flatnonzero(bad & ~np.isnan(given.astype(np.float64)))
            problems.append(
                ContractProblem.at(
                    "not-0-or-1",
                    f"{name} has values such as {given[strange[0]]!s}",
                    f"Code {what} as 1 and 0; money goes to amount=.",
                    strange,
                )
            )
        raise DataContractError(problems)
    return given.astype(bool)


def ranking_chance(answered: npt.NDArray[np.bool_], score: Floats) -> Estimate:
    """Chance that an answer has the higher score (ties half), with DeLong's standard error.

    DeLong, E. R., DeLong, D. M. & Clarke-Pearson, D. L. (1988), Biometrics 44: the variance of each
    customer's placement among those of the other kind.
    """
    from scipy.stats import rankdata

    m, n = int(answered.sum()), int((~answered).sum())
    if not (m and n):
        raise DataContractError(
            ContractProblem(
                "one-kind", "all answered, or nobody", "A ranking is judged on customers of both."
            )
        )
    ranks = rankdata(score)
    above = (ranks[answered] - rankdata(score[answered])) / n
    below = 1.0 - (ranks[~answered] - rankdata(score[~answered])) / m
    value = float(above.mean())
    variance = sum(v.var(ddof=1) / len(v) for v in (above, below) if len(v) > 1)
    error = float(np.sqrt(variance))
    half = normal_quantile(0.95) * error
    return Estimate(value, error, max(value - half, 0.0), min(value + half, 1.0))


def _mean_estimate(values: Floats) -> Estimate:
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("inf")
    mean, half = float(values.mean()), normal_quantile(0.95) * error
    return Estimate(mean, error, mean - half, mean + half)


def _calibration(raw: Floats, answered: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Intercept and slope on the log odds (Platt 1999); slope 0 where the order is of no use."""
    from sklearn.linear_model import LogisticRegression

    rate = float(np.clip(answered.mean(), 1e-6, 1.0 - 1e-6))
    x = logit(raw)[:, None]
    if answered.all() or not answered.any() or np.ptp(x) == 0:
        return float(logit(rate)), 0.0
    fitted = LogisticRegression(C=1e6, max_iter=1000).fit(x, answered)
    slope = float(fitted.coef_[0, 0])
    return (float(fitted.intercept_[0]), slope) if slope > 0 else (float(logit(rate)), 0.0)


def _learner_name(learner: Any) -> str:
    steps = getattr(learner, "steps", None)
    return type(steps[-1][1] if steps else learner).__name__
