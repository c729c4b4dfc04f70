"""Needs and how they are spoken of: three layers, six kinds, nine values, eight complaints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from custvalue._fitted import check_level
from custvalue._typing import Floats
from custvalue._warn import warn_caller
from custvalue._words import SURVEY, Language, check_language
from custvalue.exceptions import ContractProblem, DataContractError, DataWarning, nearest
from custvalue.survey._estimate import wilson_share

LAYERS = ("core", "additional", "latent")
KANO_LAYER = {"M": "core", "O": "additional", "A": "latent"}
KINDS = {
    "quality": "质量",
    "service": "服务",
    "emotional": "感情",
    "information": "信息",
    "benefit": "利益",
    "brand": "品牌",
}
VALUES = {
    "product": "产品",
    "service": "服务",
    "people and team": "人员和团队",
    "marketing and management": "营销和管理模式",
    "technology": "技术资源",
    "customer network": "客户资源",
    "brand": "品牌",
    "society": "社会",
    "history": "历史",
}
# which kinds of value answer a kind of need: our reading, the sources give two lists and no map
_SERVES = {
    "quality": ("product", "technology", "marketing and management"),
    "service": ("service", "people and team", "marketing and management"),
    "emotional": ("people and team", "brand", "society", "history"),
    "information": ("people and team", "technology", "customer network"),
    "benefit": ("product", "marketing and management", "customer network"),
    "brand": ("brand", "society", "history"),
}
# what the message of each stage may speak of
STAGE_VALUES = {
    "potential": ("brand",),
    "target": ("people and team", "brand"),
    "new": ("product", "service"),
    "established": ("brand", "technology", "customer network"),
    "core": ("product", "service", "marketing and management"),
    "strategic": ("technology", "marketing and management"),
    "problem": ("service", "people and team"),
    "exited": ("brand", "history"),
}
# complaint -> (its Chinese, kind of need): our reading, as above
_COMPLAINTS = {
    "poor quality": ("质量差", "quality"),
    "high price": ("价格高", "benefit"),
    "low quality standard": ("质量标准低", "quality"),
    "prices follow the market slowly": ("价格变动慢", "information"),
    "late supply": ("供应不及时", "service"),
    "poor service by staff": ("人员服务差", "service"),
    "small company": ("企业规模小", "brand"),
    "too stingy": ("太小气", "emotional"),
}


@dataclass(frozen=True)
class Need:
    """One need: how much it matters and how well it must be met.

    Parameters
    ----------
    required : float or None, default=None
        Level at which it is met, above 0; None is the highest level among the fitted customers.
    importance : float, default=1.0
        Above 0; its unit does not matter.
    layer : {"core", "additional", "latent"} or None, default=None
        核心需求, 附加需求 or 潜在需求; None is told by ``kano``, else by ``voiced`` and ``must``.
    kind : {"quality", "service", "emotional", "information", "benefit", "brand"}, default="quality"
        质量、服务、感情、信息、利益、品牌.
    kano : {"M", "O", "A", "I", "R", "Q"} or None, default=None
        Kano's class: M is core, O additional, A latent; a need of another class is dropped.
    voiced : bool or None, default=None
        Whether customers say it (显性). Not voiced is latent.
    must : bool or None, default=None
        Whether a voiced need must be met: then it is core, else additional.

    Examples
    --------
    >>> from custvalue.survey import Need
    >>> Need(4, importance=5, kano="M").placed()
    'core'
    """

    required: float | None = None
    importance: float = 1.0
    layer: str | None = None
    kind: str = "quality"
    kano: str | None = None
    voiced: bool | None = None
    must: bool | None = None

    def placed(self) -> str | None:
        """Layer of the need; None where its Kano class drops it.

        Returns
        -------
        str or None

        Raises
        ------
        ValueError
            If nothing tells the layer.
        """
        if self.layer is not None:
            return self.layer
        if self.kano is not None:
            return KANO_LAYER.get(self.kano)
        if self.voiced is None:
            raise ValueError("say its layer, its Kano class, or whether customers voice it.")
        return "latent" if not self.voiced else "core" if self.must else "additional"


def read_needs(needs: Any) -> dict[str, Need]:
    """Needs by name, from a mapping or a frame with a column ``need``; all problems together.

    Raises
    ------
    ValueError
        Naming every need with an unknown word, a required level or importance not above 0, or
        without a layer.
    """
    if isinstance(needs, pd.DataFrame):
        if "need" not in needs:
            raise ValueError("the frame of needs has no column 'need' with their names.")
        if (twice := needs["need"].duplicated()).any():
            raise ValueError(f"needs named twice: {', '.join(map(str, needs['need'][twice]))}.")
        known = [f.name for f in fields(Need) if f.name in needs]
        rows = needs[known].astype(object)
        plain = [
            {k: v for k, v in row.items() if not pd.isna(v)} for row in rows.to_dict("records")
        ]
        named = zip(needs["need"], plain, strict=True)
        needs = {name: Need(**{str(k): v for k, v in row.items()}) for name, row in named}
    if not isinstance(needs, Mapping) or not needs:
        raise ValueError(
            "needs must be a mapping of name to Need, or a frame with a column 'need'."
        )
    problems = []
    for name, need in needs.items():
        for what, allowed in (("layer", LAYERS), ("kind", tuple(KINDS)), ("kano", tuple("MOAIRQ"))):
            word = getattr(need, what)
            if word is not None and word not in allowed:
                hint = nearest(word, allowed)
                problems.append(f"{name}: {what}={word!r} is none of {', '.join(allowed)}.{hint}")
        for what in ("required", "importance"):
            number = getattr(need, what)
            if number is not None and not 0 < float(number) < np.inf:
                problems.append(f"{name}: {what}={number!r} must be above 0.")
        try:
            need.placed()
        except ValueError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise ValueError("these needs cannot be: " + " ".join(p.strip() for p in problems))
    return {str(name): need for name, need in needs.items()}


def check_levels(levels: Floats, names: list[str]) -> None:
    """Refuse levels below 0, naming every need that has some."""
    problems = [
        ContractProblem.at(
            "negative-level",
            f"need {name!r} has levels below 0; Negative values in data",
            "Levels count how far a need is met, from 0 (not at all) up.",
            np.flatnonzero(column < 0),
        )
        for name, column in zip(names, levels.T, strict=True)
        if (column < 0).any()
    ]
    if problems:
        raise DataContractError(problems)


def serves_table(*, language: Language = "en") -> pd.DataFrame:
    """Which kinds of value answer which kind of need: 1 where they do.

    Our reading: the sources list six kinds and nine values, and give no map. Change it and hand it
    to `NeedsCoverage` as ``serves=`` (in English).

    Parameters
    ----------
    language : {"en", "zh"}, default="en"

    Returns
    -------
    DataFrame of shape (6, 9)
        Index: kinds of need; columns: kinds of value.

    Examples
    --------
    >>> from custvalue.survey import serves_table
    >>> int(serves_table().loc["brand", "history"])
    1
    """
    english = check_language(language) == "en"
    table = [[int(value in _SERVES[kind]) for value in VALUES] for kind in KINDS]
    return pd.DataFrame(
        table,
        index=list(KINDS if english else KINDS.values()),
        columns=list(VALUES if english else VALUES.values()),
    )


def complaint_kinds(*, language: Language = "en") -> pd.DataFrame:
    """Eight complaints heard in interviews (八种现象), each with the kind of need behind it.

    Our reading: the source gives both lists and no map. Coded mentions become importance by
    `mention_shares`.

    Parameters
    ----------
    language : {"en", "zh"}, default="en"

    Returns
    -------
    DataFrame
        ``complaint``, ``kind``.

    Examples
    --------
    >>> from custvalue.survey import complaint_kinds
    >>> complaint_kinds(language="zh").iloc[0].tolist()
    ['质量差', '质量']
    """
    english = check_language(language) == "en"
    rows = [
        {"complaint": en if english else zh, "kind": kind if english else KINDS[kind]}
        for en, (zh, kind) in _COMPLAINTS.items()
    ]
    return SURVEY.table(pd.DataFrame(rows), language)


def mention_shares(
    customer: Any, kind: Any, *, n_customers: int | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Share of customers who name each kind: importance, from coded interviews.

    Parameters
    ----------
    customer, kind : array-like of shape (n_mentions,)
        Who said it and how it was coded; saying it twice counts once.
    n_customers : int, optional
        Customers interviewed; default: those with a mention. Who had nothing to say counts too.
    level : float, default=0.95
        Of Wilson's intervals.

    Returns
    -------
    DataFrame
        ``kind``, ``mentions`` (customers who name it), ``share``, ``low``, ``high``, ``n``.

    Raises
    ------
    ValueError
        If ``n_customers`` is below the number of customers with a mention.

    Examples
    --------
    >>> from custvalue.survey import mention_shares
    >>> found = mention_shares([1, 1, 2, 3], ["quality", "quality", "quality", "service"])
    >>> found["mentions"].tolist()
    [2, 1]
    """
    check_level(level)
    told = pd.DataFrame({"customer": list(customer), "kind": list(kind)}).dropna()
    named = told.drop_duplicates()
    speakers = told["customer"].nunique()
    n = speakers if n_customers is None else int(n_customers)
    if n < max(speakers, 1):
        raise ValueError(f"n_customers={n_customers!r}, but {speakers} customers have a mention.")
    counts = named["kind"].value_counts()
    ends = [wilson_share(count / n, n, level) for count in counts]
    return pd.DataFrame(
        {
            "kind": list(counts.index),
            "mentions": counts.to_numpy(),
            "share": counts.to_numpy() / n,
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
            "n": n,
        }
    )


def coder_agreement(first: Any, second: Any, *, least: float = 0.6) -> float:
    """Cohen's kappa of two people who coded the same mentions.

    Parameters
    ----------
    first, second : array-like of shape (n_mentions,)
        Codes given by either.
    least : float, default=0.6
        Kappa below which a warning says that the codes cannot be trusted yet.

    Returns
    -------
    float
        1 is full agreement, 0 no more than by chance.

    Warns
    -----
    DataWarning
        If kappa is below ``least``.

    Examples
    --------
    >>> from custvalue.survey import coder_agreement
    >>> round(coder_agreement("qqssbeqs", "qqssbbes", least=0.3), 6)
    0.652174
    """
    from sklearn.metrics import cohen_kappa_score

    a, b = list(first), list(second)
    if len(a) != len(b) or not a:
        raise ValueError(f"{len(a)} and {len(b)} codes are not of the same mentions.")
    if a == b:  # where both gave one code to all, kappa is 0 / 0
        return 1.0
    kappa = float(cohen_kappa_score(a, b))
    if kappa < least:
        warn_caller(
            f"the coders agree by kappa = {kappa:.2f}, below {least:g}: settle what the codes mean "
            "and code again.",
            DataWarning,
        )
    return kappa
