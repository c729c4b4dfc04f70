"""What every model of spend answers, and how to add one.

A model is one file: a NamedTuple of positive parameters, the functions of a
:class:`~custvalue.spend.SpendLaw`, and an estimator that names them::

    class MySpend(SpendModel):
        law = SpendLaw(name="my spend", params=MyParams, dimensions={...}, log_likelihood=...,
                       expected_spend=..., quantile=..., capped_spend=..., simulate=...,
                       simulate_orders=...)

Fitting (scaled money, several starts, weights, boundaries, standard errors), forecasts, sampling,
scoring, bootstrap and persistence then work; ``custvalue.testing.check_spend_model(MySpend())``
says whether the functions fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from custvalue._fitted import check_level
from custvalue._histories import not_counts
from custvalue._open_table import open_table
from custvalue._portable import number
from custvalue._row_check import OnInvalid, flagged
from custvalue._row_scorer import RowScorer, refuse_nameless
from custvalue._sklearn import check_is_fitted, read_vectors, weights_of
from custvalue._typing import Floats
from custvalue._work import check_count
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    NotSupportedError,
    UndefinedMeanError,
)
from custvalue.likelihood import LawModel
from custvalue.likelihood._for_rooms import (
    ByGroup,
    RowsOfCustomers,
    Told,
    Unseen,
    learn_effects,
    own_parameters,
    read_groups,
)
from custvalue.spend._independence import Independence, independence, warn_of_totals
from custvalue.spend._law import BLOCK, SpendLaw, SpendRows, prepare

MOST = 2.0**31


class SpendModel(LawModel):
    """Base of every model of spend; see the module's docstring for how to add one.

    Parameters
    ----------
    statistic : {"mean", "median", "capped"}, default="mean"
        What ``predict`` returns of a customer's mean spend per order. Where spend is so
        heavy-tailed that the mean is infinite, ``"mean"`` raises `UndefinedMeanError`; ``"median"``
        and ``"capped"`` always exist.
    cap : float or None, default=None
        With ``statistic="capped"``: the largest mean spend that counts, in money.
    spend_columns : list of str or None, default=None
        Columns that tell of the customer (numbers, truth values, text) and move how much an order
        brings; the docs have a page on them.
    ridge : float, default=0.0
        Customers that the belief is worth that a standard deviation of a column does nothing.
    missing : {"raise", "encode"}, default="raise"
        What a missing value of a column does: refuse the table, or be a category of its own.

    Attributes
    ----------
    fitted_ : FittedLaw
        All that a fit leaves: parameters and report.
    params_ : NamedTuple

    Examples
    --------
    >>> from custvalue.spend import GammaGamma, OwnMean, SpendModel
    >>> issubclass(GammaGamma, SpendModel), issubclass(OwnMean, SpendModel)
    (True, True)
    """

    law: ClassVar[SpendLaw]
    columns = ("frequency", "monetary_value")

    def __init__(
        self,
        *,
        statistic: Literal["mean", "median", "capped"] = "mean",
        cap: float | None = None,
        spend_columns: Sequence[str] | None = None,
        ridge: float = 0.0,
        missing: Literal["raise", "encode"] = "raise",
    ) -> None:
        self.statistic = statistic
        self.cap = cap
        self.spend_columns = spend_columns
        self.ridge = ridge
        self.missing = missing

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: npt.ArrayLike | None = None,
        *,
        by: str | None = None,
        unseen: Unseen = "raise",
    ) -> Self:
        """Learn the parameters by maximum likelihood; those of groups by empirical Bayes.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
            ``frequency`` and ``monetary_value`` (mean spend per repeat order; NaN where frequency
            is 0).
        y : None
            Not used.
        sample_weight : array-like of shape (n_customers,), default=None
            A customer of weight 2 counts as two equal customers.
        by : str, optional
            Column of ``X`` that names each customer's group, such as a country or a cohort. Each
            group then has its own parameters, drawn to those of all the more the less its own
            customers tell; ``params_`` are those of a group of which nothing is known.
        unseen : {"raise", "common"}, default="raise"
            What a group does afterwards that is not in ``X``: it is refused, or has ``params_``.

        Returns
        -------
        self

        Raises
        ------
        DataContractError
            Missing or impossible values, by column and row.
        FitFailedError
            If no maximum was found, with gradient norm, starts and data facts.

        Warns
        -----
        BoundaryFitWarning
            The likelihood rises towards a simpler law, which the text names.
        ConvergenceWarning
            The search stopped a little short of the maximum.
        IndependenceWarning
            ``monetary_value`` looks like a total and not a mean per order.
        SmallSampleWarning
            If groups have fewer than 50 customers with repeat orders.
        """
        table, wanted = open_table(X), self._columns_asked()
        x, zbar = self._read(table, reset=True)
        weight = weights_of(sample_weight, x.size, table)
        grouping = None if by is None else read_groups(table, by, unseen)
        rows = self._spenders(x, zbar, weight)
        if rows is None or rows.size < 2:
            raise DataContractError(
                ContractProblem(
                    "too-few-repeaters",
                    f"{0 if rows is None else rows.size} of {x.size} customers have a repeat order "
                    "(with spend)",
                    "Use a longer history: spend is learned from repeat orders.",
                )
            )
        notes, never = [], int(np.count_nonzero(x == 0))
        nothing = int(np.count_nonzero((x > 0) & ~(zbar > 0)))
        if never:
            notes.append(
                f"{never:,} of {x.size:,} customers have no repeat order; they are left out of the "
                "fit and scored with the population's spend."
            )
        if nothing:
            notes.append(
                f"{nothing:,} customers with repeat orders spent nothing on them; the law has no "
                "such customer, so they are left out of the fit."
            )
        warn_of_totals(rows.x, rows.zbar, rows.w)
        if grouping is not None:
            self._refuse_both(wanted)
            parts = [
                self._spenders(x[some], zbar[some], None if weight is None else weight[some])
                for some in grouping.rows
            ]
            return self._learn(rows, notes=notes, grouped=(grouping, parts))
        if not wanted.by_process:
            return self._learn(rows, notes=notes)
        # of customers without an order nothing is learned, so that they must not set the scale
        spent = np.where((x > 0) & (zbar > 0), 1.0 if weight is None else weight, 0.0)
        told = {"spend": Told(None, None, np.where(spent > 0, zbar, 0.0))}
        effects, Z = learn_effects(wanted, table, told, spent, type(self).__name__)
        self.feature_names_in_ = np.asarray([*self.columns, *wanted.names], dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        by_customer = effects, RowsOfCustomers(rows, Z[spent > 0])
        return self._learn(rows, notes=notes, by_customer=by_customer)

    # ---- forecasts -------------------------------------------------------------------------------

    def predict(self, X: Any, *, on_invalid: OnInvalid = "raise") -> Floats:
        """Return the expected mean spend per order of each customer (or median, or capped mean).

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        on_invalid : {"raise", "flag"}, default="raise"
            What bad rows do: refuse the table, or get NaN with a warning (their reasons:
            :func:`custvalue.check_rows`).

        Returns
        -------
        ndarray of shape (n_customers,)

        Raises
        ------
        UndefinedMeanError
            With ``statistic="mean"``, where the mean of some customer is infinite.
        """
        if on_invalid != "raise":
            return flagged(self.predict, X, on_invalid=on_invalid)
        asked = self._asked(X)
        if self.statistic == "median":
            return self.law.quantile(*asked, 0.5)
        if self.statistic == "capped":
            if self.cap is None or not self.cap > 0:
                raise ValueError(
                    f'statistic="capped" needs cap= (money, such as a high quantile of '
                    f"monetary_value); cap={self.cap!r}."
                )
            return self.law.capped_spend(*asked, float(self.cap))
        if self.statistic != "mean":
            raise ValueError(f"statistic={self.statistic!r} must be 'mean', 'median' or 'capped'.")
        out = self.law.expected_spend(*asked)
        bad = int(np.isinf(out).sum())
        if bad:
            at = self.law.shown(self.params_)
            raise UndefinedMeanError(
                f"spend is so heavy-tailed that its mean is infinite ({at}) for {bad:,} of "
                f'{out.size:,} customers. Options: statistic="median"; '
                'statistic="capped" with cap= a high quantile of monetary_value; or fit each '
                "segment by itself."
            )
        return out

    def scorer(self) -> RowScorer:
        """Freeze the model for single customers, as a service asks for them.

        Returns
        -------
        RowScorer
            ``score({...})`` of a summary's row is what :meth:`predict` says of it;
            ``score.checked(...)`` has a status instead of an error.

        Raises
        ------
        NotSupportedError
            If it was fitted on columns without names.
        """
        check_is_fitted(self, "params_")
        refuse_nameless(self)
        return RowScorer(self.predict, None, "spend of an order")

    def predict_quantile(self, X: Any, q: float = 0.5) -> Floats:
        """Quantile of each customer's own mean spend per order, given the history.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        q : float, default=0.5
            Probability in (0, 1).

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        return self.law.quantile(*self._asked(X), check_level(q))

    def predict_interval(
        self, X: Any, *, level: float = 0.8, on_invalid: OnInvalid = "raise"
    ) -> Floats:
        """Interval of each customer's own mean spend per order, given the parameters.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        level : float, default=0.8
        on_invalid : {"raise", "flag"}, default="raise"
            ``"flag"``: bad rows get NaN and a warning, the others their answer.

        Returns
        -------
        ndarray of shape (n_customers, 2)
            Lower and upper end.
        """
        if on_invalid != "raise":
            return flagged(self.predict_interval, X, level=level, on_invalid=on_invalid, width=2)
        asked, tail = self._asked(X), (1.0 - check_level(level)) / 2.0
        return np.column_stack([self.law.quantile(*asked, u) for u in (tail, 1.0 - tail)])

    def posterior(self, X: Any) -> tuple[float | Floats, Floats, Floats]:
        """Shape p of an order, and shape and rate of each customer's gamma law of nu.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)

        Returns
        -------
        p : float, or ndarray of shape (n_customers,) of a fit by group
        shape, rate : ndarray of shape (n_customers,)
            An order is Gamma(p, nu), and nu is Gamma(shape, rate) given the history.

        Raises
        ------
        NotSupportedError
            If the law is not of this family.
        """
        if self.law.posterior is None:
            raise NotSupportedError(
                f"the orders of {type(self).__name__} are not gamma distributed with gamma rates."
            )
        return self.law.posterior(*self._asked(X))

    def new_customer(self) -> float:
        """Return the expected spend per order of a customer of whom nothing is known yet.

        Where columns of customers count, of one whose columns are those of the average customer of
        the fit. Of a fit by group the mean over its customers' groups; ``of_group`` has each.

        Returns
        -------
        float

        Raises
        ------
        UndefinedMeanError
            With ``statistic="mean"``, where the population's mean is infinite.
        """
        check_is_fitted(self, "params_")
        effects, groups = self.fitted_.effects, self.fitted_.groups
        if groups is not None:
            size = np.array([law.report.n_customers for law in groups.laws.values()])
            each = [self.of_group(name).new_customer() for name in groups.laws]
            return float(np.average(each, weights=size))
        average = None if effects is None else effects.mean[None, :]
        params = own_parameters(self.law, self.params_, effects, average)
        bare = type(self).from_params(
            **dict(zip(self.law.names, (float(np.ravel(p)[0]) for p in params), strict=True)),
            **{k: v for k, v in self.get_params(deep=False).items() if k in ("statistic", "cap")},
        )
        return float(bare.predict([[0.0, np.nan]])[0])

    def sample(
        self, X: Any, n_draws: int = 1, *, random_state: int | np.random.Generator | None = None
    ) -> Floats:
        """Draw each customer's own mean spend per order given the history.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
            Rows with frequency 0 are drawn from the population.
        n_draws : int, default=1
        random_state : int, Generator or None, default=None

        Returns
        -------
        ndarray of shape (n_draws, n_customers)
        """
        asked = self._asked(X)
        rng, n_draws = np.random.default_rng(random_state), check_count("n_draws", n_draws, 1)
        return np.stack([self.law.simulate(*asked, rng) for _ in range(n_draws)])

    def score_samples(self, X: Any) -> Floats:
        """Log-density of each customer's mean spend; 0 where frequency is 0 (nothing was seen).

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        *params, x, zbar = self._asked(X)
        log_likelihood = self._likelihood()
        out = np.zeros(x.size)
        seen = (x > 0) & (zbar > 0)
        own = (p[seen] if np.ndim(p) else p for p in params)
        out[seen] = log_likelihood(*own, x[seen], zbar[seen])
        return out

    def _score_by_group(self, X: Any, sample_weight: Any) -> float:
        table = open_table(X)
        x, zbar = self._history(table)
        w = weights_of(sample_weight, x.size, table)
        seen = (x > 0) & (zbar > 0)
        values = self.score_samples(table)
        return float(np.average(values[seen], weights=None if w is None else w[seen]))

    def check_independence(self, X: Any, *, level: float = 0.95) -> Independence:
        """Tell how far spend per order goes with the number of orders, also in money.

        Parameters
        ----------
        X : frame or array-like of shape (n_customers, 2)
        level : float, default=0.95

        Returns
        -------
        Independence
        """
        *params, x, zbar = self._asked(X)
        seen = (x > 0) & (zbar > 0)
        own = tuple(p[seen] if np.ndim(p) else p for p in params)
        return independence(self.law, x[seen], zbar[seen], own, check_level(level))

    # ---- what the methods share ------------------------------------------------------------------

    def _history(self, X: Any) -> tuple[Floats, Floats]:
        check_is_fitted(self, "params_")
        return self._read(X, reset=False)

    def _asked(self, X: Any) -> tuple[Any, ...]:
        """Parameters and history, as the functions of the law take them."""
        check_is_fitted(self, "params_")
        table, effects = open_table(X), self.fitted_.effects
        if self.fitted_.groups is not None:
            by_group: ByGroup = self._params_of_rows(table)
            return (*by_group.columns(), *self._history(table))
        Z = None if effects is None else effects.design(table, type(self).__name__)
        return (*own_parameters(self.law, self.params_, effects, Z), *self._history(table))

    def _rows(self, X: Any, sample_weight: Any = None) -> SpendRows | RowsOfCustomers:
        table = open_table(X)
        x, zbar = self._history(table)
        self._likelihood()
        weight = weights_of(sample_weight, x.size, table)
        rows = self._spenders(x, zbar, weight)
        if rows is None:
            raise DataContractError(
                ContractProblem(
                    "no-repeaters", "no customer in X has a repeat order", "Give a longer history."
                )
            )
        effects = self.fitted_.effects
        if effects is None:
            return rows
        use = (x > 0) & (zbar > 0) if weight is None else (x > 0) & (zbar > 0) & (weight > 0)
        return RowsOfCustomers(rows, effects.design(table, type(self).__name__)[use])

    def _spenders(self, x: Floats, zbar: Floats, w: Floats | None) -> SpendRows | None:
        """Keep the customers who say something about spend; None where nobody does."""
        use = (x > 0) & (zbar > 0) if w is None else (x > 0) & (zbar > 0) & (w > 0)
        if use.all():
            return prepare(x, zbar, w)
        return prepare(x[use], zbar[use], None if w is None else w[use]) if use.any() else None

    def _likelihood(self) -> Callable[..., Floats]:
        """Log-likelihood of the law; refused where it has none."""
        if self.law.log_likelihood is None:
            raise NotSupportedError(
                f"{type(self).__name__} has no likelihood: it takes every customer's mean as it is."
            )
        return self.law.log_likelihood

    @classmethod
    def _from_settings(cls, plain: dict[str, Any]) -> dict[str, Any]:
        plain = super()._from_settings(plain)
        if plain and plain["statistic"] not in ("mean", "median", "capped"):
            raise ValueError(f"statistic={plain['statistic']!r:.80} is unknown.")
        capped = plain.get("statistic") == "capped"
        if (capped or plain.get("cap") is not None) and not number(plain["cap"], "cap") > 0:
            raise ValueError(f"cap={plain['cap']!r} must be money above 0.")
        return plain

    def _read(self, X: Any, *, reset: bool) -> tuple[Floats, Floats]:
        x, zbar = read_vectors(
            self, X, self.columns, reset=reset, allow_missing=("monetary_value", "mean_value")
        )
        check_spend_rows(x, zbar)
        return x, zbar


def check_spend_rows(x: Floats, zbar: Floats) -> None:
    """Raise all that is wrong with the two columns at once."""
    if _legal(x, zbar):
        return
    problems = []
    for code, bad, message, cure in (
        (
            "frequency-not-a-count",
            not_counts(x) | (x > MOST),
            "'frequency' must count repeat orders: 0, 1, 2, ...",
            "custvalue.summarize counts them.",
        ),
        (
            "missing-spend",
            (x > 0) & np.isnan(zbar),
            "'monetary_value' is missing for customers with repeat orders",
            "Give the mean spend per repeat order.",
        ),
        (
            "negative-spend",
            (x > 0) & (zbar < 0),
            "'monetary_value' is negative",
            "Net refunds against their order first (custvalue.summarize, refunds=).",
        ),
    ):
        if bad.any():
            at = np.flatnonzero(bad)
            problems.append(ContractProblem.at(code, message, cure, at))
    if problems:
        raise DataContractError(problems)


def _legal(x: Floats, zbar: Floats) -> bool:
    for begin in range(0, x.size, BLOCK):
        n, z = x[begin : begin + BLOCK], zbar[begin : begin + BLOCK]
        if not (n.min() >= 0 and n.max() <= MOST and np.array_equal(n, np.rint(n))):
            return False
        if not (z.min() >= 0 or ((z >= 0) | (n == 0)).all()):  # NaN goes with no orders only
            return False
    return True
