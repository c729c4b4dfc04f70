"""One customer's story with the advice that the report of the log gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._words import Language
from custvalue.exceptions import NotSupportedError
from custvalue.report._campaign import WINDOW
from custvalue.report._collect import to_pandas
from custvalue.report._stories import advised
from custvalue.report._story import name_customers, tell_story
from custvalue.report._words import Words

if TYPE_CHECKING:
    from custvalue.data import TransactionLog
    from custvalue.evaluation import BestValue
    from custvalue.evaluation._for_rooms import CustomerStory
    from custvalue.report._playbooks import Playbook


def as_the_report_advises(
    story: CustomerStory,
    model: BestValue,
    log: TransactionLog,
    playbook: Playbook,
    language: Language,
    *,
    cuts: Any = "cycle",
    stage_windows: Any = "learn",
) -> CustomerStory:
    """Story with what a report of this log, by this forecast, says to do with the customer.

    Parameters
    ----------
    story : CustomerStory
        Of a customer of ``log``, by ``model``.
    model : BestValue
    log : TransactionLog
    playbook : Playbook
    language : {"en", "zh"}
    cuts, stage_windows
        As in `custvalue.report.make_report`.
    """
    summary, rows = to_pandas(log.summary()), model.open(log)
    try:
        chance, value = model.predict_chance(rows, f"{WINDOW}D"), model.predict(rows)
    except NotSupportedError:  # no report can be made of a forecast without chances
        return story
    named = name_customers(log, summary, cuts)
    told = tell_story(named, summary, chance, value, stage_windows)
    place = np.flatnonzero(np.asarray(log.customers()).astype(str) == story.customer)[0]
    return advised(story, str(told.segment(summary)[place]), playbook, Words(language))
