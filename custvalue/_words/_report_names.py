"""What the report says of names of segments, grades and stages, and how they were tested."""

from __future__ import annotations

ZH: dict[str, str] = {
    "Customers scored 1 to 5 on how recently, how often and how much they bought; a segment's name "
    "says its scores, that is, who comes before whom. Every customer is in exactly one segment.": (
        "按最近购买、购买次数、购买金额各打 1 至 5 分；细分的名称只说明其分值，即先后次序。"
        "每位客户恰属一个细分。"
    ),
    "Customers by how long they have been silent, in their own usual gaps between orders, by how "
    "often they ordered and how much they spent. Every customer is in exactly one segment.": (
        "按沉默时长（以客户自身惯常下单间隔计）、购买次数与消费金额划分；每位客户恰属一个细分。"
    ),
    "Customers by how long they have been silent, how often they ordered and how much they spent. "
    "Every customer is in exactly one segment.": (
        "按沉默时长、购买次数与消费金额划分；每位客户恰属一个细分。"
    ),
    "A usual gap is the mean of the customer's own gaps between orders, drawn to that of customers "
    "with as many orders; one-time buyers have everybody's, {days}.": (
        "惯常间隔为客户自身下单间隔的均值，并向同等订单数客户的间隔靠拢；"
        "仅购买一次的客户取全体的间隔，即 {days}。"
    ),
    "By the season of past years the {days} days ahead are slow, at {pace} of the usual pace: "
    "chances of an order in them are lower than what earlier dates saw.": (
        "按历年季节，未来 {days} 天为淡季（为平常节奏的 {pace}）：其间下单可能性低于较早日期所见。"
    ),
    "By the season of past years the {days} days ahead are busy, at {pace} of the usual pace: "
    "chances of an order in them are higher than what earlier dates saw.": (
        "按历年季节，未来 {days} 天为旺季（为平常节奏的 {pace}）：其间下单可能性高于较早日期所见。"
    ),
    "The stages were tested on the log's own past: what share of those who stood there on {date} "
    "ordered within the {days} days after it. Who was gone by then is told by a forecast of the "
    "whole log, which is kinder to that name than a new date.": (
        "各阶段已在本记录的过去检验：{date} 处于该阶段者在其后 {days} 天内下单的占比如下。"
        "当时谁已退出由基于全部记录的预测判定，因此这一名称的检验比全新日期更宽松。"
    ),
    "The names were tested on the log's own past, on {dates}, and held to the forecast; {n} did "
    "not hold and were taken together with others or renamed.": (
        "名称已在本记录的较早日期（{dates}）检验，并与预测对照；其中 {n} 个不成立，已合并或改名。"
    ),
    "The names were tested on the log's own past, on {dates}, and held to the forecast; {n} did "
    "not hold and was taken together with another or renamed.": (
        "名称已在本记录的较早日期（{dates}）检验，并与预测对照；其中 {n} 个不成立，已合并或改名。"
    ),
    "The names were tested on the log's own past, on {dates}, and held to the forecast; all of "
    "them hold.": "名称已在本记录的较早日期（{dates}）检验，并与预测对照；全部成立。",
    "A customer is quiet who has been silent for more than three of the own usual gaps, where such "
    "customers ordered much less at earlier dates and by the forecast.": (
        "沉默超过自身惯常间隔三倍，且此类客户在较早日期及按预测下单明显较少者，判为沉默。"
    ),
    "A customer is quiet who has been silent for longer than the cuts that were given allow, where "
    "such customers ordered much less at earlier dates and by the forecast.": (
        "沉默超过所给界限，且此类客户在较早日期及按预测下单明显较少者，判为沉默。"
    ),
    "Problem: established, and quiet now. Exited: quiet, with a chance of an order below 5 % "
    "within the forecast's horizon. Still on trial: too few orders for longer than usual.": (
        "问题客户：曾为老客户而现已沉默。退出客户：已沉默且预测期内下单概率低于 5%。"
        "试购未转化：试购时间已长于惯常而订单仍过少。"
    ),
    "Upgrades are not spoken of: too few customers came that far, or they took another time than "
    "the window of {low} to {high}.": (
        "不谈升级：达到该阶段的客户过少，或其用时与 {low}至 {high}的窗口不符。"
    ),
    "Upgrades are not spoken of: most customers have been in their stage for longer than its "
    "window, and stay there.": "不谈升级：多数客户在其阶段停留已超过窗口，且会继续停留。",
    "Nobody is called quiet: nobody was silent for long, or by earlier dates or the forecast such "
    "customers order about as often as the others.": (
        "没有客户判为沉默：无人沉默已久，或按较早日期或预测，久未下单者下单与其他客户相当。"
    ),
    "Windows are learned: half of the customers with {n} orders or more took {low} to {high} from "
    "the first to their order number {n}.": (
        "窗口由本记录得出：订单达 {n} 笔的客户中，半数从首单到第 {n} 单用时 {low}至 {high}。"
    ),
    "Turn first to “{segment}”: {n} customers who ordered {orders} times each and brought {past} "
    "of all spend, silent for {silence} now.": (
        "先联系“{segment}”：{n} 位客户人均下单 {orders} 次，占累计消费 {past}，现已沉默 {silence}。"
    ),
    "Turn first to “{segment}”: {n} placed their only order about {silence} ago; bring the "
    "second.": "先联系“{segment}”：{n} 位客户约在 {silence}前下了唯一一单；请促成第二单。",
    "The names claim nothing of what customers will do; what those of each did was counted on the "
    "log's own past, on {dates}.": (
        "名称并不断言客户将来的行为；各细分客户的行为已在本记录的较早日期（{dates}）统计。"
    ),
    "Keep “{segment}”: {n} customers who brought {past} of all spend.": (
        "维护“{segment}”：{n} 位客户，占累计消费 {past}。"
    ),
    "Of such customers {share} ordered within {days} days, at {dates} earlier dates.": (
        "此类客户在 {dates} 个较早日期后 {days} 天内有 {share} 下单。"
    ),
    "Of such customers {share} ordered within {days} days, at an earlier date.": (
        "此类客户在一个较早日期后 {days} 天内有 {share} 下单。"
    ),
    "ordered within {days} days, tested": "检验：{days} 天内下单",
    "Ordered within {days} days, tested on the past": "检验：以往 {days} 天内下单",
    "silent for at most one usual gap": "沉默至多一个惯常间隔",
    "silent for at most {n:,.0f} usual gaps": "沉默至多 {n:,.0f} 个惯常间隔",
    "silent for over {n:,.0f} usual gaps": "沉默超过 {n:,.0f} 个惯常间隔",
    "silent for over {low:,.0f}, at most {high:,.0f} usual gaps": (
        "沉默超过 {low:,.0f}、至多 {high:,.0f} 个惯常间隔"
    ),
    "Problem customers: {share}, above the ceiling of {ceiling}.": (
        "问题客户占 {share}，超过 {ceiling} 的上限。"
    ),
    "Problem customers: {share}, within the ceiling of {ceiling}.": (
        "问题客户占 {share}，未超过 {ceiling} 的上限。"
    ),
}
