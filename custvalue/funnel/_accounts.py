"""Small tools for key accounts and calls: who decides, when they need, how often to call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from custvalue import _frames
from custvalue._typing import Floats
from custvalue._words import FUNNEL, Language, check_language
from custvalue.exceptions import ContractProblem, DataContractError, first_ids, nearest
from custvalue.silence import GapPrior

ROLES = ("user", "influencer", "decider", "buyer", "gatekeeper", "approver")
LEVELS = ("unknown", "first impression", "trust", "alliance")
DECIDES = ("decider", "approver")


def account_coverage(
    contacts: Any,
    *,
    account: str | None = None,
    contact: str = "contact",
    role: str = "role",
    influence: str = "influence",
    level: str = "level",
    level_before: str | None = None,
    silence: str | None = None,
    keep: Sequence[str] = (),
    language: Language = "en",
) -> Any:
    """How well an account's buying centre is covered, and what blocks it (决策链).

    Coverage is ``Σ influence x level / (3 Σ influence)``; an account is blocked while somebody who
    decides or approves is below level 2.

    Parameters
    ----------
    contacts : frame
        One row a person.
    account : str, optional
        Column with the account; without it all rows are one account.
    contact : str, default="contact"
    role : str, default="role"
        User, influencer, decider, buyer, gatekeeper (Webster & Wind 1972), or approver; in English
        or Chinese.
    influence : str, default="influence"
        Weight of the person's word, 0 or more.
    level : str, default="level"
        Relation: 0 unknown 生疏, 1 first impression 建立印象, 2 trust 信任和好感,
        3 alliance 心理同盟.
    level_before : str, optional
        The level some time ago: an account where one has fallen is on the watch list.
    silence : str, optional
        Silence score S of `custvalue.silence.SilenceScorer`; at 1 or more the account is on the
        watch list.
    keep : sequence of str, default=()
        Other columns to keep, as the weakest contact's row has them: owner, next step, due date.
    language : {"en", "zh"}, default="en"

    Returns
    -------
    frame of the kind of ``contacts``
        One row an account: ``account`` (where there is such a column), ``contacts``, ``coverage``,
        ``blocked``, ``weakest`` (the contact with most influence x missing level) and ``watch``.

    Raises
    ------
    DataContractError
        Unknown roles, levels outside 0 to 3, influence below 0 or nought in all: all together.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import account_coverage
    >>> people = pd.DataFrame({"contact": ["Li", "Wang", "Zhao", "Sun"],
    ...                        "role": ["decider", "influencer", "buyer", "user"],
    ...                        "influence": [.4, .3, .2, .1], "level": [3, 1, 2, 0]})
    >>> account_coverage(people).round(6)
       contacts  coverage  blocked weakest  watch
    0         4  0.633333    False    Wang  False
    """
    import pandas as pd

    check_language(language)
    table = _frames.eager(contacts)
    names = [account, contact, role, influence, level, level_before, silence, *keep]
    have = _frames.column_names(table) or []
    lost = [name for name in names if name is not None and name not in have]
    if lost:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"contacts: there is no column {', '.join(map(repr, lost))}; there are "
                f"{', '.join(map(str, have))}",
                "Say which columns to read.",
            )
        )
    english = {FUNNEL.name(name, "zh"): name for name in ROLES}
    roles = [english.get(str(word), str(word)) for word in _frames.column(table, role)]
    numeric = [name for name in (influence, level, level_before, silence) if name is not None]
    numbers = dict(
        zip(numeric, _frames.float_vectors(table, numeric, caller="contacts"), strict=True)
    )
    w, lv = numbers[influence], numbers[level]
    who = np.asarray(_frames.column(table, contact), dtype=object)
    code, ids = (
        (np.zeros(len(w), dtype=np.int64), [None])
        if account is None
        else pd.factorize(np.asarray(_frames.column(table, account), dtype=object), sort=True)
    )
    total = np.bincount(code[code >= 0], w[code >= 0], len(ids))
    strange = [word for word in roles if word not in ROLES]
    hint = nearest(strange[0], ROLES) if strange else ""
    off = {name for name in (level, level_before) if name}
    told = np.array(roles, dtype=object).astype(str)
    checks = [
        (
            f"column {role!r} has a role that is not known.{hint}",
            np.flatnonzero(~np.isin(told, ROLES)),
            f"Roles are {', '.join(ROLES)}.",
        ),
        *(
            (
                f"column {name!r} is not 0, 1, 2 or 3",
                np.flatnonzero(~np.isin(numbers[name], range(4))),
                "0 unknown, 1 first impression, 2 trust, 3 alliance.",
            )
            for name in sorted(off)
        ),
        (f"column {influence!r} is negative", np.flatnonzero(w < 0), "Influence is 0 or more."),
        (
            "an account's influence adds up to nothing",
            np.flatnonzero((total <= 0)[code]),
            "Somebody's word must count.",
        ),
        ("the account is missing", np.flatnonzero(code < 0), "Name it."),
    ]
    problems = [
        ContractProblem("contacts", text, cure, len(rows), first_ids(who[rows]))
        for text, rows, cure in checks
        if len(rows)
    ]
    if problems:
        raise DataContractError(problems)
    n = len(ids)
    decides = np.isin(told, DECIDES)
    missing = w * (3.0 - lv)
    rows_of = [np.flatnonzero(code == k) for k in range(n)]
    weakest = np.array([rows[np.argmax(missing[rows])] for rows in rows_of])
    columns: dict[str, Any] = {} if account is None else {"account": list(ids)}
    columns |= {
        "contacts": np.bincount(code, minlength=n),
        "coverage": np.bincount(code, w * lv, n) / (3.0 * total),
        "blocked": np.bincount(code, decides & (lv < 2), n) > 0,
        "weakest": [str(who[k]) if missing[k] > 0 else "" for k in weakest],
    }
    watch = np.zeros(len(w), dtype=bool)
    if level_before:
        watch |= lv < numbers[level_before]
    if silence:
        watch |= numbers[silence] >= 1.0
    columns["watch"] = np.bincount(code, watch, n) > 0
    columns |= {name: np.asarray(_frames.column(table, name))[weakest] for name in keep}
    return _frames.new_table(table, FUNNEL.table(columns, language, cells=["stage"]))


def need_window(
    prior: GapPrior,
    n_orders: npt.ArrayLike,
    gap_sum: npt.ArrayLike,
    silence: npt.ArrayLike = 0.0,
    *,
    low: float = 0.1,
    high: float = 0.9,
) -> Floats:
    """When the next order is due: from the last order, quantiles of the gap (需求窗口期).

    With b = α + ΣT_i and e = r + n - 1 the gap that has lasted ``s`` ends by
    ``s + (b + s) ((1 - q)^(-1/e) - 1)`` with chance q: gaps are exponential, their rates Gamma.

    Parameters
    ----------
    prior : GapPrior
        As `SilenceScorer` learns it, with ``regularity=1``.
    n_orders : array-like of shape (n,)
        Orders so far, 1 or more.
    gap_sum : array-like of shape (n,)
        Sum of the gaps between them.
    silence : array-like of shape (n,), default=0.0
        Time since the last order, in the same unit.
    low, high : float, default=0.1, 0.9
        Chances that the order has come by the ends of the window.

    Returns
    -------
    ndarray of shape (n, 2)
        Beginning and end of the window, counted from the last order.

    Raises
    ------
    ValueError
        If a figure cannot be, or gaps are more regular than exponential.

    Examples
    --------
    >>> from custvalue.funnel import need_window
    >>> from custvalue.silence import GapPrior
    >>> need_window(GapPrior(2.0, 20.0), [4], [55.0]).round(3)
    array([[ 1.597, 43.867]])
    >>> need_window(GapPrior(2.0, 20.0), [4], [55.0], [15.0]).round(3)
    array([[16.917, 67.64 ]])
    """
    if prior.regularity != 1:
        raise ValueError(
            f"need_window is for exponential gaps; this prior has regularity={prior.regularity}. "
            "Fit it with regularity=1."
        )
    if not 0.0 <= low < high < 1.0:
        raise ValueError(f"low={low!r} and high={high!r} must rise between 0 and 1.")
    n, total, s = np.broadcast_arrays(
        np.atleast_1d(np.asarray(n_orders, dtype=np.float64)),
        np.asarray(gap_sum, dtype=np.float64),
        np.asarray(silence, dtype=np.float64),
    )
    bad = np.flatnonzero(~((n >= 1) & (total >= 0) & (s >= 0)))
    if len(bad):
        raise ValueError(
            f"{len(bad)} row(s) have n_orders below 1, or a gap_sum or silence below 0 or missing, "
            f"first: {', '.join(first_ids(bad))}."
        )
    b, e = prior.alpha + total, prior.r + n - 1.0
    ends = [s + (b + s) * np.expm1(-np.log1p(-q) / e) for q in (low, high)]
    return np.stack(ends, axis=-1)


def contact_timing(
    contacts: Any,
    log: Any,
    prior: GapPrior,
    *,
    customer: str = "customer",
    time: str = "time",
    low: float = 0.1,
    high: float = 0.9,
    time_format: str | None = None,
    language: Language = "en",
) -> Any:
    """Share of contacts before, in and after the need window of the customer they went to.

    Parameters
    ----------
    contacts, log : frame
        One row a contact; one row an order. Several orders on one day are one.
    prior : GapPrior
        Of gaps in days; each window is that of `need_window` on the orders before the contact.
    customer, time : str
        Columns of both tables.
    low, high : float, default=0.1, 0.9
        Chances that the order has come by the ends of the window.
    time_format : str, optional
        Of dates as text that are not ISO 8601.
    language : {"en", "zh"}, default="en"

    Returns
    -------
    frame of the kind of ``contacts``
        ``timing`` (early, in the window, late, no order yet), ``contacts``, ``share``.

    Raises
    ------
    DataContractError
        If a column is missing, a customer or date is missing or unreadable, or a table is empty.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from custvalue.funnel import contact_timing
    >>> from custvalue.silence import GapPrior
    >>> day = np.datetime64("2024-01-01")
    >>> log = pd.DataFrame({"customer": "Li", "time": day + np.array([0, 20, 40, 55])})
    >>> contacts = pd.DataFrame({"customer": "Li", "time": day + 55 + np.array([1, 5, 12, 30, 50])})
    >>> contact_timing(contacts, log, GapPrior(2.0, 20.0))["contacts"].tolist()
    [1, 3, 1, 0]
    """
    import pandas as pd

    check_language(language)
    table, orders = _frames.eager(contacts), _frames.eager(log)
    who, when = _days(table, customer, time, time_format, "contacts")
    buyer, bought = _days(orders, customer, time, time_format, "the log")
    code, _ = pd.factorize(np.concatenate([buyer, who]))
    buyer, who = code[: len(buyer)], code[len(buyer) :]
    day = pd.DataFrame({"who": buyer, "day": bought}).drop_duplicates().sort_values(["who", "day"])
    # one number line: customers behind each other, days within
    reach = int(max(bought.max(), when.max()) - min(bought.min(), when.min())) + 1
    base = int(min(bought.min(), when.min()))
    line = day["who"].to_numpy() * reach + day["day"].to_numpy() - base
    first = np.searchsorted(line, who * reach)
    last = np.searchsorted(line, who * reach + when - base, side="right")
    n = last - first
    some = np.flatnonzero(n > 0)
    place = np.full(len(who), 3)
    if len(some):
        since = (who * reach + when - base)[some] - line[last[some] - 1]
        gaps = line[last[some] - 1] - line[first[some]]
        ends = need_window(prior, n[some], gaps, low=low, high=high)
        place[some] = np.where(since < ends[:, 0], 0, np.where(since <= ends[:, 1], 1, 2))
    count = np.bincount(place, minlength=4)
    columns = {
        "timing": ["early", "in the window", "late", "no order yet"],
        "contacts": count,
        "share": count / len(who),
    }
    return _frames.new_table(table, FUNNEL.table(columns, language, cells=("timing",)))


def _days(table: Any, customer: str, time: str, style: str | None, what: str) -> tuple[Any, Any]:
    """Read customers and whole days since 1970."""
    have = _frames.column_names(table) or []
    lost = [name for name in (customer, time) if name not in have]
    if lost:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"{what}: there is no column {', '.join(map(repr, lost))}; there are "
                f"{', '.join(map(str, have))}",
                "Say which columns to read.",
            )
        )
    who = np.asarray(_frames.column(table, customer), dtype=object)
    when = _frames.wall_times(table, time, time_format=style)
    bad = np.flatnonzero(_frames.missing_ids(who) | np.isnat(when))
    if len(bad) or not len(who):
        raise DataContractError(
            ContractProblem(
                "missing-value" if len(bad) else "empty",
                f"{what}: {customer!r} or {time!r} is missing or unreadable"
                if len(bad)
                else f"{what} has no rows",
                "Fill it in, or leave these rows out.",
                len(bad),
                first_ids(bad),
            )
        )
    return who, when.astype("datetime64[D]").view(np.int64)


def calls_needed(k: int, p: float, confidence: float = 0.8) -> int:
    """Least number of calls that brings ``k`` leads with some confidence (外呼计划).

    The least n with P(Binomial(n, p) >= k) >= confidence. The mean, k / p, fails on nearly every
    second day.

    Parameters
    ----------
    k : int
        Leads wanted.
    p : float
        Chance that a call brings one.
    confidence : float, default=0.8

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If a figure cannot be.

    Examples
    --------
    >>> from custvalue.funnel import calls_needed
    >>> calls_needed(3, 1 / 33), calls_needed(3, 1 / 33, 0.9)
    (141, 174)
    """
    from scipy.stats import binom

    if k != int(k) or k < 0 or not 0.0 < p <= 1.0 or not 0.0 < confidence < 1.0:
        raise ValueError(
            f"calls_needed(k={k!r}, p={p!r}, confidence={confidence!r}): k is a whole number, p a "
            "chance above 0, confidence between 0 and 1."
        )
    k = int(k)
    low, high = max(k - 1, 0), max(k, 1)
    while binom.sf(k - 1, high, p) < confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if binom.sf(k - 1, middle, p) >= confidence:
            high = middle
        else:
            low = middle
    return 0 if k == 0 else high
