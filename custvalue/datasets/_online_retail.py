"""UCI Online Retail: fetched once, checked by content, kept as Parquet."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from custvalue._files import whole_file
from custvalue.exceptions import ContractProblem, DataContractError

if TYPE_CHECKING:
    import pandas as pd

URL = "https://archive.ics.uci.edu/static/public/352/data.csv"
FILE = "online_retail.parquet"
CONTENT = "ef4e1dcc08b8172f317608f29f57ec2a7ad4cbe4e24d3b9a90bb76075b2c471e"
COLUMNS = {
    "InvoiceNo": "str",
    "StockCode": "str",
    "Description": "str",
    "Quantity": "int32",
    "UnitPrice": "float64",
    "CustomerID": "Int32",
    "Country": "str",
}


def fetch_online_retail(
    data_home: str | os.PathLike[str] | None = None,
    *,
    url: str = URL,
    download_if_missing: bool = True,
) -> pd.DataFrame:
    """UCI Online Retail: a year of a British web shop's invoice lines, dirty as it came.

    Parameters
    ----------
    data_home : path, optional
        Folder of the cache; default: the environment variable ``CUSTVALUE_DATA``, else the user's
        cache folder.
    url : str
        Where to fetch the text file; a mirror is as good, since the content is checked.
    download_if_missing : bool, default=True
        False: an error instead of a download.

    Returns
    -------
    DataFrame of shape (541909, 9)
        ``InvoiceNo`` (C in front: a cancellation), ``StockCode``, ``Description``, ``Quantity``
        (negative: returned), ``InvoiceDate``, ``UnitPrice`` (pounds), ``CustomerID`` (135,080 are
        missing), ``Country``, and ``amount``, which is quantity times price.

    Raises
    ------
    DataContractError
        If what was found or fetched is not the published data.
    FileNotFoundError
        If it is not in the cache and ``download_if_missing`` is False.
    ModuleNotFoundError
        If it must be fetched and pooch is not installed.

    References
    ----------
    Chen, D. (2015), Online Retail, UCI Machine Learning Repository, CC BY 4.0,
    doi:10.24432/C5BW33.

    Examples
    --------
    >>> from custvalue.datasets import fetch_online_retail
    >>> fetch_online_retail("nowhere", download_if_missing=False)
    Traceback (most recent call last):
    ...
    FileNotFoundError: nowhere/online_retail.parquet is not there; ... download_if_missing=True ...
    """
    import pandas as pd

    folder = _home(data_home)
    path = folder / FILE
    if path.exists():
        frame = pd.read_parquet(path)
        _check(frame, str(path))
    elif not download_if_missing:
        raise FileNotFoundError(
            f"{path.as_posix()} is not there; pass download_if_missing=True to fetch it."
        )
    else:
        frame = _fetch(url, folder)
        with whole_file(path) as half:  # nobody ever reads half a file
            frame.to_parquet(half, index=False)
    return frame.assign(amount=frame["Quantity"] * frame["UnitPrice"])


def _home(data_home: str | os.PathLike[str] | None) -> Path:
    home = data_home or os.environ.get("CUSTVALUE_DATA")
    if home:
        return Path(home)
    return Path(_pooch().os_cache("custvalue"))


def _pooch() -> Any:
    try:
        import pooch
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'fetching data needs pooch: python -m pip install "custvalue[demo]"'
        ) from None
    return pooch


def _fetch(url: str, folder: Path) -> pd.DataFrame:
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    name = "online_retail.csv"
    with TemporaryDirectory(dir=folder) as place:  # two may fetch at once
        got = _pooch().retrieve(url, known_hash=None, fname=name, path=place, progressbar=False)
        frame = pd.read_csv(got, dtype=COLUMNS, keep_default_na=False, na_values=[""])
    frame["InvoiceDate"] = pd.to_datetime(frame["InvoiceDate"], format="mixed")
    _check(frame, url)
    return frame


def content_of(frame: pd.DataFrame) -> str:
    """SHA-256 of quantities, prices, minutes and customers, in the order of the rows."""
    minutes = frame["InvoiceDate"].to_numpy().astype("datetime64[m]").astype(np.int64)
    parts = (
        frame["Quantity"].to_numpy(dtype=np.int64),
        np.rint(frame["UnitPrice"].to_numpy(dtype=float) * 1000).astype(np.int64),
        minutes,
        frame["CustomerID"].fillna(-1).to_numpy(dtype=np.int64),
    )
    digest = hashlib.sha256()
    for part in parts:
        digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
    return digest.hexdigest()


def _check(frame: pd.DataFrame, where: str) -> None:
    lost = [name for name in (*COLUMNS, "InvoiceDate") if name not in frame.columns]
    found = "" if lost else content_of(frame)
    if found != CONTENT:
        raise DataContractError(
            ContractProblem(
                "checksum",
                f"{where} is not the published Online Retail data "
                + (f"(no column {lost[0]!r})" if lost else f"(content {found[:12]}...)"),
                "Delete the cached file and fetch it again, or give another url.",
                len(frame),
            )
        )
