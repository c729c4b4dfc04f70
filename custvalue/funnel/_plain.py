"""A fitted funnel as plain JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

import custvalue
from custvalue._fitted import SCHEMA, read_plain
from custvalue._units import plain_span
from custvalue.chains import TransitionCounts
from custvalue.funnel._counts import FunnelCounts, FunnelShape
from custvalue.funnel._ledger import FunnelLedger

if TYPE_CHECKING:
    from custvalue.funnel._funnel_chain import FunnelChain

ARRAYS = (
    "started", "entered", "open_now", "open_amount", "won_amount", "won_total", "haircut",
    "outcomes",
)  # fmt: skip
NUMBERS = ("moves_at_once", "moves_seen", "periods", "as_of", "observed_from")


def counts_to_plain(funnel: FunnelChain) -> dict[str, Any]:
    """Write settings and counts of a fitted funnel."""
    counts = funnel.counts_
    settings = funnel.get_params(deep=False)
    for name in ("period", "recent", "expire", "horizon"):
        if settings[name] is not None:
            settings[name] = plain_span(settings[name])
    if settings["observed_from"] is not None:
        settings["observed_from"] = str(np.datetime64(counts.observed_from, "us"))
    for listed in ("stages", "by", "lost"):
        if not isinstance(settings[listed], (str, type(None))):
            settings[listed] = list(settings[listed])
    moves = []
    for group, part in counts.moves.items():
        coo = part.moves.tocoo()
        key: Any = list(group) if isinstance(group, tuple) else _plain(group)
        cells = {"row": coo.row, "col": coo.col, "n": coo.data}
        moves.append({"group": key, **{k: v.tolist() for k, v in cells.items()}})
    return {
        "schema": SCHEMA,
        "library": custvalue.__version__,
        "model": type(funnel).__name__,
        "settings": settings,
        "shape": asdict(counts.shape),
        "moves": moves,
        **{name: getattr(counts, name).tolist() for name in ARRAYS},
        **{name: getattr(counts, name) for name in NUMBERS},
        "ledger": counts.ledger.to_dict(),
    }


def counts_from_plain(plain: Mapping[str, Any]) -> tuple[dict[str, Any], FunnelCounts]:
    """Read settings and counts as they were written."""
    got = read_plain(plain)
    if got.get("model") != "FunnelChain":
        raise ValueError(f"the dictionary holds {got.get('model')!r}, not FunnelChain.")
    said: dict[str, Any] = got["shape"]
    said |= {name: tuple(said[name]) for name in ("stages", "outcomes")}
    shape = FunnelShape(**said)
    n = shape.n_states
    nothing = np.zeros(n)
    moves = {}
    for part in got["moves"]:
        group = tuple(part["group"]) if isinstance(part["group"], list) else part["group"]
        cells: Any = (part["n"], (part["row"], part["col"]))
        moves[group] = TransitionCounts(csr_array(cells, shape=(n, n)), nothing, nothing)
    figures: dict[str, Any] = {name: np.array(got[name], dtype=np.float64) for name in ARRAYS}
    figures |= {name: got[name] for name in NUMBERS}
    counts = FunnelCounts(
        shape=shape,
        moves=moves,
        **figures,
        ledger=FunnelLedger.from_dict(got["ledger"]),
    )
    return got["settings"], counts


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
