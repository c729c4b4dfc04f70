"""What to do, by trade, in Chinese."""

from __future__ import annotations

ZH: dict[str, str] = {
    "What the first order left open.": "首单未尽之处。",
    "Ask once what kept them from a next order.": "询问一次未再下单的原因。",
    "Who we are and what we stand for.": "我们是谁，主张什么。",
    "Become known to them; ask for a first contact.": "让对方认识我们，建立首次接触。",
    "One good reason to buy.": "一个购买的好理由。",
    "Invite them to a first order.": "邀请其首次下单。",
    "A good first experience.": "良好的首次体验。",
    "See that the first order went well, and give a reason for the second.": (
        "确认首单满意，并给出再次下单的理由。"
    ),
    "What else there is for them.": "还有哪些适合他们。",
    "Show what goes with what they buy; ask what they miss.": (
        "推荐与其所购相配之物；询问还缺什么。"
    ),
    "How much they matter.": "他们有多重要。",
    "Serve them first: early access, quick answers, no needless discounts.": (
        "优先服务：先行体验、快速答复，无须打折。"
    ),
    "What we can do together.": "双方可以共同做什么。",
    "Plan with them what comes next.": "与其一同规划下一步。",
    "We noticed that you stayed away.": "我们注意到您许久未来。",
    "Ask why the orders stopped, the most valuable first, and mend what can be mended.": (
        "从最有价值者开始，询问为何不再下单，并尽力补救。"
    ),
    "The door stays open.": "随时欢迎回来。",
    "Stay in touch at little cost; offer a new start now and then.": (
        "以低成本保持联系，适时提供重新开始的机会。"
    ),
    "No contact needed: they order by themselves.": "无须联系：会自行下单。",
    "Wait for the next order; contact where it does not come.": "等待下一单；若未到再联系。",
    "One good reason to come back now; keep a control group.": (
        "给一个现在回来的好理由；保留对照组。"
    ),
    "Only what costs little; expect few of them back.": "只用低成本方式；预期回来者少。",
    "Keep what they buy on the shelf; thank them with points rather than price cuts.": (
        "保证其常购商品有货；以积分而非降价致谢。"
    ),
    "Recipes and own brands beside what they buy.": "在其所购之外推荐食谱与自有品牌。",
    "An offer on next week's basket.": "下周购物篮优惠。",
    "Welcome them with a coupon for the second visit within two weeks.": (
        "以两周内再次到店的优惠券表示欢迎。"
    ),
    "A coupon for what they used to buy.": "针对其常购商品的优惠券。",
    "A coupon for their usual basket; ask what was missing.": (
        "针对其常购购物篮的优惠券；询问缺了什么。"
    ),
    "Leaflet or app message only; test first.": "仅用传单或应用消息，先做测试。",
    "A good first visit.": "良好的首次到店体验。",
    "Bring the second visit within two weeks.": "促成两周内再次到店。",
    "The whole basket.": "整个购物篮。",
    "Widen the basket: departments they do not buy from yet.": "扩大购物篮：其尚未购买的品类。",
    "Fresh goods, full shelves, and thanks.": "商品新鲜、货架充足、心怀感谢。",
    "Reward the habit; ask them before the range changes.": "奖励习惯；调整商品前先征询意见。",
    "Your basket is waiting.": "您的购物篮在等您。",
    "Ask what sent them elsewhere (range, price, way), and offer the usual basket.": (
        "询问为何去了别处（品类、价格、距离），并就常购商品给予优惠。"
    ),
    "Still near you.": "仍在您身边。",
    "Only offers that cost little: they may have moved away.": "只用低成本优惠：对方可能已搬走。",
    "No contact needed: they come by themselves.": "无须联系：会自行到店。",
    "A reminder with this week's offers where the usual visit does not come.": (
        "若未如常到店，以本周优惠提醒。"
    ),
    "A coupon for the usual basket; keep a control group.": "针对常购商品的优惠券；保留对照组。",
    "Leaflet or app message only; expect few of them back.": "仅用传单或应用消息；预期回来者少。",
    "Thank them in person, say what their gifts did, and offer a regular gift.": (
        "亲自致谢，说明其捐赠的成果，并邀请定期捐赠。"
    ),
    "Say what their gifts did; offer a regular gift.": "说明其捐赠的成果，邀请定期捐赠。",
    "Thank them soon, and name the next need.": "及时致谢，并说明下一项需要。",
    "Thank them within two days; show what the first gift does.": (
        "两日内致谢，说明首次捐赠的用途。"
    ),
    "Tell what has happened since their last gift.": "告知上次捐赠以来的进展。",
    "Write by hand: thank them, and ask what they would like to support.": (
        "手写致谢，并询问其愿意支持什么。"
    ),
    "Call: thank them, and ask what they would like to support.": (
        "致电感谢，并询问其愿意支持什么。"
    ),
    "The yearly letter only; test first.": "仅寄年度信函，先做测试。",
    "Test one appeal on a part, keep a control group.": (
        "先在部分捐赠者上测试一封劝募信，保留对照组。"
    ),
    "What the first gift does.": "首次捐赠的用途。",
    "Thank them at once, and ask again within the year.": "立即致谢，并在一年内再次劝募。",
    "What gifts have done so far.": "历次捐赠的成果。",
    "Report, then offer a regular or a larger gift.": "先汇报成果，再邀请定期或更大额捐赠。",
    "They carry the work.": "他们支撑着这项事业。",
    "Invite them to see the work; ask for their view.": "邀请其参观，听取其意见。",
    "We have not heard from you.": "许久没有您的消息。",
    "Ask whether something disappointed them, the largest givers first.": (
        "从捐赠最多者开始，询问是否有令其失望之处。"
    ),
    "Thank you for what you gave.": "感谢您曾经的付出。",
    "The yearly letter, and no pressure.": "仅寄年度信函，不施压。",
    "Thank them; they give by themselves.": "致谢；会自行捐赠。",
    "Report on the work before the next appeal.": "在下一次劝募前先汇报进展。",
    "Say what has been missed since their last gift; keep a control group.": (
        "告知上次捐赠以来错过的进展；保留对照组。"
    ),
    "The yearly letter only; expect few gifts.": "仅寄年度信函；预期捐赠者少。",
    "Ask for referrals; offer the yearly plan.": "请其推荐他人；提供年度方案。",
    "Show what they do not use yet; offer the larger plan.": (
        "介绍其尚未使用的功能；提供更高方案。"
    ),
    "Help them to use it every week.": "帮助其每周使用。",
    "Help them start: first success within the first days.": (
        "帮助起步：在最初几天内获得首次成效。"
    ),
    "Ask what is missing; offer a pause instead of an end.": "询问缺少什么；以暂停代替取消。",
    "Check whether the payment failed; then ask why they stopped.": (
        "先查付款是否失败，再询问停用原因。"
    ),
    "Check whether the payment failed; then call.": "先查付款是否失败，再致电。",
    "Say what is new once or twice a year; test first.": "每年告知一两次新内容，先做测试。",
    "The first success.": "首次成效。",
    "Help them start, and see that the second payment comes.": "帮助起步，并确认第二次付款。",
    "More use for the same price.": "同样的价格，更多的用处。",
    "Show what they do not use yet; offer the yearly plan.": (
        "介绍其尚未使用的功能；提供年度方案。"
    ),
    "They belong to us.": "他们是自己人。",
    "Ask for their view before changes; offer the larger plan.": "变更前征询意见；提供更高方案。",
    "Something went wrong.": "出了问题。",
    "Look for failed payments first; then ask why they stopped.": (
        "先查失败的付款，再询问停用原因。"
    ),
    "What is new since you left.": "您离开后的新内容。",
    "Ask once why they left; come back with what is new.": "询问一次离开原因；有新内容时再联系。",
    "No contact needed: they renew by themselves.": "无须联系：会自行续订。",
    "Look whether the renewal failed.": "检查续订是否失败。",
    "Ask what is missing and offer a restart; keep a control group.": (
        "询问缺少什么，提供重新开始的方案；保留对照组。"
    ),
    "Say what is new at little cost; expect few of them back.": (
        "以低成本告知新内容；预期回来者少。"
    ),
    "Meet them regularly; plan the next year together.": "定期会面，共同规划来年。",
    "Show which further needs you can meet; ask for a reference.": (
        "说明还能满足哪些需求；请其作为参考客户。"
    ),
    "Follow up on the last delivery and quote for the next.": "回访上次交付，并为下一次报价。",
    "Deliver without a fault; visit soon after.": "零差错交付，随后拜访。",
    "Call the buyer: is there a tender, a complaint, a rival?": (
        "致电采购方：是否有招标、投诉或竞争对手？"
    ),
    "Visit: settle what stands between you.": "上门拜访：解决双方之间的问题。",
    "Visit with a decision maker: settle what stands between you.": (
        "与决策者一同拜访：解决双方之间的问题。"
    ),
    "Keep on the mailing list; call once a year.": "保留在邮件名单中，每年致电一次。",
    "Regular contact as agreed.": "按约定定期联系。",
    "Call before the usual order is due.": "在惯常订货到期前致电。",
    "Visit or call the buyer; keep a control group.": "拜访或致电采购方；保留对照组。",
    "Call once; learn who supplies them now.": "致电一次，了解其现有供应商。",
}
