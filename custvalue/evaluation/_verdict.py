"""What a forecast may be used for, by what its log's own past says of it, in figures and words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._words import HOUSE, Language, agree, check_language
from custvalue.data._for_rooms import NO_SEASON, Season

if TYPE_CHECKING:
    import pandas as pd

# what is good enough, and what is not good for anything
TOTAL_GOOD, TOTAL_NO = 0.15, 0.35
GINI_GOOD, GINI_NO = 0.25, 0.10
DECILES_GOOD, DECILES_NO = 0.25, 0.50
COVER_GOOD, COVER_NO = (0.72, 0.96), (0.60, 1.01)

USES = ("budget", "list", "customer")
_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "good": "good",
        "rough": "rough",
        "no": "do not use",
        "unproven": "unproven",
        "budget": "Budget (the total)",
        "list": "List (who before whom)",
        "customer": "Single customer",
        "overall good": "The forecast may be used: total, order of customers and single customers.",
        "overall only totals": "Use the total only; it does not tell customers apart well enough.",
        "overall only ranking": "Use the order of customers only; its total has not come true.",
        "overall total and ranking": (
            "Use the total and the order of customers; what is said of a single one is too rough."
        ),
        "overall do not use": "Do not use this forecast: neither total nor order came true.",
        "overall unproven": (
            "Nothing has proven this forecast: {why}. Take it for a guess by a law, and test it "
            "when there is more history."
        ),
        "stack": "It is a blend of {parts}, weighed at {n} earlier dates of this log.",
        "whole": "It is {parts} alone: by {n} earlier dates of this log the rest got no weight.",
        "single": "It is {parts} alone, which did better at {n} earlier dates than a blend.",
        "equal": (
            "Nothing did better at {n} earlier dates than saying the same of all, so that is given."
        ),
        "figure budget": "{use}: {verdict}. Of what was said, {ratios} came.",
        "figure list": "{use}: {verdict}. Gini {low:.2f} to {high:.2f} (0 chance, 1 true order).",
        "figure customer": (
            "{use}: {verdict}. Tenths of customers are {miss:.0%} of the money off; intervals of "
            "80 % held {cover:.0%}."
        ),
        "beats": "Its error on a customer's money is {gain:.0%} below saying the same of all.",
        "mended": "All parts missed the same way at earlier dates; the total is mended by {k:.2f}.",
        "one date": "There was one earlier date only: these figures flatter.",
        "season": (
            "It follows a season: orders come at {up:.0%} of a mean day's pace in {high} and at "
            "{down:.0%} in {low}. {n} whole months tell of it, {days} days of unfinished ones were "
            "left out; beside it the orders of a known customer changed by {growth:+.0%} a year."
        ),
        "feast": (
            "Around {name} orders come at {before:.0%} of their usual pace in the two weeks "
            "before, and at {after:.0%} in the week from it on."
        ),
    },
    "zh": {
        "good": "可用",
        "rough": "粗略",
        "no": "不可用",
        "unproven": "未经检验",
        "budget": "预算（总额）",
        "list": "名单（先后次序）",
        "customer": "单个客户",
        "overall good": "该预测可用：总额、客户排序和单个客户均可。",
        "overall only totals": "只可用总额；它不足以区分客户。",
        "overall only ranking": "只可用客户排序；它的总额在过去未应验。",
        "overall total and ranking": "总额和客户排序可用；对单个客户的预测过于粗略。",
        "overall do not use": "不要使用该预测：总额和排序在过去都未应验。",
        "overall unproven": "该预测未经检验：{why}。请视为按规律的估计，待历史更长时再检验。",
        "stack": "它由{parts}混合而成，权重来自本记录的{n}个较早日期。",
        "whole": "它只用{parts}：按本记录的{n}个较早日期混合时，全部权重归于它。",
        "single": "它只用{parts}，在{n}个较早日期上优于混合。",
        "equal": "在{n}个较早日期上，没有方法优于“人人相同”，因此给出人人相同的预测。",
        "figure budget": "{use}：{verdict}。实际为预测的{ratios}。",
        "figure list": "{use}：{verdict}。基尼系数{low:.2f}至{high:.2f}（0为随机，1为真实次序）。",
        "figure customer": (
            "{use}：{verdict}。客户十等分组的偏差为金额的{miss:.0%}；80%区间覆盖了{cover:.0%}。"
        ),
        "beats": "对单个客户金额的误差比“人人相同”低{gain:.0%}。",
        "mended": "各部分在较早日期上偏差方向一致；总额已按{k:.2f}修正。",
        "one date": "只有一个较早日期：这些数字偏于乐观。",
        "season": (
            "预测随季节变化：{high}的下单速度为日均的{up:.0%}，{low}为{down:.0%}。"
            "依据{n}个完整月份，未满月份的{days}天未计入；除季节外，老客户的订单每年变化{growth:+.0%}。"
        ),
        "feast": "{name}前两周的下单速度为平时的{before:.0%}，节日起一周为{after:.0%}。",
    },
}

_FEASTS = {"Easter": "复活节", "Lunar New Year": "春节", "Thanksgiving": "感恩节"}
_MONTHS: dict[str, tuple[str, ...]] = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "zh": (
        "一月", "二月", "三月", "四月", "五月", "六月",
        "七月", "八月", "九月", "十月", "十一月", "十二月",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """What a forecast said at an earlier date, weighed by the other dates, and what came.

    Parameters
    ----------
    days_back, days, customers : int
    ratio : float
        What came over what was said, in total.
    gini : float
    gain : float
        Share of the Tweedie deviance of the same for all that is saved.
    deciles : float
        Decile calibration error once the total is right.
    coverage : float
        Of intervals of 80 %; nan where no part states a chance.

    Examples
    --------
    >>> Proof(364, 364, 2500, ratio=0.97, gini=0.8, gain=0.5, deciles=0.1, coverage=0.82).ratio
    0.97
    """

    days_back: int
    days: int
    customers: int
    ratio: float
    gini: float
    gain: float
    deciles: float
    coverage: float


@dataclass(frozen=True)
class Verdict:
    """What a forecast may be used for.

    Parameters
    ----------
    overall : str
        ``"good"``, ``"total and ranking"``, ``"only totals"``, ``"only ranking"``, ``"do not
        use"`` or ``"unproven"``.
    uses : dict of str to str
        ``"good"``, ``"rough"``, ``"no"`` or ``"unproven"`` for each of ``"budget"``, ``"list"``,
        ``"customer"``.
    kind : str
        ``"stack"``, ``"single"``, ``"equal"`` or ``"law"``.
    parts : tuple of (str, float)
        Parts and their weights.
    proofs : tuple of Proof
        One an earlier date.
    factor : float
        What the total was mended by.
    why : str
        Why nothing is proven; empty otherwise.
    season : Season
        What the forecast follows over the year; the identity is none.

    Examples
    --------
    >>> alone = Verdict("unproven", {}, "law", (("law", 1.0),), (), 1.0, "40 days of history")
    >>> print(alone.words()[0][:53])
    Nothing has proven this forecast: 40 days of history.
    """

    overall: str
    uses: dict[str, str]
    kind: str
    parts: tuple[tuple[str, float], ...]
    proofs: tuple[Proof, ...]
    factor: float
    why: str = ""
    season: Season = NO_SEASON

    def words(self, language: Language = "en") -> tuple[str, ...]:
        """Say it in sentences, with the figures.

        Parameters
        ----------
        language : {"en", "zh"}, default="en"

        Returns
        -------
        tuple of str
        """
        say = _WORDS[check_language(language)]
        if self.overall == "unproven":
            why = self.why if language == "en" else _why_in_chinese(self.why)
            return (say["overall unproven"].format(why=why),)
        n = len(self.proofs)
        comma = ", " if language == "en" else "、"
        alone = self.kind == "stack" and sum(w > 0 for _, w in self.parts) == 1
        kind = "whole" if alone else self.kind
        parts = comma.join(
            f"{name} ({w:.0%})" if kind == "stack" else str(name)
            for name, w in ((HOUSE.name(name, language), w) for name, w in self.parts)
            if w > 0
        )
        told = [
            say[f"overall {self.overall}"],
            agree(say[kind].format(parts=parts, n=n)),
        ]
        ginis = [one.gini for one in self.proofs]
        figures: dict[str, dict[str, Any]] = {
            "budget": {"ratios": comma.join(f"{one.ratio:.0%}" for one in self.proofs)},
            "list": {"low": min(ginis), "high": max(ginis)},
            "customer": {
                "miss": float(np.mean([one.deciles for one in self.proofs])),
                "cover": float(np.mean([one.coverage for one in self.proofs])),
            },
        }
        told += [
            say[f"figure {use}"].format(use=say[use], verdict=say[self.uses[use]], **figures[use])
            for use in USES
        ]
        if self.kind != "equal":
            told.append(say["beats"].format(gain=float(np.mean([p.gain for p in self.proofs]))))
        if abs(np.log(self.factor)) > 0.05:
            told.append(say["mended"].format(k=self.factor))
        if n == 1:
            told.append(say["one date"])
        if not self.season.is_identity and max(self.season.pace) > min(self.season.pace):
            pace, months = self.season.pace, _MONTHS[language]
            high, low = max(pace), min(pace)
            told.append(
                say["season"].format(
                    up=high,
                    high=months[pace.index(high)],
                    down=low,
                    low=months[pace.index(low)],
                    n=self.season.n_months,
                    days=self.season.left_out_days,
                    growth=float(np.expm1(self.season.growth)),
                )
            )
        for name, before, after in self.season.feasts:
            called = _FEASTS.get(name, name) if language == "zh" else name
            told.append(say["feast"].format(name=called, before=before, after=after))
        return tuple(told)

    def table(self) -> pd.DataFrame:
        """Figures of each earlier date.

        Returns
        -------
        DataFrame
            One row a date: ``days_back``, ``days``, ``customers``, ``ratio``, ``gini``, ``gain``,
            ``deciles``, ``coverage`` (see :class:`Proof`).
        """
        import pandas as pd

        return pd.DataFrame([vars(one) for one in self.proofs])

    def __str__(self) -> str:
        return "\n".join(self.words())

    def _repr_html_(self) -> str:
        return "".join(f"<p>{escape(line)}</p>" for line in self.words())


def judged(
    proofs: tuple[Proof, ...],
    kind: str,
    parts: tuple[tuple[str, float], ...],
    factor: float,
    why: str = "",
    season: Season = NO_SEASON,
) -> Verdict:
    """Judge what earlier dates said of a forecast, use by use."""
    if not proofs:
        return Verdict("unproven", dict.fromkeys(USES, "unproven"), kind, parts, (), factor, why)
    miss = float(np.sqrt(np.mean([np.log(one.ratio) ** 2 for one in proofs])))
    gini = float(np.mean([one.gini for one in proofs]))
    deciles = float(np.mean([one.deciles for one in proofs]))
    cover = float(np.mean([one.coverage for one in proofs]))
    budget = _grade(miss <= TOTAL_GOOD, miss > TOTAL_NO)
    order = _grade(gini >= GINI_GOOD, gini < GINI_NO)
    inside = COVER_GOOD[0] <= cover <= COVER_GOOD[1]
    outside = not COVER_NO[0] <= cover <= COVER_NO[1]
    customer = _grade(
        # who does not tell customers apart says nothing of a single one
        deciles <= DECILES_GOOD and inside and "no" not in (budget, order),
        deciles > DECILES_NO or outside,
    )
    uses = {"budget": budget, "list": order, "customer": customer}
    total, ranking = budget != "no", order != "no"
    if total and ranking:
        overall = "good" if customer != "no" else "total and ranking"
    elif total:
        overall = "only totals"
    else:
        overall = "only ranking" if ranking else "do not use"
    return Verdict(overall, uses, kind, parts, proofs, factor, season=season)


def _why_in_chinese(why: str) -> str:
    found = re.fullmatch(r"([\d.,e+]+) days of history with too few buyers .*", why)
    return why if found is None else f"{found[1]}天历史中买家太少，无法在较早日期检验"


def _grade(good: bool, no: bool) -> str:
    return "good" if good else "no" if no else "rough"
