"""What two months of scores say: totals that add up, a forecast held to what came, advice."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import pandas as pd

from custvalue._html import html_table
from custvalue._peers import PARTS
from custvalue._words import MONTHLY, Language, check_language

STAYED, NEW, GONE = "stayed", "new", "gone"
Advice: TypeAlias = Literal["keep", "look", "refit"]
# of who stayed: name of a part -> its words
NAMES = {
    "orders": "number of orders",
    "silence": "silence against own rhythm",
    "spend": "spend per order",
    "peers": "beside customers alike",
}
FAR, OFF = 1.25, 1.10  # what came over what was said, either way
MUCH, SOME = 0.25, 0.10  # population stability
OUTSIDE = 0.05  # share of customers out of the range of the fit
# time goes on: everybody is older and longer silent a month later, which is no drift
GROWS = ("T", "recency", "silence")
_QUIET = "Nothing is beyond chance, and no input has moved much."
_UNSEEN = "No input has moved much; what came was not held to what was expected."
_MIXED = (
    "The scores are of two models, and what the new one says otherwise of the same customers is "
    "not known: it is in the parts above."
)


@dataclass(frozen=True, eq=False)
class Came:
    """What was expected of the customers of then until now, and what came.

    Parameters
    ----------
    customers, buyers : int
        Who was there then and is now, and who of them ordered since.
    said, came : float
        Spend, not discounted.
    low, high : float
        Where nine of ten such totals lie; NaN where the model does not say it.
    groups : DataFrame
        By tenths of the forecast, as `custvalue.metrics.calibration_table`.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.monthly._comparison import Came
    >>> Came(10, 4, 100.0, 110.0, 80.0, 120.0, pd.DataFrame()).ratio
    1.1
    """

    customers: int
    buyers: int
    said: float
    came: float
    low: float
    high: float
    groups: pd.DataFrame = field(repr=False)

    @property
    def ratio(self) -> float:
        """What came over what was said; NaN where nothing was."""
        return self.came / self.said if self.said > 0 else float("nan")

    @property
    def within(self) -> bool:
        """Whether what came lies where nine of ten such totals do."""
        return self.low <= self.came <= self.high


@dataclass(frozen=True, eq=False)
class WhatChanged:
    """What changed between two dates; ``print`` tells it.

    Parameters
    ----------
    customer : str
        Name of the customer column.
    then, now : str
    days : int
    horizon : str
    customers : DataFrame
        One row a customer, the largest change first: the id, ``move`` (``"stayed"``, ``"new"``,
        ``"gone"``), ``value_then``, ``value_now``, ``change``, its parts ``orders``, ``silence``,
        ``spend``, ``peers`` and ``model``, and ``orders_since``, ``spent_since``.
    came : Came or None
        Forecast against what came; None without an artefact, or where its model needs the log.
    drift : DataFrame
        ``variable`` and ``stability``, the population stability index: of each input, and of the
        value.
    advice : {"keep", "look", "refit"}
    reasons : tuple of (str, dict)
        Why: sentences and their numbers.
    fitted_anew : bool
        Whether the scores are of two models.
    left_out : int
        Customers of now without a value.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.monthly._comparison import WhatChanged
    >>> rows = pd.DataFrame({"who": [1], "move": ["new"], "value_then": [0.0], "value_now": [5.0],
    ...                      "change": [5.0], "orders": [0.0], "silence": [0.0], "spend": [0.0],
    ...                      "peers": [0.0], "model": [0.0]})
    >>> found = WhatChanged("who", "2024-05-31", "2024-06-30", 30, "52W", rows, None,
    ...                    pd.DataFrame({"variable": [], "stability": []}), "keep", ())
    >>> float(found.bridge().set_index("part")["value"]["new customers"])
    5.0
    """

    customer: str
    then: str
    now: str
    days: int
    horizon: str
    customers: pd.DataFrame = field(repr=False)
    came: Came | None
    drift: pd.DataFrame = field(repr=False)
    advice: Advice
    reasons: tuple[tuple[str, dict[str, Any]], ...]
    fitted_anew: bool = False
    left_out: int = 0

    def bridge(self, language: Language = "en") -> pd.DataFrame:
        """Lay out the way from the value then to the value now.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        DataFrame
            ``part``, ``customers`` and ``value``: the value then, who is gone, who is new, the
            parts of who stayed, and the value now, which is the sum of the rows above it.
        """
        check_language(language)
        rows = self.customers
        by = {name: rows[rows["move"] == name] for name in (STAYED, NEW, GONE)}
        had = len(by[STAYED]) + len(by[GONE])
        lines: list[tuple[str, int, float]] = [
            ("value then", had, float(rows["value_then"].sum())),
            ("customers gone", len(by[GONE]), float(by[GONE]["change"].sum())),
            ("new customers", len(by[NEW]), float(by[NEW]["change"].sum())),
        ]
        stayed = by[STAYED]
        lines += [(NAMES[name], len(stayed), float(stayed[name].sum())) for name in PARTS]
        if self._model_apart:
            lines.append(("the new model", len(stayed), float(stayed["model"].sum())))
        there = len(stayed) + len(by[NEW])
        lines.append(("value now", there, float(rows["value_now"].sum())))
        table = pd.DataFrame(lines, columns=["part", "customers", "value"])
        return MONTHLY.table(table, language, cells=["part"])

    @property
    def _model_apart(self) -> bool:
        """Whether what a new model says otherwise of the same customers is known."""
        return self.fitted_anew and bool(self.customers["model"].any())

    def movers(self, n: int = 10) -> pd.DataFrame:
        """List the customers whose value rose or fell most.

        Parameters
        ----------
        n : int, default=10

        Returns
        -------
        DataFrame
            Rows of ``customers``.
        """
        return self.customers.head(n)

    def text(self, language: Language = "en") -> str:
        """Tell what changed in a few sentences.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        str
        """

        def say(text: str, **values: Any) -> str:
            return MONTHLY(text, check_language(language), **values)

        rows = self.customers
        change = float(rows["change"].sum())
        told = [
            say(
                "From {then} to {now} ({days} days) the value of all customers moved by "
                "{change:+,.2f}, from {before:,.2f} to {after:,.2f}.",
                then=self.then, now=self.now, days=self.days, change=_zero(change),
                before=float(rows["value_then"].sum()), after=float(rows["value_now"].sum()),
            )
        ]  # fmt: skip
        bridge = self.bridge().iloc[1:-1]
        told.append(
            say("Of that: {parts}.",
                parts=say("; ").join(
                    say("{part} {value:+,.2f}", part=say(part), value=_zero(value))
                    for part, _, value in bridge.itertuples(index=False)
                ))
        )  # fmt: skip
        if self.came is not None:
            told.append(
                say(
                    "Of the customers of {then} {said:,.2f} were expected by {now}, and "
                    "{came:,.2f} came.",
                    then=self.then, now=self.now, said=self.came.said, came=self.came.came,
                )
            )  # fmt: skip
            if math.isfinite(self.came.low):
                told.append(
                    say(
                        "Nine of ten such totals lie between {low:,.2f} and {high:,.2f}.",
                        low=self.came.low, high=self.came.high,
                    )
                )  # fmt: skip
        told.append(say(_ADVICE[self.advice]))
        told += [say(text, **self._in(values, language)) for text, values in self.reasons]
        if self.fitted_anew and not self._model_apart:
            told.append(say(_MIXED))
        if self.left_out:
            told.append(say("Customers without a value, by their status: {n:,}.", n=self.left_out))
        return say(" ").join(told)

    @staticmethod
    def _in(values: dict[str, Any], language: Language) -> dict[str, Any]:
        return {k: MONTHLY.name(v, language) for k, v in values.items()}

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        table = self.bridge()
        return html_table(self.text(), list(table.columns), table.itertuples(index=False))

    def to_dict(self, language: Language = "en", n: int = 50) -> dict[str, Any]:
        """Plain JSON values.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"
            Of the sentences.
        n : int, default=50
            Customers that are listed.

        Returns
        -------
        dict
        """
        came = self.came
        return {
            "then": self.then,
            "now": self.now,
            "days": self.days,
            "horizon": self.horizon,
            "bridge": self.bridge().to_dict("records"),
            "came": None
            if came is None
            else {
                "customers": came.customers,
                "buyers": came.buyers,
                "said": came.said,
                "came": came.came,
                "low": _finite(came.low),
                "high": _finite(came.high),
                "groups": came.groups.to_dict("records"),
            },
            "drift": self.drift.to_dict("records"),
            "advice": self.advice,
            "fitted_anew": self.fitted_anew,
            "left_out": self.left_out,
            "movers": self.movers(n).to_dict("records"),
            "text": self.text(language),
        }


_ADVICE = {
    "keep": "Keep the model.",
    "look": "Look at it before the next month.",
    "refit": "Fit the model again.",
}


def advice_of(
    came: Came | None, drift: pd.DataFrame, outside: float
) -> tuple[Advice, tuple[tuple[str, dict[str, Any]], ...]]:
    """Say whether to fit again, and why.

    What came more than a quarter beside what was said, and beyond chance, asks for it; so does an
    input that does not move by time alone, or the value, once its stability index is above 0.25;
    and more than a twentieth of the customers out of the range of the fit. A tenth, and 0.1, ask
    for a look.
    """
    reasons: list[tuple[str, dict[str, Any]]] = []
    worst: Advice = "keep"
    if came is not None and math.isfinite(came.ratio) and came.ratio > 0 and not came.within:
        off = max(came.ratio, 1.0 / came.ratio)
        if off > OFF:
            worst = "refit" if off > FAR else "look"
            reasons.append(
                ("What came is {ratio:.0%} of what was expected.", {"ratio": came.ratio})
            )
    elif came is not None and came.came <= 0.0 < came.low:
        worst = "refit"
        reasons.append(("Nothing came of what was expected.", {}))
    for name, psi in drift.itertuples(index=False):
        if name in GROWS or psi <= SOME:
            continue
        worst = "refit" if psi > MUCH else ("look" if worst == "keep" else worst)
        reasons.append(
            ("{name} has moved (stability index {psi:.2f}).", {"name": name, "psi": psi})
        )
    if outside > OUTSIDE:
        worst = "refit"
        reasons.append(
            ("{share:.0%} of the customers are beyond all that the fit saw.", {"share": outside})
        )
    if worst == "keep":
        reasons.append((_QUIET if came is not None else _UNSEEN, {}))
    return worst, tuple(reasons)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _zero(value: float) -> float:
    """0 for what rounds to nothing, so that no sign stands before it."""
    return 0.0 if abs(value) < 0.005 else float(value)
