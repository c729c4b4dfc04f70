"""Customer value analysis with scikit-learn estimators.

Given a log of who bought what when: who is worth how much, who has gone quiet, where each
relationship stands, which customers are alike, and how far all that can be believed.

The everyday names live here; each room (``custvalue.purchase``, ``custvalue.markov``, ...) holds
the rest. Names load on first use, so that ``import custvalue`` stays cheap and never loads a
plotting library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0.dev0"

__all__ = [
    "BGBB",
    "BGNBD",
    "MBGNBD",
    "NBD",
    "BestValue",
    "BetaBinomialResponse",
    "Chain",
    "CustomerValue",
    "FunnelChain",
    "GammaGamma",
    "LifecycleClassifier",
    "MarkovCLVEstimator",
    "ParetoNBD",
    "PerceivedValue",
    "RFMTransformer",
    "ShiftedBetaGeometric",
    "SilenceScorer",
    "TransactionLog",
    "ValueGrades",
    "audit",
    "backtest",
    "campaign",
    "chains",
    "check_rows",
    "compress",
    "contracts",
    "data",
    "datasets",
    "distributed",
    "evaluation",
    "examine",
    "exceptions",
    "explain_customer",
    "from_summary",
    "funnel",
    "grades",
    "ledger",
    "lifecycle",
    "market",
    "markov",
    "metrics",
    "monthly",
    "panel",
    "plotting",
    "portrait",
    "purchase",
    "recommend",
    "report",
    "rfm",
    "score_sql",
    "silence",
    "spend",
    "split_by_date",
    "stage_history",
    "stage_value",
    "summarize",
    "summary_sql",
    "survey",
    "testing",
    "update_panel",
    "update_summary",
    "value",
]

# everyday name -> the room it lives in; every other public name is a room
_ROOM_OF = {
    "CustomerValue": "value",
    "FunnelChain": "funnel",
    "GammaGamma": "spend",
    "BGBB": "purchase",
    "BGNBD": "purchase",
    "BestValue": "evaluation",
    "BetaBinomialResponse": "purchase",
    "Chain": "chains",
    "LifecycleClassifier": "lifecycle",
    "MBGNBD": "purchase",
    "MarkovCLVEstimator": "markov",
    "NBD": "purchase",
    "ParetoNBD": "purchase",
    "PerceivedValue": "survey",
    "RFMTransformer": "rfm",
    "ShiftedBetaGeometric": "purchase",
    "SilenceScorer": "silence",
    "TransactionLog": "data",
    "ValueGrades": "grades",
    "backtest": "evaluation",
    "check_rows": "data",
    "compress": "data",
    "examine": "data",
    "explain_customer": "evaluation",
    "from_summary": "data",
    "ledger": "data",
    "panel": "data",
    "portrait": "grades",
    "recommend": "evaluation",
    "score_sql": "distributed",
    "split_by_date": "data",
    "stage_history": "value",
    "stage_value": "value",
    "summarize": "data",
    "summary_sql": "data",
    "update_panel": "data",
    "update_summary": "data",
}

if TYPE_CHECKING:
    from custvalue.chains import Chain
    from custvalue.data import (
        TransactionLog,
        check_rows,
        compress,
        examine,
        from_summary,
        ledger,
        panel,
        split_by_date,
        summarize,
        summary_sql,
        update_panel,
        update_summary,
    )
    from custvalue.distributed import score_sql
    from custvalue.evaluation import BestValue, backtest, explain_customer, recommend
    from custvalue.funnel import FunnelChain
    from custvalue.grades import ValueGrades, portrait
    from custvalue.lifecycle import LifecycleClassifier
    from custvalue.markov import MarkovCLVEstimator
    from custvalue.purchase import (
        BGBB,
        BGNBD,
        MBGNBD,
        NBD,
        BetaBinomialResponse,
        ParetoNBD,
        ShiftedBetaGeometric,
    )
    from custvalue.rfm import RFMTransformer
    from custvalue.silence import SilenceScorer
    from custvalue.spend import GammaGamma
    from custvalue.survey import PerceivedValue
    from custvalue.value import CustomerValue, stage_history, stage_value


def __getattr__(name: str) -> object:
    if name in _ROOM_OF:
        value = getattr(importlib.import_module(f"custvalue.{_ROOM_OF[name]}"), name)
        globals()[name] = value
        return value
    if name in __all__:
        return importlib.import_module(f"custvalue.{name}")
    raise AttributeError(f"module 'custvalue' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
