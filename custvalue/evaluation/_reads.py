"""What an estimator reads, and how it is fitted and asked on a log that ends at a cutoff.

An estimator says what it reads by a class attribute ``reads_table`` (``"summary"``, ``"panel"``,
``"supervised"``, ``"log"`` or ``"contracts"``); a Pipeline or a search reads what its last step
reads. One without the attribute reads the summary if its ``predict`` takes ``horizon=``, else it is
an ordinary regressor and reads the supervised table. ``Candidate(estimator, reads=...)`` says it
outright.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from custvalue._frames import column, places_of, rows_where
from custvalue._units import Span, span_days
from custvalue._value_model import ValueModel
from custvalue.contracts import SubscriptionTable
from custvalue.data import TransactionLog
from custvalue.data._for_rooms import history_frame
from custvalue.evaluation._features import supervised_sample
from custvalue.exceptions import NotSupportedError

if TYPE_CHECKING:
    from custvalue._typing import Floats

Reads: TypeAlias = Literal["summary", "panel", "supervised", "log", "contracts"]

# One question for every method: revenue of the horizon, not discounted, nothing deducted.
_PLAIN_MONEY = {"annual_discount_rate": 0.0, "margin": 1.0, "contact_cost": 0.0}


@dataclass(frozen=True)
class Candidate:
    """An estimator and the table it reads in a backtest.

    Parameters
    ----------
    estimator : object
        With ``fit`` and ``predict``; it is cloned at each cutoff (deep-copied where it is no
        scikit-learn estimator).
    reads : {"summary", "panel", "supervised", "log", "contracts"} or None, default=None
        ``"summary"``: ``fit(summary)``, ``predict(summary, horizon=...)``.
        ``"panel"``: ``fit(panel)``, ``predict`` on each customer's latest row.
        ``"supervised"``: ``fit(X, y)`` on an earlier cutoff of the same known rows,
        ``predict(X)`` at this one.
        ``"log"``: ``fit(log)`` and ``predict(log, horizon=...)`` get a
        :class:`TransactionLog` that ends at the cutoff; predictions follow ``log.customers()``.
        ``"contracts"``: ``fit`` and ``predict`` on the table that
        :meth:`custvalue.contracts.SubscriptionTable.contracts` makes of what was known at the
        cutoff.
        None asks the estimator (see :func:`reads_of`).
    period : str or None, default=None
        Length of the panel's periods; None is the backtest's.

    Raises
    ------
    ValueError
        If ``reads`` is none of the above.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from custvalue.evaluation import Candidate
    >>> Candidate(LinearRegression()).table
    'supervised'
    """

    estimator: Any
    reads: Reads | None = None
    period: str | None = None

    def __post_init__(self) -> None:
        if self.reads is not None and self.reads not in get_args(Reads):
            raise ValueError(f"reads={self.reads!r} must be one of {get_args(Reads)}.")

    @property
    def table(self) -> Reads:
        """What the estimator reads."""
        return self.reads or reads_of(self.estimator)


def reads_of(estimator: Any) -> Reads:
    """Table that an estimator reads when nobody says it outright.

    Parameters
    ----------
    estimator : object
        A Pipeline or a search is asked through its last step or its ``estimator``.

    Returns
    -------
    {"summary", "panel", "supervised", "log", "contracts"}
        The class attribute ``reads_table``; without one ``"summary"`` where ``predict`` takes
        ``horizon=``, else ``"supervised"``.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> reads_of(make_pipeline(StandardScaler(), LinearRegression()))
    'supervised'
    """
    final = last_step(estimator)
    declared: Reads | None = getattr(final, "reads_table", None)
    if declared is not None:
        return declared
    return "summary" if _takes(final.predict, "horizon") else "supervised"


def last_step(estimator: Any) -> Any:
    """Return the estimator that predicts at the end of a Pipeline, a search or a wrapper."""
    while True:
        if hasattr(estimator, "steps"):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "estimator") and not hasattr(estimator, "reads_table"):
            estimator = estimator.estimator
        else:
            return estimator


def forecast_method(estimator: Any, name: str) -> Any | None:
    """Find a method that scikit-learn's Pipelines and searches do not pass on by themselves.

    Parameters
    ----------
    estimator : object
        Fitted. A Pipeline's last step gets the rows as the steps before it make them.
    name : str

    Returns
    -------
    callable or None
        None where neither the estimator nor what it ends in has the method.
    """
    if hasattr(estimator, name):
        return getattr(estimator, name)
    if hasattr(estimator, "best_estimator_"):
        return forecast_method(estimator.best_estimator_, name)
    if not hasattr(estimator, "steps"):
        return None
    final = forecast_method(estimator.steps[-1][1], name)
    if final is None:
        return None
    before = estimator[:-1]
    return lambda X, **more: final(before.transform(X) if len(before) else X, **more)


@dataclass
class Forecaster:
    """A candidate at one cutoff: fitted on known rows, asked for each known customer."""

    candidate: Candidate
    horizon: Span
    period: str
    contracts: SubscriptionTable | None = None

    def __post_init__(self) -> None:
        self.estimator = _copy(self.candidate.estimator)
        self.reads = self.candidate.table
        self._period = self.candidate.period or self.period
        self._scale = 1.0
        self._opened: tuple[Any, Any] = (None, None)
        final = last_step(self.estimator)
        if hasattr(final, "get_params"):
            own = final.get_params(deep=False)
            wanted: dict[str, Any] = {k: v for k, v in _PLAIN_MONEY.items() if k in own}
            if "horizon" in own:
                wanted["horizon"] = self.horizon
            final.set_params(**wanted)

    def fit(self, known: TransactionLog) -> None:
        """Learn from ``known`` alone."""
        if self.reads == "summary":
            self.estimator.fit(known.summary())
        elif self.reads == "panel":
            self.estimator.fit(known.panel(self._period))
        elif self.reads == "log":
            self.estimator.fit(known)
        elif self.reads == "contracts":
            self.estimator.fit(self._contracts(known).contracts(spells=True))
        else:
            X, y, window = supervised_sample(known, self.horizon)
            self._scale = span_days(self.horizon) / window
            self.estimator.fit(X, y)

    def predict(self, known: TransactionLog) -> Floats:
        """Money each of ``known.customers()`` is expected to bring within the horizon."""
        answer = np.asarray(self._ask_raw(known, "predict"), dtype=np.float64).reshape(-1)
        return answer[self._places(known)] * self._scale

    def chance(self, known: TransactionLog) -> Floats | None:
        """Chance of at least one order, where the estimator, or its purchase law, states one."""
        for name in ("predict_chance", "predict_proba_any"):
            found = self._ask(known, name)
            if found is not None:
                return found[self._places(known)]
        return None

    def interval(self, known: TransactionLog, level: float) -> tuple[Floats, Floats] | None:
        """Prediction interval of one customer's money, where the estimator states one."""
        ends = self._ask(known, "predict_interval", level=level)
        if ends is None:
            return None
        place = self._places(known)
        return ends[place, 0], ends[place, 1]

    def _ask(self, known: TransactionLog, method: str, **more: Any) -> Floats | None:
        """Ask for what not every estimator says; None where it does not."""
        if self.reads == "supervised" or forecast_method(self.estimator, method) is None:
            return None
        try:
            return np.asarray(self._ask_raw(known, method, **more), dtype=np.float64)
        except NotSupportedError:
            return None

    def _ask_raw(self, known: TransactionLog, method: str, **more: Any) -> Any:
        X: Any
        if self.reads == "summary":
            X = known.summary()
        elif self.reads == "panel":
            X = latest_rows(known.panel(self._period), known.customer)
        elif self.reads == "log":
            X = known
        elif self.reads == "contracts":
            X = self._contracts(known).contracts()
        else:
            X = history_frame(known)
        ask: Any = forecast_method(self.estimator, method)
        if isinstance(self.estimator, ValueModel):  # read once for all that is asked of a log
            if self._opened[0] is not known:
                self._opened = known, self.estimator.open(X)
            X = self._opened[1]
        if self.reads != "supervised" and _takes(
            getattr(last_step(self.estimator), method, ask), "horizon"
        ):
            more["horizon"] = self.horizon
        return ask(X, **more)

    def _contracts(self, known: TransactionLog) -> SubscriptionTable:
        """Contracts as they were known when the log ends."""
        if self.contracts is None:
            raise ValueError(
                f"{type(last_step(self.estimator)).__name__} reads contracts, and the log has "
                "none; pass a custvalue.contracts.SubscriptionTable in its place."
            )
        return self.contracts.until(np.datetime_as_string(known.as_of, unit="D"))

    def _places(self, known: TransactionLog) -> npt.NDArray[np.intp]:
        customers = known.customers()
        if self.reads == "contracts":
            return places_of(self._contracts(known).customers(), customers)
        if self.reads != "panel":
            return np.arange(len(customers))
        rows = latest_rows(known.panel(self._period), known.customer)
        place = places_of(column(rows, known.customer), customers)
        if (place < 0).any():
            raise ValueError(
                f"the panel misses {int((place < 0).sum()):,} of the summary's customers."
            )
        return place


def latest_rows(panel: Any, customer: str) -> Any:
    """Each customer's last row of a panel, which is sorted by customer, then period."""
    ids = column(panel, customer)
    return rows_where(panel, np.r_[ids[1:] != ids[:-1], True])


def _takes(method: Any, name: str) -> bool:
    try:
        return name in inspect.signature(method).parameters
    except (TypeError, ValueError):
        return False


def _copy(estimator: Any) -> Any:
    if hasattr(estimator, "get_params"):
        return clone(estimator)
    import copy

    return copy.deepcopy(estimator)
