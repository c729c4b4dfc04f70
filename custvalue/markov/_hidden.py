"""Hidden relationship states: how close a customer is shows only in what is ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator

from custvalue._open_table import Table, open_table
from custvalue._portable import reading, sealed, unseal
from custvalue._sklearn import DocLink, check_is_fitted
from custvalue._typing import Floats, Ints
from custvalue._value_model import read_value, write_value
from custvalue._warn import warn_caller
from custvalue._work import MOST_CELLS, check_count, check_work
from custvalue.chains import Chain
from custvalue.exceptions import (
    ArtefactError,
    ContractProblem,
    ConvergenceWarning,
    DataContractError,
    first_ids,
)
from custvalue.markov._hidden_kernel import (
    Hidden,
    Learned,
    Logit,
    Sequences,
    cuts_of,
    forward,
    learn_states,
    longest_first,
    matrices,
    sequences_of,
    sorted_states,
    starts_of,
    ungrouped,
    without_equal,
)

if TYPE_CHECKING:
    import pandas as pd

Counts: TypeAlias = Literal["poisson", "bernoulli"]
SCHEMA = 2  # with a checksum
TRIAL = 25  # steps of EM from each start before the best goes on
RIDGE = 1e-3  # on slopes, in standard deviations of the covariates: they stay finite


@dataclass(frozen=True, eq=False)
class HiddenFit:
    """What a fitted ``HiddenStates`` knows; no customer's row.

    Parameters
    ----------
    unit : str or None
        Length of a period.
    initial : ndarray of shape (n_states,)
        Chances of the states in the period after the first order.
    rate : ndarray of shape (n_states,)
        Mean orders of a period (or the chance of one) by state, ascending.
    money : ndarray of shape (n_states,)
        Mean spend of an order by state.
    money_variance : ndarray of shape (n_states,)
        Variance of the spend of a period that has orders, for each of them, by state.
    matrix : ndarray of shape (n_states, n_states)
        Transitions at the mean covariates.
    cut : ndarray of shape (n_states, n_states - 1) or None
        Thresholds of the ordered logit.
    slope : ndarray of shape (n_states, n_covariates) or None
        Its slopes, a standard deviation of each covariate.
    centre, scale : ndarray of shape (n_covariates,) or None
    log_likelihood : float
    n_parameters, iterations : int
    customers, periods : int
    converged : bool
    """

    unit: str | None
    initial: Floats
    rate: Floats
    money: Floats
    money_variance: Floats
    matrix: Floats
    cut: Floats | None
    slope: Floats | None
    centre: Floats | None
    scale: Floats | None
    log_likelihood: float
    n_parameters: int
    iterations: int
    customers: int
    periods: int
    converged: bool


class HiddenStates(DocLink, BaseEstimator):
    """Hidden Markov chain of relationship states, learned from a panel by EM.

    In each period a customer is in one of a few states, which nobody sees; the state says how many
    orders to expect, and moves from period to period by a chain. Covariates (contacts, a season)
    move the chances of the next state by an ordered logit, one for each state: a positive slope
    leads up. States are sorted by their mean orders. The first period of a customer, which has an
    order by construction, is left out.

    Parameters
    ----------
    n_states : int, default=3
    counts : {"poisson", "bernoulli"}, default="poisson"
        Orders of a period, or whether there were any.
    covariates : sequence of str, default=()
        Columns of the panel that lead into the period of their row.
    customer : str, optional
        Customer column, where the table does not say it.
    n_starts : int, default=3
    max_iter : int, default=500
    tol : float, default=1e-8
        Rise of a customer's log likelihood at which EM ends.
    random_state : int or None, default=0

    Attributes
    ----------
    states_ : HiddenFit
    chain_ : Chain
        States ``"state 1"`` (the quietest), ... and their transitions at the mean covariates.

    References
    ----------
    Netzer, O., Lattin, J. M. & Srinivasan, V. (2008), A hidden Markov model of customer
    relationship dynamics, Marketing Science 27(2), 185-204.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.markov import HiddenStates
    >>> panel = cv.panel(cv.datasets.load_cdnow("sample"), customer="customer_id", time="date",
    ...                  amount="amount", as_of="1998-06-30", period="8W")
    >>> model = HiddenStates(n_states=2).fit(panel)
    >>> model.state_table()["orders"].round(2).tolist()
    [0.05, 1.08]
    >>> model.chain_.matrix.round(2)
    array([[0.99, 0.01],
           [0.17, 0.83]])
    """

    def __init__(
        self,
        n_states: int = 3,
        *,
        counts: Counts = "poisson",
        covariates: Sequence[str] = (),
        customer: str | None = None,
        n_starts: int = 3,
        max_iter: int = 500,
        tol: float = 1e-8,
        random_state: int | None = 0,
    ) -> None:
        self.n_states = n_states
        self.counts = counts
        self.covariates = covariates
        self.customer = customer
        self.n_starts = n_starts
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "states_")

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn states and moves.

        Parameters
        ----------
        X : panel
            As `custvalue.panel` makes it: a row a customer and period, sorted so, with ``orders``,
            ``spend`` where money is asked for, and the covariates.
        y : None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        DataContractError
            If columns are missing, counts are none, or a customer's rows do not stand together.

        Warns
        -----
        ConvergenceWarning
            If EM stopped at ``max_iter``.
        """
        k = check_count("n_states", self.n_states, 2, 50)
        if self.counts not in ("poisson", "bernoulli"):
            raise ValueError(f"counts={self.counts!r} must be 'poisson' or 'bernoulli'.")
        if isinstance(self.covariates, str):
            raise TypeError(f"covariates={self.covariates!r} is a list of columns.")
        table = open_table(X)
        begin, orders, Z = self._columns(table)
        centre = scale = None
        if Z is not None:
            centre, scale = Z.mean(axis=0), Z.std(axis=0)
            if (flat := scale <= 0).any():
                raise DataContractError(
                    ContractProblem(
                        "constant-covariate",
                        f"{', '.join(np.array(self.covariates)[flat])} is the same in every row",
                        "Leave it out of covariates.",
                    )
                )
            Z = (Z - centre) / scale
        rows, distinct = sequences_of(begin, orders, Z, self.counts)
        if not len(rows.length):
            raise DataContractError(
                ContractProblem(
                    "no-time-observed",
                    "no customer has a period after the first order",
                    "Use a later as-of date, or a shorter period.",
                )
            )
        found, law = self._search(without_equal(rows), distinct, k)
        if not found.converged:
            warn_caller(
                f"EM stopped after {found.iterations} steps, before its likelihood stood still; "
                "raise max_iter.",
                ConvergenceWarning,
            )
        p = 0 if Z is None else Z.shape[1]
        at = found.at
        matrix = at.Q[0] if law is None else matrices(law, np.zeros((1, p)))[0]
        chance = self._filtered(rows, at)
        money, spread = _money(table, begin, orders, chance)
        self.states_ = HiddenFit(
            table.unit(None, caller=type(self).__name__),
            at.pi,
            at.rate,
            money,
            spread,
            matrix,
            None if law is None else law.cut,
            None if law is None else law.slope,
            centre,
            scale,
            found.log_likelihood,
            (k - 1) + k + k * (k - 1) + k * p,
            found.iterations,
            len(begin),
            int(rows.length.sum()),
            found.converged,
        )
        return self

    def _search(self, rows: Sequences, Z: Floats | None, k: int) -> tuple[Learned, Logit | None]:
        """EM from several starts, without covariates first; the best goes on with them."""
        rng = np.random.default_rng(self.random_state)
        plain = rows if Z is None else ungrouped(rows)
        tried = [
            learn_states(plain, start, self.counts, most=TRIAL, tol=self.tol)
            for start in starts_of(plain, k, self.counts, max(1, int(self.n_starts)), rng)
        ]
        best = max(tried, key=lambda one: one.log_likelihood)
        best = learn_states(plain, best.at, self.counts, most=int(self.max_iter), tol=self.tol)
        best = sorted_states(best)
        if Z is None:
            return best, None
        law = Logit(cuts_of(best.at.Q[0]), np.zeros((k, Z.shape[1])))
        at = best.at._replace(Q=matrices(law, Z))
        best = learn_states(
            rows, at, self.counts, Z=Z, law=law, ridge=RIDGE, most=int(self.max_iter), tol=self.tol
        )
        return best, best.law

    # ---- what a customer's state is --------------------------------------------------------------

    def predict_proba(self, X: Any) -> Floats:
        """Chance of each state in each row's period, given the customer's orders up to it.

        Parameters
        ----------
        X : panel
            Whole histories: what is known of a customer is all of the rows before, too.

        Returns
        -------
        ndarray of shape (n_rows, n_states)
            Of a first period, which tells nothing, the chances at the start.
        """
        check_is_fitted(self)
        begin, orders, Z = self._columns(open_table(X))
        rows, distinct = sequences_of(begin, orders, self._scaled(Z), self.counts)
        fit = self.states_
        out = np.tile(fit.initial, (len(orders), 1))
        if len(rows.length):
            for t, here in enumerate(forward(rows, self._at(distinct), self.counts)[0]):
                out[begin[longest_first(begin, len(orders))[: len(here)]] + 1 + t] = here
        return out

    def predict(self, X: Any) -> Ints:
        """Likeliest state of each row's period, 0 the quietest, given the orders up to it.

        Parameters
        ----------
        X : panel

        Returns
        -------
        ndarray of shape (n_rows,), int
        """
        return self.predict_proba(X).argmax(axis=1).astype(np.int64)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log likelihood of a customer's periods after the first.

        Parameters
        ----------
        X : panel
        y : None

        Returns
        -------
        float
        """
        check_is_fitted(self)
        begin, orders, Z = self._columns(open_table(X))
        rows, distinct = sequences_of(begin, orders, self._scaled(Z), self.counts)
        total = forward(rows, self._at(distinct), self.counts)[1]
        return float(total.sum()) / max(len(total), 1)

    def expected_orders(
        self, X: Any, periods: int, *, covariates: Mapping[str, float] | None = None
    ) -> Floats:
        """Expect the orders of the coming periods of each row's customer.

        Parameters
        ----------
        X : panel
            Whole histories; take the rows that are asked for from the answer.
        periods : int
        covariates : mapping of str to float, optional
            Of the coming periods; default: their means.

        Returns
        -------
        ndarray of shape (n_rows,)
            Orders, or with ``counts="bernoulli"`` periods with one.
        """
        return self._ahead(X, periods, self.states_.rate if self._ready() else None, covariates)

    def value(
        self,
        X: Any,
        periods: int,
        *,
        discount_rate: float = 0.0,
        covariates: Mapping[str, float] | None = None,
    ) -> Floats:
        """Expect the spend of the coming periods of each row's customer.

        Parameters
        ----------
        X : panel
        periods : int
        discount_rate : float, default=0.0
            Of a period; money counts at its end.
        covariates : mapping of str to float, optional
            Of the coming periods; default: their means.

        Returns
        -------
        ndarray of shape (n_rows,)
            The chances of the states times ``chain(...).value``.
        """
        reward = self.state_table()["spend"].to_numpy() if self._ready() else None
        return self._ahead(X, periods, reward, covariates, discount_rate)

    def _ready(self) -> bool:
        check_is_fitted(self)
        return True

    def _ahead(
        self,
        X: Any,
        periods: int,
        reward: Floats | None,
        covariates: Mapping[str, float] | None,
        discount_rate: float = 0.0,
    ) -> Floats:
        chain = self.chain(covariates)
        ahead = chain.matrix @ chain.value(
            reward, horizon=periods, discount_rate=discount_rate, timing="end"
        )
        return np.asarray(self.predict_proba(X) @ ahead)

    # ---- the states ------------------------------------------------------------------------------

    @property
    def chain_(self) -> Chain:
        """States and their transitions at the mean covariates."""
        return self.chain()

    def chain(self, covariates: Mapping[str, float] | None = None) -> Chain:
        """Return the states and their transitions at some covariates.

        Parameters
        ----------
        covariates : mapping of str to float, optional
            Those left out are at their means.

        Returns
        -------
        Chain
            Values, intervals and decisions follow from it, with ``state_table()["spend"]`` as its
            rewards.
        """
        check_is_fitted(self)
        fit, matrix = self.states_, self.states_.matrix
        asked = dict(covariates or {})
        if unknown := sorted(set(asked) - set(self.covariates)):
            raise ValueError(
                f"{unknown[0]!r} is none of the covariates "
                f"({', '.join(self.covariates) or 'there are none'})."
            )
        if asked:
            known = np.asarray(fit.centre, dtype=np.float64)
            pairs = zip(self.covariates, known, strict=True)
            z = np.array([float(asked.get(name, centre)) for name, centre in pairs])
            matrix = self._matrices_at(z[None])[0]
        return Chain(tuple(self._names()), matrix)

    def _names(self) -> list[str]:
        return [f"state {i + 1}" for i in range(len(self.states_.rate))]

    def state_table(self) -> pd.DataFrame:
        """Return what each state means.

        Returns
        -------
        DataFrame
            Index ``state``; ``orders`` (mean of a period), ``spend`` (of a period) and
            ``spend_variance``, NaN where the panel had no spend; ``start`` (chance at the start),
            ``share`` (in the long run), ``stay`` (chance to be there a period later).
        """
        import pandas as pd

        check_is_fitted(self)
        fit = self.states_
        return pd.DataFrame(
            {
                "orders": fit.rate,
                "spend": fit.rate * fit.money,
                "spend_variance": fit.rate * (fit.money_variance + fit.money**2)
                - (0.0 if self.counts == "poisson" else (fit.rate * fit.money) ** 2),
                "start": fit.initial,
                "share": self.chain_.stationary(),
                "stay": np.diag(fit.matrix),
            },
            index=pd.Index(self._names(), name="state"),
        )

    def effects(self) -> pd.DataFrame:
        """Return what covariates do to the next state.

        Returns
        -------
        DataFrame
            A row a state and covariate: ``state``, ``covariate``, ``slope`` (of the ordered logit,
            a unit of the covariate), ``odds_ratio`` of being in a higher state.
        """
        import pandas as pd

        check_is_fitted(self)
        fit, names = self.states_, list(self.covariates)
        slope = np.zeros((len(fit.rate), 0))
        if fit.slope is not None:
            slope = fit.slope / np.asarray(fit.scale)
        return pd.DataFrame(
            {
                "state": np.repeat(self._names(), len(names)),
                "covariate": names * len(fit.rate),
                "slope": slope.ravel(),
                "odds_ratio": np.exp(slope.ravel()),
            }
        )

    def fit_report(self) -> dict[str, Any]:
        """Say in plain values how the fit ended.

        Returns
        -------
        dict
            With ``log_likelihood``, ``n_parameters`` and ``bic``.
        """
        check_is_fitted(self)
        fit = self.states_
        bic = fit.n_parameters * np.log(max(fit.periods, 1)) - 2.0 * fit.log_likelihood
        return {
            "model": type(self).__name__,
            "unit": fit.unit,
            "customers": fit.customers,
            "periods": fit.periods,
            "log_likelihood": fit.log_likelihood,
            "n_parameters": fit.n_parameters,
            "bic": float(bic),
            "iterations": fit.iterations,
            "converged": fit.converged,
        }

    def sample(
        self, n: int, periods: int, *, Z: Any = None, random_state: int | None = None
    ) -> pd.DataFrame:
        """Simulate a panel.

        Parameters
        ----------
        n, periods : int
            Customers, and periods after the first.
        Z : array-like of shape (n, periods, n_covariates), optional
            Covariates; their means unless given.
        random_state : int or None, optional

        Returns
        -------
        DataFrame
            ``customer``, ``period`` (0 is the first, with an order), ``orders``, the covariates and
            ``state`` (the truth, 0 the quietest; -1 in the first period).
        """
        import pandas as pd

        check_is_fitted(self)
        check_work(float(n) * periods, MOST_CELLS, "rows", "Ask for fewer.")
        rng, fit, p = np.random.default_rng(random_state), self.states_, len(self.covariates)
        given = np.zeros((n, periods, p)) if Z is None else np.asarray(Z, dtype=np.float64)
        if Z is None and fit.centre is not None:
            given = given + fit.centre
        state = np.full((n, periods + 1), -1)
        orders = np.ones((n, periods + 1), dtype=np.int64)
        chance = np.tile(fit.initial, (n, 1))
        for t in range(1, periods + 1):
            if t > 1:
                Q = self._matrices_at(given[:, t - 1])
                chance = Q[np.arange(n) if len(Q) > 1 else 0, state[:, t - 1]]
            state[:, t] = (rng.random((n, 1)) > np.cumsum(chance, axis=1)[:, :-1]).sum(axis=1)
            mean = fit.rate[state[:, t]]
            drawn = rng.poisson(mean) if self.counts == "poisson" else rng.random(n) < mean
            orders[:, t] = drawn
        columns: dict[str, Any] = {
            "customer": np.repeat(np.arange(n), periods + 1),
            "period": np.tile(np.arange(periods + 1), n),
            "orders": orders.ravel(),
        }
        for j, name in enumerate(self.covariates):
            columns[name] = np.column_stack([given[:, :1, j], given[:, :, j]]).ravel()
        return pd.DataFrame({**columns, "state": state.ravel()})

    # ---- what the methods share ------------------------------------------------------------------

    def _columns(self, table: Table) -> tuple[Ints, Floats, Floats | None]:
        """First row of each customer, counts, covariates."""
        name = self.customer or (table.facts.customer if table.facts is not None else None)
        if table.names is None or name is None:
            raise DataContractError(
                ContractProblem(
                    "customer",
                    "the table does not say which column has the customer",
                    "Pass the panel that custvalue.panel makes, or customer=.",
                )
            )
        wanted = ["orders", *self.covariates]
        orders, *covariates = table.floats(wanted, caller=f"{type(self).__name__}'s X")
        if not table.has(name):
            table.floats([name])  # says what there is
        ids = table.column(name)
        begin = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
        if len(np.unique(ids[begin])) < len(begin):
            _, first = np.unique(ids[begin], return_index=True)
            again = np.setdiff1d(begin, begin[first])
            raise DataContractError(
                ContractProblem(
                    "rows-apart",
                    "rows of a customer do not stand together",
                    "Sort the panel by customer, then period.",
                    len(again),
                    first_ids(ids[again]),
                )
            )
        bad = (orders < 0) | (orders != np.floor(orders))
        if bad.any():
            raise DataContractError(
                ContractProblem.at(
                    "orders",
                    "'orders' must be whole numbers, 0 or more",
                    "Pass the panel that custvalue.panel makes.",
                    np.flatnonzero(bad),
                )
            )
        return begin, orders, np.column_stack(covariates) if covariates else None

    def _scaled(self, Z: Floats | None) -> Floats | None:
        fit = self.states_
        return None if Z is None else (Z - np.asarray(fit.centre)) / np.asarray(fit.scale)

    def _at(self, distinct: Floats | None) -> Hidden:
        fit = self.states_
        if distinct is None or fit.cut is None or fit.slope is None:
            return Hidden(fit.initial, fit.rate, fit.matrix[None])
        return Hidden(fit.initial, fit.rate, matrices(Logit(fit.cut, fit.slope), distinct))

    def _matrices_at(self, Z: Floats) -> Floats:
        fit = self.states_
        if fit.cut is None or fit.slope is None:
            return fit.matrix[None]
        scaled = (Z - np.asarray(fit.centre)) / np.asarray(fit.scale)
        return matrices(Logit(fit.cut, fit.slope), scaled)

    def _filtered(self, rows: Sequences, at: Hidden) -> list[Floats]:
        return forward(rows, at, self.counts)[0]

    def to_dict(self) -> dict[str, Any]:
        """Write the fitted model as plain JSON values; they hold no customer's row.

        Returns
        -------
        dict
        """
        check_is_fitted(self)
        return sealed(
            type(self).__name__,
            SCHEMA,
            settings={k: write_value(v) for k, v in self.get_params().items()},
            learned=write_value(self.states_),
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what ``to_dict`` wrote; it says the same of every panel.

        Parameters
        ----------
        plain : mapping

        Returns
        -------
        HiddenStates

        Raises
        ------
        ArtefactError
            If it holds another model, or is damaged or changed. It is a ``ValueError``.
        """
        held = plain if isinstance(plain, Mapping) else {}
        if held.get("model") != cls.__name__:
            raise ArtefactError(f"this holds {held.get('model')!r}, not {cls.__name__}.")
        plain = unseal(plain, schemas=(SCHEMA,), keys=("settings", "learned"))
        with reading(cls.__name__):
            model = cls(**{k: read_value(v) for k, v in plain["settings"].items()})
            model.states_ = read_value(plain["learned"], HiddenFit)
        return model


def _money(
    table: Table, begin: Ints, orders: Floats, chance: list[Floats]
) -> tuple[Floats, Floats]:
    """Mean spend of an order by state, and its variance."""
    k = chance[0].shape[1]
    if not table.has("spend"):
        return np.full(k, np.nan), np.full(k, np.nan)
    (spend,) = table.floats(["spend"])
    order = longest_first(begin, len(orders))
    count, money, square = np.full(k, 1e-9), np.zeros(k), np.zeros(k)
    for t, here in enumerate(chance):
        row = begin[order[: len(here)]] + 1 + t
        some = orders[row] > 0
        each = spend[row][some] / orders[row][some]
        weight = here[some] * orders[row][some, None]
        count += weight.sum(axis=0)
        money += each @ weight
        square += each**2 @ weight
    mean = money / count
    return mean, np.maximum(square / count - mean**2, 0.0)
