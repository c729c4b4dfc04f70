"""One company, one name: case, spaces, punctuation and legal forms folded, nothing guessed."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# legal forms, as they stand once dots are gone
FORMS = frozenset(
    """
    ab ag as bv co company corp corporation gmbh inc incorporated kg kk limited llc llp lp ltd nv oy
    plc pte pty sa sarl sas spa srl
    """.split()  # noqa: SIM905  # a list of words is easier to read in one piece
)
ZH_FORMS = ("股份有限公司", "有限责任公司", "有限公司", "集团", "公司")


def folded(name: str) -> str:
    """Give what is left of a company's name without case, punctuation, spaces and legal forms.

    Examples
    --------
    >>> from custvalue.market._company_names import folded
    >>> folded("ACME Trading Co., Ltd.") == folded("Acme  trading")
    True
    >>> folded("华源贸易有限公司")
    '华源贸易'
    """
    text = unicodedata.normalize("NFKC", name).casefold().replace(".", "").replace("'", "")
    parts = re.sub(r"[\W_]+", " ", text).split()
    kept = list(parts)
    while len(kept) > 1 and kept[-1] in FORMS:
        kept.pop()
    out = " ".join(kept)
    for form in ZH_FORMS:
        if out.endswith(form) and len(out) > len(form):
            return out.removesuffix(form)
    return out or name.casefold().strip()


def merged_names(names: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], pd.DataFrame]:
    """Give every company its commonest spelling, and list what was merged.

    Parameters
    ----------
    names : ndarray of shape (n,) of str

    Returns
    -------
    names : ndarray of shape (n,) of str
    merges : DataFrame
        One row a spelling that is not the one kept: ``spelling``, ``merged_into``, ``rows``.
    """
    spelling, place, count = np.unique(names.astype(str), return_inverse=True, return_counts=True)
    table = pd.DataFrame({"spelling": spelling, "rows": count})
    table["key"] = [folded(name) for name in spelling]
    # the commonest spelling; of equally common ones the first in the alphabet
    order = table.sort_values(["rows", "spelling"], ascending=[False, True])
    kept = order.drop_duplicates("key").set_index("key")["spelling"]
    table["merged_into"] = table["key"].map(kept)
    merges = table.loc[table["spelling"] != table["merged_into"]]
    return (
        table["merged_into"].to_numpy(dtype=object)[place],
        merges[["spelling", "merged_into", "rows"]].reset_index(drop=True),
    )
