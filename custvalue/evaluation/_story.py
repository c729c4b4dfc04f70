"""One customer's story: what the value is, why, what moved since a date, what to do."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._dates import after, instant, readable
from custvalue._frames import column, column_names, eager, places_of
from custvalue._html import html_table
from custvalue._peers import PARTS, PeerRows, Peers, histories_in
from custvalue._typing import Floats
from custvalue._units import Span, check_share, plain_span
from custvalue._value_model import ValueModel
from custvalue._warn import heard
from custvalue._words import EXPLAIN, Language, check_language
from custvalue.data import TransactionLog
from custvalue.evaluation._reads import latest_rows
from custvalue.evaluation._stacked import as_transaction_log
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    NotSupportedError,
)

if TYPE_CHECKING:
    import pandas as pd

NAMES = {
    "orders": "number of orders",
    "silence": "silence against own rhythm",
    "spend": "spend per order",
    "peers": "beside customers alike",
}
_UNITS = {
    "H": "{n} hours",
    "D": "{n} days",
    "W": "{n} weeks",
    "M": "{n} months",
    "Y": "{n} years",
}
_LATE, _FAR = 1.5, 3.0  # usual gaps of silence


@dataclass(frozen=True)
class Then:
    """What was said of a customer at an earlier date.

    Parameters
    ----------
    date : str
    value : float
        0 where the customer had no order yet.
    parts : tuple of float
        Of that value, measured on the customers of today; empty where there was no order.
    n_orders : float
    spend : float
        Money until then.

    Examples
    --------
    >>> from custvalue.evaluation._story import Then
    >>> Then("2024-01-01", 0.0).parts
    ()
    """

    date: str
    value: float
    parts: tuple[float, ...] = ()
    n_orders: float = 0.0
    spend: float = 0.0


@dataclass(frozen=True)
class CustomerStory:
    """What a fitted model says of one customer, and what it goes with; ``print`` tells it.

    Parameters
    ----------
    customer : str
    as_of : str
    horizon : str
        Such as ``"52W"``.
    value : float
        As ``predict`` says it.
    chance, low, high : float or None
        Chance of an order, and the range of the outcome; None where the model does not say it.
    level : float
        Share of such customers that end within the range.
    mean : float
        Value of all customers.
    parts : tuple of float
        What of ``value - mean`` goes with the number of orders, the silence against the customer's
        own rhythm, the spend an order, and what is left beside customers alike in all three.
    n_orders : float
    silence, usual_gap : float
        Days; the usual gap counts everybody's mean as one gap of the customer's.
    spend : float
        Mean of an order.
    total : float
        Money so far.
    alike : int
        Other customers alike in orders, silence and spend.
    alike_value : float
        What such a customer is worth in the mean, drawn to less similar ones where few are alike.
    then : Then or None
        The same at an earlier date, where one was asked for.
    margin, margin_of_all : float or None
        Profit over spend so far, the customer's and everybody's; None where the log tells no profit
        or no spend. It is part of what is left beside customers alike.
    todo : str, default=""
        What to do, in the reader's language, where somebody knows better than ``advice``.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.purchase import MBGNBD
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> model = cv.CustomerValue(purchases=MBGNBD(), horizon="52W").fit(log.summary())
    >>> story = cv.evaluation.explain_customer(model, log, 4)
    >>> story.n_orders, story.silence
    (4.0, 200.0)
    >>> abs(story.value - story.mean - sum(story.parts)) < 1e-9
    True
    """

    customer: str
    as_of: str
    horizon: str
    value: float
    chance: float | None
    low: float | None
    high: float | None
    level: float
    mean: float
    parts: tuple[float, ...]
    n_orders: float
    silence: float
    usual_gap: float
    spend: float
    total: float
    alike: int
    alike_value: float
    then: Then | None = None
    todo: str = ""
    margin: float | None = None
    margin_of_all: float | None = None

    @property
    def moves(self) -> tuple[tuple[str, float], ...]:
        """Changes since the earlier date by part; they add up to the change of the value.

        Of a customer who had no order then the mean of all is the first of them.
        """
        if self.then is None:
            return ()
        before = self.then.parts
        if not before:
            return (("mean", self.mean), *zip(PARTS, self.parts, strict=True))
        changes = [now - then for now, then in zip(self.parts, before, strict=True)]
        return tuple(zip(PARTS, changes, strict=True))

    @property
    def advice(self) -> str:
        """What to do by orders, silence and spend, in English; ``text`` says it in either language.

        ``todo`` stands in its place where somebody has set it.
        """
        ratio = self.silence / self.usual_gap if self.usual_gap > 0 else math.inf
        if self.n_orders <= 1:
            if ratio <= _LATE:
                return "The first order is young: bring the second one soon."
            return "One order and long silent: only cheap channels, and test them first."
        if ratio <= _LATE:
            return "In rhythm: no reason to discount; offer the next product."
        if ratio <= _FAR:
            return "Later than usual: a small reason to come back, now rather than later."
        # what such a customer would bring, in rhythm: the silence is what was lost
        if self.value - min(self.parts[1], 0.0) > self.mean:
            return (
                "Far out of rhythm, and orders are worth much: call or write personally, and ask "
                "why."
            )
        return (
            "Far out of rhythm, and little is to be won: only cheap channels, and test them first."
        )

    def known(self, language: Language = "en") -> tuple[str, ...]:
        """Say what each part is told by.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        tuple of str
            In the order of ``parts``.
        """
        margins = ""
        if self.margin is not None and self.margin_of_all is not None:
            margins = EXPLAIN(
                "; margin so far {own:.0%}, of all {all:.0%}", language,
                own=self.margin, all=self.margin_of_all,
            )  # fmt: skip
        return (
            EXPLAIN("orders: {n:,.0f}", language, n=self.n_orders),
            EXPLAIN(
                "days since the last order: {days:,.0f}; usual gap {gap:,.0f}",
                language, days=self.silence, gap=self.usual_gap,
            ),
            EXPLAIN("{money:,.2f} per order", language, money=self.spend),
            EXPLAIN(
                "others alike: {n:,}; such a customer is worth {money:,.2f}",
                language, n=self.alike, money=self.alike_value,
            ) + margins,
        )  # fmt: skip

    def table(self, language: Language = "en") -> pd.DataFrame:
        """Lay out the way from the mean of all customers to the value.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``part``, ``what is known`` and ``contribution``, from the mean of all to the value,
            which is the sum of the rows above it; with an earlier date also ``then`` and
            ``change``, whose rows add up likewise.
        """
        import pandas as pd

        check_language(language)
        names = [NAMES[name] for name in PARTS]
        columns: dict[str, Any] = {
            "part": ["mean of all customers", *names, "value"],
            "what is known": ["", *self.known(language), ""],
            "contribution": [self.mean, *self.parts, self.value],
        }
        if self.then is not None:
            before = [self.mean, *self.then.parts] if self.then.parts else [0.0] * 5
            columns["then"] = [*before, self.then.value]
            both = zip(columns["contribution"], columns["then"], strict=True)
            columns["change"] = [now - then for now, then in both]
        return EXPLAIN.table(pd.DataFrame(columns), language, cells=["part"])

    def text(self, language: Language = "en") -> str:
        """Tell the story in a few sentences.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str
        """

        def say(text: str, **values: Any) -> str:
            return EXPLAIN(text, language, **values)

        told = say(
            "{customer}: value {value:,.2f} over the next {horizon}",
            customer=self.customer, value=_zero(self.value), horizon=self._ahead(language),
        )  # fmt: skip
        if self.low is not None and self.high is not None:
            ends = {"low": _zero(self.low), "high": _zero(self.high)}
            told += (
                say(" (8 of 10 such customers end between {low:,.2f} and {high:,.2f})", **ends)
                if self.level == 0.8
                else say(
                    " ({level:.0%} of such customers end between {low:,.2f} and {high:,.2f})",
                    level=self.level, **ends,
                )
            )  # fmt: skip
        if self.chance is not None:
            told += say("; chance of an order {chance:.0%}", chance=self.chance)
        told += say(". Mean of all customers {mean:,.2f}; the difference: ", mean=self.mean)
        each = zip(PARTS, self.parts, self.known(language), strict=True)
        told += say("; ").join(
            say("{name} {part:+,.2f} ({known})", name=say(NAMES[name]), part=_zero(part), known=by)
            for name, part, by in each
        )
        told += say(".")
        told += self._moved(language)
        return told + say(" What to do: {advice}", advice=self.todo or say(self.advice))

    def _moved(self, language: Language) -> str:
        then = self.then
        if then is None:
            return ""
        if not then.parts:
            text = " On {date} the customer had no order yet; all of the value is new."
            return EXPLAIN(text, language, date=then.date)
        told = EXPLAIN(
            " On {date} the value was {value:,.2f}; it moved by {change:+,.2f}: ", language,
            date=then.date, value=_zero(then.value), change=_zero(self.value - then.value),
        )  # fmt: skip
        told += EXPLAIN("; ", language).join(
            EXPLAIN("{name} {part:+,.2f}", language, name=EXPLAIN(NAMES[name], language),
                    part=_zero(part)) for name, part in self.moves
        ) + EXPLAIN(".", language)  # fmt: skip
        return told + EXPLAIN(
            " Orders since: {orders:,.0f}, spend {money:,.2f}.", language,
            orders=self.n_orders - then.n_orders, money=_zero(self.total - then.spend),
        )  # fmt: skip

    def _ahead(self, language: Language) -> str:
        if self.horizon == "forever":
            return EXPLAIN("all time", language)
        number, unit = self.horizon[:-1], self.horizon[-1:].upper()
        if unit not in _UNITS:
            return f"{self.horizon} {EXPLAIN('units of time', language)}"
        text = EXPLAIN(_UNITS[unit], language, n=number)
        return text.removesuffix("s") if language == "en" and number == "1" else text

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        table = self.table()
        return html_table(self.text(), list(table.columns), table.itertuples(index=False))

    def to_dict(self, language: Language = "en") -> dict[str, Any]:
        """Plain JSON values.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
            Of the sentences.

        Returns
        -------
        dict
        """
        then = self.then
        return {
            "customer": self.customer,
            "as_of": self.as_of,
            "horizon": self.horizon,
            "value": self.value,
            "chance": self.chance,
            "low": self.low,
            "high": self.high,
            "mean": self.mean,
            "parts": dict(zip(PARTS, self.parts, strict=True)),
            "n_orders": self.n_orders,
            "silence": self.silence,
            "usual_gap": self.usual_gap,
            "spend": self.spend,
            "total": self.total,
            "alike": self.alike,
            "alike_value": self.alike_value,
            "margin": self.margin,
            "margin_of_all": self.margin_of_all,
            "since": None if then is None else then.date,
            "value_then": None if then is None else then.value,
            "moves": dict(self.moves),
            "text": self.text(language),
            "advice": self.todo or EXPLAIN(self.advice, language),
        }


@dataclass(frozen=True, eq=False)
class Said:
    """What a model says of all customers of a log, in the log's order.

    Parameters
    ----------
    log : TransactionLog
    value : ndarray of shape (n_customers,)
    chance, low, high : ndarray of shape (n_customers,) or None
    horizon : span
    level : float

    Examples
    --------
    >>> from custvalue.evaluation._story import Said
    >>> Said.__name__
    'Said'
    """

    log: TransactionLog
    value: Floats
    chance: Floats | None
    low: Floats | None
    high: Floats | None
    horizon: Any
    level: float

    @classmethod
    def by(cls, model: Any, log: TransactionLog, horizon: Span | None, level: float) -> Said:
        """Ask a fitted model."""
        table, place = table_for(model, log)
        table = model.open(table)  # read once for all that is asked
        value = np.asarray(model.predict(table, horizon), dtype=np.float64)[place]
        chance = low = high = None
        with suppress(NotSupportedError):
            chance = np.asarray(model.predict_chance(table, horizon))[place]
        with suppress(NotSupportedError):
            ends = model.predict_interval(table, horizon, level=level)[place]
            low, high = ends[:, 0], ends[:, 1]
        asked = model.horizon if horizon is None else horizon
        return cls(log, value, chance, low, high, asked, level)


def explain_customer(
    model: ValueModel,
    log: TransactionLog,
    customer: Any,
    *,
    since: Any = None,
    horizon: Span | None = None,
    level: float = 0.8,
) -> CustomerStory:
    """Explain what a fitted model says of one customer of a log.

    The value less the mean of all customers is shared out between the number of orders, the silence
    against the customer's own rhythm, the spend an order, and what is left beside customers who are
    alike in all three. With ``since`` the same model is asked of the log as it was then, and the
    change is shared out likewise, measured on the customers of today.

    Parameters
    ----------
    model : value model
        Fitted on the log, or on its summary or panel: ``CustomerValue``, ``MarkovCLVEstimator``,
        ``LearnedValue``, ``StackedValue``, ``BestValue``, ...
    log : TransactionLog
    customer : id
        As in the log, or as text.
    since : date, datetime or ISO str, optional
        Before the log's end.
    horizon : str, timedelta, number or None, default=None
        None takes the model's.
    level : float, default=0.8
        Of the range.

    Returns
    -------
    CustomerStory

    Raises
    ------
    DataContractError
        If the log has no such customer; the nearest spelling is named. If ``since`` is no date, or
        not before the end of the log.
    TypeError
        If ``log`` is no ``TransactionLog`` or ``model`` no value model.

    Notes
    -----
    Parts are Shapley's shares of mean values of customers alike (:meth:`ValueModel.explain`), so
    they say what a value goes with, not what would happen if the customer did otherwise.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.purchase import MBGNBD
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> model = cv.CustomerValue(purchases=MBGNBD(), horizon="52W").fit(log.summary())
    >>> story = cv.evaluation.explain_customer(model, log, 4, since="1997-12-31")
    >>> round(story.value - story.then.value - sum(move for _, move in story.moves), 9)
    0.0
    """
    if not isinstance(model, ValueModel):
        raise TypeError(f"explain_customer takes a fitted value model, not {type(model).__name__}.")
    log = as_transaction_log(log, "explain_customer")
    check_share(level, "level", above=True, below=True)
    place = place_of_customer(log, customer)
    said = Said.by(model, log, horizon, level)
    return stories_of(model, said, np.array([place]), since=since)[0]


def stories_of(
    model: Any, said: Said, places: np.ndarray, *, since: Any = None
) -> list[CustomerStory]:
    """Tell the stories of some customers, by their places, from what was said of all."""
    log = said.log
    summary = eager(log.summary("D"))
    known = histories_in(summary)
    assert known is not None  # a summary has them all
    peers = Peers.learned(known, said.value)
    here = _at(known, places)
    parts = peers.parts(here, said.value[places])
    alike, worth = peers.alike(here)
    ids = column(summary, log.customer)[places]
    spent = np.asarray(column(summary, "total_value"), dtype=np.float64)
    total, margin, of_all = spent[places], np.full(len(places), np.nan), None
    if "total_profit" in (column_names(summary) or ()) and spent.sum() > 0.0:
        profit = np.asarray(column(summary, "total_profit"), dtype=np.float64)
        of_all = float(profit.sum() / spent.sum())
        margin = np.divide(profit[places], total, out=margin, where=total > 0.0)
    thens = _then(model, said, peers, places, since)
    rhythm = peers.rhythm(here)
    end = readable(log.as_of.astype("datetime64[D]"))

    def one(values: Floats | None, i: int) -> float | None:
        return None if values is None else float(values[places[i]])

    return [
        CustomerStory(
            customer=str(ids[i]),
            as_of=end,
            horizon=str(plain_span(said.horizon)),
            value=float(said.value[places[i]]),
            chance=one(said.chance, i),
            low=one(said.low, i),
            high=one(said.high, i),
            level=said.level,
            mean=peers.mean,
            parts=tuple(parts[i].tolist()),
            n_orders=float(here.orders[i]),
            silence=float(here.silence[i]),
            usual_gap=float(rhythm[i]),
            spend=float(here.spend[i]),
            total=float(total[i]),
            alike=int(alike[i]) - 1,
            alike_value=float(worth[i]),
            then=thens[i],
            margin=None if np.isnan(margin[i]) else float(margin[i]),
            margin_of_all=of_all,
        )
        for i in range(len(places))
    ]


def _then(
    model: Any, said: Said, peers: Peers, places: np.ndarray, since: Any
) -> list[Then | None]:
    """Ask the model of the same customers at an earlier date; None where none was given."""
    if since is None:
        return [None] * len(places)
    ids = said.log.customers()[places]
    log, date = said.log, instant(since, "since")
    if date >= log.as_of:
        raise DataContractError(
            ContractProblem(
                "since",
                f"since={readable(date)} is not before the log's end, {readable(log.as_of)}",
                "Give an earlier date.",
            )
        )
    name = readable(date.astype("datetime64[D]"))
    none = Then(name, 0.0)
    with heard():  # of the same rows, which were told of before
        first = np.asarray(column(eager(log.summary("D")), "first_order")[places], "datetime64[us]")
        if not (first < after(date)).any():
            return [none] * len(ids)
        past = log.until(date).of(ids[first < after(date)])
        before = Said.by(model, past, said.horizon, said.level)
        summary = eager(past.summary("D"))
    known = histories_in(summary)
    assert known is not None
    parts = peers.parts(known, before.value)
    total = np.asarray(column(summary, "total_value"), dtype=np.float64)
    at = places_of(column(summary, log.customer), ids)
    return [
        none
        if i < 0
        else Then(
            name, float(before.value[i]), tuple(parts[i].tolist()), float(known.orders[i]),
            float(total[i]),
        )
        for i in at.tolist()
    ]  # fmt: skip


def _at(known: PeerRows, places: np.ndarray) -> PeerRows:
    return replace(
        known,
        orders=known.orders[places],
        silence=known.silence[places],
        span=known.span[places],
        spend=known.spend[places],
    )


def table_for(model: Any, log: TransactionLog) -> tuple[Any, np.ndarray]:
    """Table that a fitted model reads of a log, in its unit, and each customer's row in it."""
    customers = log.customers()
    if model.reads_table == "log":
        return log, np.arange(len(customers))
    unit = model.unit_ or "D"
    if model.reads_table == "summary":
        return log.summary(unit), np.arange(len(customers))
    if model.reads_table != "panel":
        raise NotSupportedError(
            f"{type(model).__name__} reads a table that a log does not make; explain its rows with "
            "explain(X)."
        )
    rows = latest_rows(log.panel(unit), log.customer)
    return rows, places_of(column(rows, log.customer), customers)


def place_of_customer(log: TransactionLog, customer: Any) -> int:
    """Place of a customer in the log's summary; a text that writes the id will do.

    Raises
    ------
    DataContractError
        Naming the nearest spelling.
    """
    ids = log.customers()
    if np.ndim(customer) == 0 and customer is not None:
        (exact,) = places_of(ids, np.array([customer], dtype=object))
        if exact >= 0:
            return int(exact)
    wanted = str(customer)
    texts = [str(one) for one in ids.tolist()]
    at = [i for i, text in enumerate(texts) if text == wanted]
    if len(at) == 1:
        return at[0]
    raise DataContractError(
        ContractProblem(
            "unknown-customer",
            f"the log has no customer {wanted!r}",
            _nearest(wanted, texts) or f"Its ids look like {texts[0]!r}; log.customers() has them.",
        )
    )


def _nearest(wanted: str, texts: list[str]) -> str:
    """Ask for the id spelt most like ``wanted``; only likely ones are compared letter by letter."""

    def plain(text: str) -> str:
        return "".join(text.casefold().split()).lstrip("0").removesuffix(".0")

    bare = plain(wanted)
    for text in texts:
        if plain(text) == bare:
            return f"Did you mean {text!r}?"
    half = max(len(wanted) // 2, 1)
    near = [
        text
        for text in texts
        if abs(len(text) - len(wanted)) <= 2
        and (text[:half] == wanted[:half] or text[-half:] == wanted[-half:])
    ]
    close = get_close_matches(wanted, near[:20_000] or texts[:20_000], n=1)
    return f"Did you mean {close[0]!r}?" if close else ""


def _zero(value: float) -> float:
    """0 for what rounds to nothing, so that no sign stands before it."""
    return 0.0 if abs(value) < 0.005 else value
