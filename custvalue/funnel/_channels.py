"""Which channels go together with conversion: the removal effect of a chain of contacts.

Anderl, Becker, von Wangenheim & Schumann (2016), Mapping the customer journey: lessons learned from
graph-based online attribution modeling, International Journal of Research in Marketing 33(3),
457-474.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import chi2

from custvalue import _frames
from custvalue._typing import Floats
from custvalue.chains import Chain
from custvalue.exceptions import ContractProblem, DataContractError, first_ids

if TYPE_CHECKING:
    import pandas as pd

Path = tuple[str, ...]
START, CONVERSION, NULL = "(start)", "(conversion)", "(null)"


@dataclass(frozen=True, eq=False)
class ChannelAttribution:
    """Credit of each channel under the chain, beside first, last and linear.

    Parameters
    ----------
    table : DataFrame
        One row a channel: ``channel``, ``contacts``, ``removal_effect``, ``share``, ``markov``
        (conversions), ``first``, ``last``, ``linear``; with values ``value``; with costs ``cost``
        and ``return_per_cost``; with draws ``low`` and ``high`` of ``share``.
    chain : Chain
        States are tuples of the last channels, ``"(start)"``, ``"(conversion)"``, ``"(null)"``.
    order : int
    conversion_rate : float
        Of the chain.
    tests : DataFrame
        One row an order that was tested against the next: ``order``, ``g2``, ``df``, ``p_value``.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import channel_attribution
    >>> paths = pd.DataFrame({"path": ["C1 > C2 > C3", "C1", "C2 > C3"],
    ...                       "conversions": [1, 0, 0], "nulls": [0, 1, 1]})
    >>> channel_attribution(paths, order=1).table["markov"].round(6).tolist()
    [0.2, 0.4, 0.4]
    """

    table: pd.DataFrame = field(repr=False)
    chain: Chain = field(repr=False)
    order: int
    conversion_rate: float
    tests: pd.DataFrame = field(repr=False)

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.table.to_html(float_format='{:,.4g}'.format)}"


def contact_paths(
    contacts: Any,
    *,
    customer: str = "customer",
    channel: str = "channel",
    time: str = "time",
    conversion: str = "conversion",
    value: str | None = None,
    cost: str | None = None,
    time_format: str | None = None,
) -> Any:
    """Paths of contacts, one row a customer's way to a conversion or to none.

    Parameters
    ----------
    contacts : frame
        One row a contact.
    customer, channel, time : str
    conversion : str, default="conversion"
        Column that is true (or 1) where the contact led to a conversion; the path ends there, and
        later contacts of the customer begin a new one.
    value, cost : str, optional
        Columns with the value of a conversion and the cost of a contact.
    time_format : str, optional

    Returns
    -------
    frame of the kind of ``contacts``
        ``customer``, ``path`` (``"a > b"``), ``conversions``, ``nulls``, ``value``, ``cost``.

    Raises
    ------
    DataContractError
        If a column is missing, or a contact has no customer, channel or time.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import contact_paths
    >>> contacts = pd.DataFrame({"customer": [1, 1, 2], "channel": ["ads", "mail", "ads"],
    ...                          "time": ["2024-01-01", "2024-01-05", "2024-01-02"],
    ...                          "conversion": [0, 1, 0]})
    >>> contact_paths(contacts)[["path", "conversions", "nulls"]]
             path  conversions  nulls
    0  ads > mail            1      0
    1         ads            0      1
    """
    table = _frames.eager(contacts)
    _need(table, [customer, channel, time, conversion, value, cost], "contacts")
    who = np.asarray(_frames.column(table, customer))
    what = np.asarray(_frames.column(table, channel), dtype=object)
    when = _frames.wall_times(table, time, time_format=time_format)
    import pandas as pd

    problems = [
        ContractProblem(
            "missing-value",
            f"column {name!r} is missing or unreadable",
            "Fill it in, or leave these contacts out.",
            int(bad.sum()),
            first_ids(np.flatnonzero(bad)),
        )
        for name, bad in (
            (customer, _frames.missing_ids(who)), (channel, pd.isna(what)), (time, np.isnat(when)),
        )
        if bad.any()
    ]  # fmt: skip
    if problems:
        raise DataContractError(problems)
    numbers = _frames.float_vectors(
        table, [name for name in (conversion, value, cost) if name], caller="contacts"
    )
    done = numbers[0] > 0
    code, ids = pd.factorize(who)
    order = np.lexsort((np.arange(len(code)), when, code))
    code, done = code[order], done[order]
    begins = np.ones(len(code), dtype=bool)
    begins[1:] = (code[1:] != code[:-1]) | done[:-1]
    at = np.flatnonzero(begins)
    ends = np.append(at[1:], len(code))
    texts = what[order].astype(str)
    converted = done[ends - 1]
    columns: dict[str, Any] = {
        "customer": np.asarray(ids)[code[at]],
        "path": [" > ".join(texts[i:j]) for i, j in zip(at, ends, strict=True)],
        "conversions": converted.astype(np.int64),
        "nulls": (~converted).astype(np.int64),
    }
    if value:
        columns["value"] = np.where(converted, numbers[1][order][ends - 1], 0.0)
    if cost:
        columns["cost"] = np.add.reduceat(numbers[-1][order], at)
    return _frames.new_table(table, columns)


def channel_attribution(
    paths: Any,
    *,
    path: str = "path",
    conversions: str = "conversions",
    nulls: str | None = "nulls",
    value: str | None = None,
    costs: dict[str, float] | None = None,
    order: int | str = "auto",
    repeats: str = "keep",
    n_draws: int = 0,
    level: float = 0.9,
    random_state: int | np.random.Generator | None = None,
) -> ChannelAttribution:
    """Credit channels by what conversion would lose without them (removal effect).

    A chain goes from the start through channels to conversion or to nothing, by counted moves. A
    channel's effect is ``1 - P(conversion | every move into it goes to nothing) / P(conversion)``,
    and conversions are shared in proportion.

    **It tells what goes together, not what causes what.** Customers who look for the brand click
    the brand's ad and buy anyway. What a channel brings is learned from a random control group, by
    `custvalue.campaign.campaign_effect`.

    Parameters
    ----------
    paths : frame
        One row a path (or a kind of path), as `contact_paths` makes them.
    path : str, default="path"
        Column with the channels in order: text ``"a > b"``, or lists.
    conversions, nulls : str
        Columns with how often the path converted, and how often it did not; ``nulls=None`` where
        only converting paths are known.
    value : str, optional
        Column with the value of the path's conversions; shared like them.
    costs : dict, optional
        Cost by channel: gives the return per unit of cost.
    order : {"auto", 1, 2, 3}, default="auto"
        How many of the last channels make a state. ``"auto"`` takes the least order that the next
        one does not beat (likelihood-ratio test at 5 %).
    repeats : {"keep", "collapse"}, default="keep"
        Whether the same channel twice in a row counts twice.
    n_draws : int, default=0
        Bootstrap of paths (of customers, where each has one): adds ``low`` and ``high`` of each
        share.
    level : float, default=0.9
        Of that interval.
    random_state : int, Generator or None

    Returns
    -------
    ChannelAttribution

    Raises
    ------
    DataContractError
        If columns are missing, a path has no channel, or a count is negative.
    ValueError
        If nothing converted, or an option cannot be.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.funnel import channel_attribution
    >>> paths = pd.DataFrame({"path": ["ads", "mail", "ads > mail"], "conversions": [2, 1, 1],
    ...                       "nulls": [1, 0, 0]})
    >>> found = channel_attribution(paths, order=1)
    >>> found.table[["channel", "removal_effect", "markov", "first", "last", "linear"]].round(2)
      channel  removal_effect  markov  first  last  linear
    0     ads            0.75     2.4    3.0   2.0     2.5
    1    mail            0.50     1.6    1.0   2.0     1.5
    """
    import pandas as pd

    if order not in ("auto", 1, 2, 3):
        raise ValueError(f"order={order!r} must be 'auto', 1, 2 or 3.")
    if repeats not in ("keep", "collapse"):
        raise ValueError(f"repeats={repeats!r} must be 'keep' or 'collapse'.")
    table = _frames.eager(paths)
    _need(table, [path, conversions, nulls, value], "the table of paths")
    ways = [_split(cell, repeats) for cell in _frames.column(table, path).tolist()]
    bare = [i for i, way in enumerate(ways) if not way]
    names = [name for name in (conversions, nulls, value) if name]
    numbers = _frames.float_vectors(table, names, caller="the table of paths")
    yes = numbers[0]
    no = numbers[1] if nulls else np.zeros(len(yes))
    problems = []
    if bare:
        problems.append(
            ContractProblem(
                "no-channel",
                f"column {path!r} has paths without a channel",
                "Name what brought them ('direct'), or leave them out.",
                len(bare),
                first_ids(bare),
            )
        )
    negative = np.flatnonzero((yes < 0) | (no < 0))
    if len(negative):
        problems.append(
            ContractProblem(
                "negative-count", f"{conversions!r} or {nulls!r} is negative", "They count paths.",
                len(negative), first_ids(negative),
            )
        )  # fmt: skip
    if problems:
        raise DataContractError(problems)
    used = yes + no > 0  # a path that never was says nothing
    ways = [way for way, u in zip(ways, used, strict=True) if u]
    yes, no = yes[used], no[used]
    if not yes.sum() > 0:
        raise ValueError(
            "no path converted, so there is nothing to give credit for: the removal effect divides "
            "by the chance of conversion."
        )
    tests = _order_tests(ways, yes, no)
    k = _chosen(tests) if order == "auto" else int(order)
    channels = sorted({name for way in ways for name in way})
    moves = _Moves(ways, k)
    chain, effects, rate = moves.effects(yes, no, channels)
    share = effects / effects.sum()
    out = pd.DataFrame(
        {
            "channel": channels,
            "contacts": _credit(ways, channels, yes + no, "contacts"),
            "removal_effect": effects,
            "share": share,
            "markov": share * yes.sum(),
            "first": _credit(ways, channels, yes, "first"),
            "last": _credit(ways, channels, yes, "last"),
            "linear": _credit(ways, channels, yes, "linear"),
        }
    )
    if value:
        out["value"] = share * numbers[-1][used].sum()
    if costs is not None:
        _costs_into(out, costs, has_value=value is not None)
    if n_draws:
        rng = np.random.default_rng(random_state)
        n = np.concatenate([yes, no])
        drawn = rng.multinomial(round(n.sum()), n / n.sum(), size=int(n_draws)).astype(float)
        shares = []
        for w in drawn:
            if w[: len(yes)].sum() > 0:
                _, e, _ = moves.effects(w[: len(yes)], w[len(yes) :], channels)
                shares.append(e / e.sum())
        tail = 50.0 * (1.0 - level)
        out["low"], out["high"] = np.percentile(shares, [tail, 100.0 - tail], axis=0)
    return ChannelAttribution(out, chain, k, rate, tests)


def _need(table: Any, names: Sequence[str | None], what: str) -> None:
    have = _frames.column_names(table)
    if have is None:
        raise TypeError(f"{what} must be a table, not {type(table).__name__}.")
    lost = [name for name in names if name is not None and name not in have]
    if lost:
        raise DataContractError(
            ContractProblem(
                "missing-column",
                f"{what}: there is no column {', '.join(map(repr, lost))}; there are "
                f"{', '.join(map(str, have))}",
                "Say which columns to read.",
            )
        )


def _split(cell: Any, repeats: str) -> Path:
    if cell is None or isinstance(cell, float):
        return ()
    parts = cell.split(">") if isinstance(cell, str) else [str(name) for name in cell]
    way = [name.strip() for name in parts if name.strip()]
    if repeats == "collapse":
        way = [name for i, name in enumerate(way) if i == 0 or name != way[i - 1]]
    return tuple(way)


def _states(way: Path, k: int) -> list[Any]:
    """Tuples of the last ``k`` channels after each contact; the start first."""
    return [START, *(way[max(0, i - k + 1) : i + 1] for i in range(len(way)))]


class _Moves:
    """Moves of each path between states of one order, ready to be weighted."""

    def __init__(self, ways: Sequence[Path], k: int) -> None:
        place: dict[Any, int] = {START: 0}
        path, before, after, last = [], [], [], []
        for i, way in enumerate(ways):
            at = [place.setdefault(state, len(place)) for state in _states(way, k)]
            path += [i] * (len(at) - 1)
            before += at[:-1]
            after += at[1:]
            last.append(at[-1])
        self.states = list(place)
        self._path, self._before, self._after, self._last = map(
            np.array, (path, before, after, last)
        )

    def effects(self, yes: Any, no: Any, channels: list[str]) -> tuple[Chain, Floats, float]:
        """Chain of the weighted moves, removal effects, chance of conversion."""
        n = len(self.states)
        counts = np.zeros((n + 2, n + 2))
        np.add.at(counts, (self._before, self._after), (yes + no)[self._path])
        np.add.at(counts, (self._last, np.full(len(yes), n)), yes)
        np.add.at(counts, (self._last, np.full(len(no), n + 1)), no)
        counts[n, n] = counts[n + 1, n + 1] = 1.0
        empty = counts.sum(axis=1) == 0  # states that a draw left out
        counts[empty, n + 1] = 1.0
        matrix = counts / counts.sum(axis=1, keepdims=True)
        chain = Chain((*self.states, CONVERSION, NULL), matrix, (CONVERSION, NULL))
        rate = float(_converts(matrix)[0])
        out = []
        for name in channels:
            gone = [i for i, s in enumerate(self.states) if s != START and s[-1] == name]
            without = matrix.copy()
            without[:, n + 1] += without[:, gone].sum(axis=1)
            without[:, gone] = 0.0
            out.append(1.0 - float(_converts(without)[0]) / rate)
        return chain, np.maximum(np.array(out), 0.0), rate


def _converts(matrix: Floats) -> Floats:
    """Chance of conversion from each state: (I - Q) b = r."""
    n = len(matrix) - 2
    return np.asarray(np.linalg.solve(np.eye(n) - matrix[:n, :n], matrix[:n, n]))


def _credit(ways: Sequence[Path], channels: list[str], weight: Any, how: str) -> Floats:
    out = dict.fromkeys(channels, 0.0)
    for way, w in zip(ways, weight, strict=True):
        if how in ("first", "last"):
            out[way[0 if how == "first" else -1]] += w
        else:
            for name in way:
                out[name] += w if how == "contacts" else w / len(way)
    return np.array(list(out.values()))


def _order_tests(ways: Sequence[Path], yes: Any, no: Any) -> pd.DataFrame:
    """Likelihood ratio of each order against the next (Anderson & Goodman 1957)."""
    import pandas as pd

    fits = [_log_likelihood(ways, yes, no, k) for k in (1, 2, 3)]
    rows = []
    for k in (1, 2):
        g2 = max(2.0 * (fits[k][0] - fits[k - 1][0]), 0.0)
        df = fits[k][1] - fits[k - 1][1]
        p = float(chi2.sf(g2, df)) if df > 0 else 1.0
        rows.append({"order": k, "g2": g2, "df": df, "p_value": p})
    return pd.DataFrame(rows)


def _log_likelihood(ways: Sequence[Path], yes: Any, no: Any, k: int) -> tuple[float, int]:
    """Log likelihood of the moves under order k, and its free parameters."""
    n: dict[Any, dict[Any, float]] = {}
    for way, y, z in zip(ways, yes, no, strict=True):
        states = _states(way, k)
        for i, state in enumerate(states):
            row = n.setdefault(state, {})
            if i + 1 < len(states):
                row[way[i]] = row.get(way[i], 0.0) + y + z
            else:
                row[CONVERSION] = row.get(CONVERSION, 0.0) + y
                row[NULL] = row.get(NULL, 0.0) + z
    total, free = 0.0, 0
    for row in n.values():
        c = np.array([v for v in row.values() if v > 0])
        total += float(c @ np.log(c / c.sum()))
        free += len(c) - 1
    return total, free


def _chosen(tests: pd.DataFrame) -> int:
    for k, p in zip(tests["order"], tests["p_value"], strict=True):
        if p > 0.05:
            return int(k)
    return 3


def _costs_into(out: pd.DataFrame, costs: dict[str, float], *, has_value: bool) -> None:
    strange = sorted(set(costs) - set(out["channel"]))
    if strange:
        raise ValueError(
            f"costs names {', '.join(strange)}; the paths have {', '.join(out['channel'])}."
        )
    spent = np.array([float(costs.get(name, np.nan)) for name in out["channel"]])
    if (spent < 0).any():
        raise ValueError("costs must be 0 or more.")
    gained = out["value" if has_value else "markov"].to_numpy()
    out["cost"] = spent
    out["return_per_cost"] = np.divide(gained, spent, out=np.full(len(spent), np.inf),
                                       where=spent > 0)  # fmt: skip
    out.loc[np.isnan(spent), "return_per_cost"] = np.nan
