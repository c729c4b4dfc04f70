"""A fitted funnel as plain JSON values, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from custvalue._portable import check_names, number, places, sealed, texts, unseal
from custvalue._units import plain_span
from custvalue.chains import TransitionCounts
from custvalue.exceptions import ArtefactError
from custvalue.funnel._counts import FunnelCounts, FunnelShape
from custvalue.funnel._ledger import FunnelLedger

if TYPE_CHECKING:
    from custvalue.funnel._funnel_chain import FunnelChain

ARRAYS = (
    "started", "entered", "open_now", "open_amount", "won_amount", "won_total", "haircut",
    "outcomes",
)  # fmt: skip
MOST_STATES = 1_000_000
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
    return sealed(
        "FunnelChain",
        settings=settings,
        shape=asdict(counts.shape),
        moves=moves,
        **{name: getattr(counts, name).tolist() for name in ARRAYS},
        **{name: getattr(counts, name) for name in NUMBERS},
        ledger=counts.ledger.to_dict(),
    )


def counts_from_plain(
    plain: Mapping[str, Any], settings: Collection[str]
) -> tuple[dict[str, Any], FunnelCounts]:
    """Read settings and counts as they were written."""
    keys = ("settings", "shape", "moves", *ARRAYS, *NUMBERS, "ledger")
    got = unseal(plain, schemas=(1, 2), keys=keys, model="FunnelChain")
    check_names(got["shape"], [f.name for f in fields(FunnelShape)], "the shape")
    said: dict[str, Any] = got["shape"]
    said |= {name: texts(said[name], name) for name in ("stages", "outcomes")}
    said |= {name: int(number(said[name], name)) for name in ("age_classes", "period")}
    shape, n = FunnelShape(**said), len(said["stages"])
    if min(n, len(shape.outcomes), shape.age_classes, shape.period) < 1:
        raise ArtefactError("a funnel has stages, outcomes, ages and a period.")
    if shape.n_states > MOST_STATES:
        raise ArtefactError(f"{shape.n_states:,} states are more than any funnel has.")
    moves = {}
    for part in got["moves"]:
        check_names(part, ("group", "row", "col", "n"), "the moves of a group")
        group = tuple(part["group"]) if isinstance(part["group"], list) else part["group"]
        size = shape.n_states
        cells = [number(one, "a count of moves") for one in part["n"]]
        at = (places(part["row"], size), places(part["col"], size))
        nothing = np.zeros(size)
        found = csr_array((cells, at), shape=(size, size))
        moves[group] = TransitionCounts(found, nothing, nothing)
    sizes = {"won_amount": (3, n), "open_amount": (2, n), "won_total": (3,), "haircut": (2,)}
    figures: dict[str, Any] = {}
    for name in ARRAYS:
        figures[name] = np.array(got[name], dtype=np.float64)
        wanted = sizes.get(name, (len(shape.outcomes) if name == "outcomes" else n,))
        if figures[name].shape != wanted or not np.isfinite(figures[name]).all():
            raise ArtefactError(f"{name} must be finite numbers of shape {wanted}.")
    figures |= {name: number(got[name], name) for name in NUMBERS}
    figures |= {name: int(figures[name]) for name in ("as_of", "observed_from")}
    counts = FunnelCounts(
        shape=shape,
        moves=moves,
        **figures,
        ledger=FunnelLedger.from_dict(got["ledger"]),
    )
    check_names(got["settings"], settings, "settings")
    return got["settings"], counts


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
