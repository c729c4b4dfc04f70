"""Chains, ledgers and value maps that come back from a file are checked like fitted models."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

import custvalue as cv
from custvalue.chains import Chain
from custvalue.data._ledger import Dropped, RowLedger
from custvalue.exceptions import ArtefactError
from custvalue.funnel._ledger import DroppedDeals, FunnelLedger
from custvalue.survey import PerceivedValue

CHAIN = Chain(
    [("r", 1), ("r", 2), "gone"],
    [[0.3, 0.7, 0.0], [0.2, 0.5, 0.3], [0.0, 0.0, 1.0]],
    absorbing=["gone"],
)


def through_json(plain):
    return json.loads(json.dumps(plain, allow_nan=False))


@pytest.fixture(scope="module")
def written():
    rng = np.random.default_rng(2)
    import pandas as pd

    table = pd.DataFrame(
        {
            "brand": np.repeat(["ours", "theirs"], 60),
            "quality": rng.integers(1, 8, 120),
            "service": rng.integers(1, 8, 120),
            "price": rng.integers(1, 8, 120),
        }
    )
    value = PerceivedValue(
        benefits=["quality", "service"], sacrifices=["price"], scale=(1, 7), quality_weight=0.5
    ).fit(table)
    return {
        "chain": (Chain.from_dict, CHAIN.to_dict()),
        "sparse chain": (
            Chain.from_dict,
            Chain.from_dict({**_unsealed(CHAIN.to_dict()), "sparse": True}).to_dict(),
        ),
        "row ledger": (
            RowLedger.from_dict,
            RowLedger(5, 4, 10.0, 8.0, (Dropped("refund", 1, 2.0, ("7",)),)).to_dict(),
        ),
        "funnel ledger": (
            FunnelLedger.from_dict,
            FunnelLedger(9, 7, 1, 4, (DroppedDeals("missing_time", 1, 1, ("d",)),)).to_dict(),
        ),
        "perceived value": (PerceivedValue.from_dict, value.to_dict()),
    }


def _unsealed(plain):
    rest = {k: v for k, v in plain.items() if k not in ("schema", "library", "model", "checksum")}
    return {"version": 1, **rest}


NAMES = ["chain", "sparse chain", "row ledger", "funnel ledger", "perceived value"]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_comes_back_as_it_was(written, name):
    read, plain = written[name]
    assert read(through_json(plain)).to_dict() == through_json(plain)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_broken_is_one_kind_of_error(written, name):
    read, plain = written[name]
    for wrong in (None, 3, [], "text", {}):
        with pytest.raises(ArtefactError):
            read(wrong)
    for key in plain:
        without = {k: v for k, v in through_json(plain).items() if k != key}
        with pytest.raises(ArtefactError):
            read(without)
        if key in ("library", "customers", "occasions"):
            continue
        odd = () if key.startswith("amount") else (-3.5,)
        for bad in ({"x": 1}, ["x", None], "?", *odd):
            with pytest.raises(ArtefactError):
                read({**through_json(plain), key: bad})
    with pytest.raises(ArtefactError):
        read({**through_json(plain), "more": 1})


@pytest.mark.parametrize("name", ["chain", "sparse chain", "perceived value"])
def test_a_number_that_was_edited_is_found_by_the_checksum(written, name):
    read, plain = written[name]
    changed = through_json(plain)
    if "chance" in changed:
        changed["chance"][0], changed["chance"][1] = 0.7, 0.3  # rows still sum to one
    else:
        changed["settings"]["level"] = 0.5
    with pytest.raises(ArtefactError, match="checksum"):
        read(changed)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("row", [0, 0, 1, 1, 1, 100_000_000]),
        ("row", [0, 0, 1, 1, 1, -1]),
        ("col", [0, 1, 0, 1, 2, 0.5]),
        ("chance", [0.3, 0.7, 0.2, 0.5, 0.3]),
        ("chance", [0.3, 0.7, 0.2, 0.5, 0.3, 2.0]),
        ("chance", [0.3, 0.7, 0.2, 0.5, 0.3, True]),
        ("chance", [-0.3, 1.3, 0.2, 0.5, 0.3, 1.0]),
        ("states", ["a", "a", "b"]),
        ("absorbing", ["elsewhere"]),
        ("sparse", "yes"),
    ],
)
def test_a_chain_made_by_hand_without_a_seal_is_checked_too(key, value):
    plain = _unsealed(CHAIN.to_dict())
    assert Chain.from_dict(plain) == CHAIN  # as older versions wrote it
    with pytest.raises(ArtefactError):
        Chain.from_dict({**copy.deepcopy(plain), key: value})


def test_a_written_chain_is_no_other_model():
    law = cv.NBD.from_params(r=1.0, alpha=5.0).to_dict()
    with pytest.raises(ArtefactError):
        Chain.from_dict(law)
    with pytest.raises(ArtefactError):
        cv.NBD.from_dict(CHAIN.to_dict())
