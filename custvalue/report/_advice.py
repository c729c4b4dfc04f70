"""What the report advises, and how it calls what was left out."""

from __future__ import annotations

# what to do about a segment
TODO = {
    "champions": "Keep close: early access, referrals, no discounts needed.",
    "loyal customers": "Offer the next product; thank them.",
    "potential loyalists": "Bring the next order soon after the last one.",
    "new customers": "Welcome, explain, bring the second order.",
    "need attention": "A small reason to come back now.",
    "about to sleep": "A small reason to come back now.",
    "at risk": "Call or write personally: they were worth it.",
    "cannot lose": "Call or write personally: they were worth it.",
    "lost": "Only cheap channels; test first.",
    "other": "Test one message on a part, keep a control group.",
}

# why a row was left out
REASON = {
    "missing_customer": "left out: no customer id",
    "missing_time": "left out: time missing or unreadable",
    "bad_amount": "left out: amount missing or not finite",
    "bad_profit": "left out: margin, cost or profit missing or not finite",
    "duplicate": "left out: repeats an earlier row",
    "after_as_of": "left out: after the as-of date",
    "refund": "left out: negative amount",
    "zero_amount": "left out: amount zero",
    "order_netted_away": "left out: order nets to nothing or less",
    "occasion_netted_away": "left out: day nets to nothing or less",
}
