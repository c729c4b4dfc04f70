"""One page of words and numbers about a customer, or about a group of them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from custvalue import _frames
from custvalue._categories import MISSING, columns_of, is_text
from custvalue._open_table import open_table
from custvalue._units import DAYS_PER, days_per
from custvalue._words import HOUSE, Language, check_language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.grades._grades import ValueGrades
from custvalue.grades._profile import benjamini_hochberg, compared, parts_of
from custvalue.lifecycle import LifecycleClassifier, playbook

_SURE = 0.05
_MOST_WORDS = 3
_NEEDED = ("n_orders", "recency", "silence", "gap_mean", "gap_max", "total_value", "mean_value")


@dataclass(frozen=True)
class Portrait:
    """What :func:`portrait` says of a customer or a group.

    Parameters
    ----------
    title : str
    lines : tuple of str
        Sentences, most important first.
    facts : dict
        The numbers behind them, as plain JSON values.

    Examples
    --------
    >>> print(Portrait("Customer 7", ("1 order.",), {"n_orders": 1}))
    Customer 7
      1 order.
    """

    title: str
    lines: tuple[str, ...]
    facts: dict[str, Any]

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"  {line}" for line in self.lines)])

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{html.escape(line)}</li>" for line in self.lines)
        return f"<h4>{html.escape(self.title)}</h4><ul>{items}</ul>"


def portrait(
    customers: Any,
    who: Any,
    *,
    customer: str | None = None,
    lifecycle: LifecycleClassifier | None = None,
    grades: ValueGrades | None = None,
    also: Mapping[str, str] | None = None,
    language: Language = "en",
) -> Portrait:
    """Describe one customer, or a group, in sentences.

    Parameters
    ----------
    customers : frame
        A summary (:func:`custvalue.summarize`), with any further columns.
    who : customer id, or sequence of ids, or boolean array of shape (n_customers,)
        One customer, or a group.
    customer : str or None, default=None
        The customer column; None for what the table states.
    lifecycle : LifecycleClassifier or None, default=None
        Fitted; adds stage, what the next one wants, and what to say and do.
    grades : ValueGrades or None, default=None
        Fitted; adds the value grade.
    also : dict of str to str or None, default=None
        Further columns to tell and how to call them, e.g. ``{"future_value": "value expected over
        the next year", "region": "region"}``. Of a group, the mean of a number is told beside that
        of the rest; of text the commonest categories, and which are over-represented in it, with
        their index (100: as in all; see :func:`profile_table`).
    language : {"en", "zh"}, default="en"
        Language.

    Returns
    -------
    Portrait

    Raises
    ------
    DataContractError
        If the table lacks columns, or has none of the customers asked for.

    Examples
    --------
    >>> import custvalue as cv
    >>> from custvalue.grades import portrait
    >>> table = cv.summarize(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...     time="date", amount="amount", as_of="1998-06-30")
    >>> print(portrait(table, 111))
    Customer 111
      16 orders over 18 months, 1,107.04 in all, 69.19 an order.
      Usual gap 36 days, longest 3 months; last order 10 days ago, within the own rhythm.
      Spent more than 99 % of all customers.
    """
    language = check_language(language)
    ids = _ids(customers, customer)
    numbers = _frames.float_columns(
        customers, _NEEDED, allow_missing=_NEEDED, caller="portrait's table"
    )
    at = dict(zip(_NEEDED, numbers.T, strict=True))
    rows, one = _rows_of(ids, who)
    say = _Sayer(language, open_table(customers).unit(None))
    if one:
        i = int(rows[0])
        title = say("Customer {id}", id=ids[i])
        lines, facts = _one(say, at, i)
        facts = {"customer": _plain(ids[i])} | facts
    else:
        title = say("{n} customers", n=f"{len(rows):,}")
        lines, facts = _group(say, at, rows)
    part = _frames.rows_where(customers, np.isin(np.arange(len(ids)), rows))
    if lifecycle is not None:
        more, found = (_stage_of_one if one else _stages)(say, lifecycle, part)
        lines += more
        facts |= found
    if grades is not None:
        table = grades.grade_table(part, language="en")
        grade = _frames.column(table, "grade")
        if one:
            kind = _frames.column(table, "customer_kind")[0]
            lines.append(
                say("Value grade {g}: {kind}.", g=grade[0], kind=HOUSE(str(kind), language))
            )
            facts["grade"] = str(grade[0])
        else:
            facts["grades"] = _shares(grade)
            lines.append(say("Value grades: {list}.", list=say.listed(facts["grades"])))
    wanted = also or {}
    member = np.isin(np.arange(len(ids)), rows)
    for column, values in columns_of(customers, list(wanted), "portrait's table").items():
        line, found = (_category if is_text(values) else _figure)(
            say, wanted[column], values, member
        )
        lines.append(line)
        facts |= {f"{column}{ending}": fact for ending, fact in found.items()}
    return Portrait(title, tuple(lines), facts)


class _Sayer:
    """Fills sentences in the language and unit of one portrait."""

    def __init__(self, language: Language, unit: str | None) -> None:
        self.language = language
        self.unit = unit

    def __call__(self, template: str, **fill: Any) -> str:
        return HOUSE(template, self.language, **fill)

    def span(self, length: float) -> str:
        """Length in days up to two months, then months, then years."""
        if self.unit is None:
            return f"{length:,.3g}"
        days = length * days_per(self.unit)
        code = "D" if days < 62 else "M" if days < 730 else "Y"
        count = days / DAYS_PER[code]
        number = f"{count:.1f}" if code == "Y" else f"{count:.0f}"
        word = {"D": "days", "M": "months", "Y": "years"}[code]
        if number == "1":
            word = word.removesuffix("s")
        space = " " if self.language == "en" else ""
        return f"{number}{space}{HOUSE(word, self.language)}"

    def listed(self, shares: Mapping[str, float]) -> str:
        """Shares as a list, largest first."""
        comma = ", " if self.language == "en" else "、"
        down = sorted(shares.items(), key=lambda item: -item[1])
        return comma.join(f"{name} {_percent(share)}" for name, share in down)


def _one(say: _Sayer, at: dict[str, Any], i: int) -> tuple[list[str], dict[str, Any]]:
    orders = at["n_orders"][i]
    facts = {name: _number(values[i]) for name, values in at.items()}
    if not orders > 0:
        return [say("No order yet.")], facts
    lines = []
    total, mean = f"{at['total_value'][i]:,.2f}", f"{at['mean_value'][i]:,.2f}"
    if orders == 1:
        lines.append(say("One order of {total}, {ago} ago.", total=total,
                         ago=say.span(at["silence"][i])))  # fmt: skip
    else:
        lines.append(
            say(
                "{n} orders over {span}, {total} in all, {mean} an order.",
                n=f"{orders:,.0f}",
                span=say.span(at["recency"][i]),
                total=total,
                mean=mean,
            )
        )
        longest = at["gap_max"][i]
        quiet = at["silence"][i] > longest
        judged = "longer than any earlier gap" if quiet else "within the own rhythm"
        lines.append(
            say(
                "Usual gap {mean}, longest {longest}; last order {ago} ago, {judged}.",
                mean=say.span(at["gap_mean"][i]),
                longest=say.span(longest),
                ago=say.span(at["silence"][i]),
                judged=say(judged),
            )
        )
    known = at["total_value"][~np.isnan(at["total_value"])]
    below = float(np.mean(known < at["total_value"][i]))
    facts["spent_more_than"] = below
    lines.append(say("Spent more than {share} of all customers.", share=_percent(below)))
    return lines, facts


def _group(
    say: _Sayer, at: dict[str, Any], rows: npt.NDArray[np.intp]
) -> tuple[list[str], dict[str, Any]]:
    n, total = len(at["n_orders"]), float(np.nansum(at["total_value"]))
    money = float(np.nansum(at["total_value"][rows]))
    orders = np.nan_to_num(at["n_orders"][rows])
    facts = {
        "customers": len(rows),
        "customer_share": len(rows) / n,
        "total_value": money,
        "value_share": money / total if total else 0.0,
        "one_order_share": float(np.mean(orders == 1)),
        "median_orders": float(np.median(orders)),
    }
    lines = [
        say(
            "{share} of all customers, {value} of the value: {total} in all, {mean} a customer.",
            share=_percent(facts["customer_share"]),
            value=_percent(facts["value_share"]),
            total=f"{money:,.2f}",
            mean=f"{money / len(rows):,.2f}",
        ),
        say(
            "Half of them have {n} orders or more; {once} ordered once.",
            n=f"{facts['median_orders']:,.4g}",
            once=_percent(facts["one_order_share"]),
        ),
    ]
    silence = at["silence"][rows]
    if np.isfinite(silence).any():
        facts["median_silence"] = float(np.nanmedian(silence))
        lines.append(
            say(
                "Half of them ordered within the last {span}.",
                span=say.span(facts["median_silence"]),
            )
        )
    return lines, facts


def _stage_of_one(
    say: _Sayer, lifecycle: LifecycleClassifier, part: Any
) -> tuple[list[str], dict[str, Any]]:
    table = lifecycle.stage_table(part, language=say.language, view="eight")
    columns = {name: _frames.column(table, say(name))[0] for name in ("stage", "rule")}
    facts: dict[str, Any] = {name: str(value) for name, value in columns.items()}
    lines = [say("Stage: {stage} ({rule}).", **facts)]
    if hasattr(lifecycle, "tree_"):
        return lines, facts
    upgrade = lifecycle.upgrade_table(part, language="en", view="eight")
    row = {
        name: _frames.column(upgrade, name)[0]
        for name in ("stage", "timing", "next_stage", "time_in_stage", "since_is")
    }
    spoken = lifecycle.upgrade_table(part, language=say.language, view="eight")
    wants = _frames.column(spoken, say("wants"))[0]
    if row["since_is"] != "unknown":
        about = "about {span}" if row["since_is"] == "estimated" else "{span}"
        time = say(about, span=say.span(row["time_in_stage"]))
        lines.append(
            say("In this stage for {time}: {timing}.", time=time, timing=say(row["timing"]))
        )
    if row["next_stage"] and wants:
        lines.append(say("For {next}: {wants}.", next=say(str(row["next_stage"])), wants=wants))
    plays = playbook(
        language=say.language
    )  # its columns speak too; stage, message, step come first
    mine = plays[plays.iloc[:, 0] == say(str(row["stage"]))]
    message, step = mine.iloc[0, 1:3]
    lines.append(say("Say: {message}. Do: {step}.", message=message, step=step))
    facts |= {"timing": str(row["timing"]), "next_stage": str(row["next_stage"])}
    return lines, facts | {"time_in_stage": _number(row["time_in_stage"])}


def _stages(
    say: _Sayer, lifecycle: LifecycleClassifier, part: Any
) -> tuple[list[str], dict[str, Any]]:
    table = lifecycle.stage_table(part, language=say.language, view="eight")
    shares = _shares(_frames.column(table, say("stage")))
    return [say("Stages: {list}.", list=say.listed(shares))], {"stages": shares}


def _figure(
    say: _Sayer, called: str, values: npt.NDArray[Any], member: npt.NDArray[np.bool_]
) -> tuple[str, dict[str, Any]]:
    """One customer's number, or a group's mean beside that of the rest."""
    found = compared(values, member.astype(np.intp), 2)[1]
    number = _number(found.inside)
    shown = say("unknown") if number is None else f"{number:,.4g}"
    if member.sum() == 1 or number is None or np.isnan(found.rest):
        return say("{what}: {number}.", what=called, number=shown), {"": number}
    rest = f"{found.rest:,.4g}"
    line = say("{what}: {number} (the rest {rest}).", what=called, number=shown, rest=rest)
    return line, {"": number, "_rest": float(found.rest)}


def _category(
    say: _Sayer, called: str, values: npt.NDArray[Any], member: npt.NDArray[np.bool_]
) -> tuple[str, dict[str, Any]]:
    """One customer's word, or a group's commonest ones and those it has more of than the rest."""
    if member.sum() == 1:
        word = str(values[member][0])
        shown = say(word) if word == MISSING else word
        return say("{what}: {number}.", what=called, number=shown), {"": word}
    place = member.astype(np.intp)
    found = {word: compared(part, place, 2)[1] for word, part in parts_of(values)}
    shares = {word: one.inside for word, one in found.items() if one.inside > 0}
    z = np.array([found[word].z for word in shares])
    sure = benjamini_hochberg(2.0 * ndtr(-np.abs(z))) < _SURE
    over = {
        word: found[word].index for word, yes in zip(shares, sure & (z > 0), strict=True) if yes
    }
    common = dict(sorted(shares.items(), key=lambda item: -item[1])[:_MOST_WORDS])
    named = {say(word) if word == MISSING else word: share for word, share in common.items()}
    comma = ", " if say.language == "en" else "、"
    space = " " if say.language == "en" else ""
    more = comma.join(f"{word}{space}{index:.0f}" for word, index in over.items())
    template = "{what}: {list}; over-represented: {over}." if over else "{what}: {list}."
    line = say(template, what=called, list=say.listed(named), over=more)
    return line, {"": shares, "_over_represented": over}


def _ids(customers: Any, customer: str | None) -> npt.NDArray[Any]:
    if customer is not None:
        return np.asarray(_frames.column(customers, customer))
    stated = _frames.customer_ids(customers)
    if stated is None:
        raise ValueError("the table does not say which column is the customer; pass customer=.")
    return np.asarray(stated[1])


def _rows_of(ids: npt.NDArray[Any], who: Any) -> tuple[npt.NDArray[np.intp], bool]:
    """Rows asked for, and whether they are one customer's."""
    one = np.ndim(who) == 0
    asked = np.atleast_1d(np.asarray(who))
    if asked.dtype == bool and not one:
        if asked.shape != ids.shape:
            raise ValueError(f"who marks {len(asked)} rows; the table has {len(ids)}.")
        rows, missing = np.flatnonzero(asked), np.array([])
    else:
        rows = np.flatnonzero(np.isin(ids, asked))
        missing = asked[~np.isin(asked, ids)]
    if len(missing) or not len(rows):
        raise DataContractError(
            ContractProblem(
                "no-such-customer",
                "the table has none of the customers asked for"
                if not len(rows)
                else "the table lacks some of the customers asked for",
                "Ask for ids of its customer column.",
                len(missing),
                first_ids(missing),
            )
        )
    return rows, one


def _shares(names: Any) -> dict[str, float]:
    found, count = np.unique(np.asarray(names, dtype=str), return_counts=True)
    return {str(name): float(c / count.sum()) for name, c in zip(found, count, strict=True)}


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.1 or share == 0 else f"{share * 100:.1f} %"


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
