"""CDNOW and donations, read from the data files inside the installed ``lifetimes`` package.

The files are opened by the distribution's path: importing ``lifetimes`` changes a pandas option and
fails with a current setuptools.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd


def _lifetimes_file(name: str) -> Path:
    try:
        found = distribution("lifetimes")
    except PackageNotFoundError:
        raise ModuleNotFoundError(
            "this data set comes inside the 'lifetimes' package, which is not installed: "
            'python -m pip install "custvalue[demo]"'
        ) from None
    return Path(str(found.locate_file(f"lifetimes/datasets/{name}")))


def load_cdnow(which: Literal["master", "sample"] = "master") -> pd.DataFrame:
    """CDNOW transaction log: customers who first bought in the first quarter of 1997.

    Parameters
    ----------
    which : {"master", "sample"}, default="master"
        ``"master"``: all 23,570 customers, 69,659 transactions, 1997-01-01 to 1998-06-30.
        ``"sample"``: the 1/10 systematic sample of the literature, 2,357 customers, 6,919
        transactions.

    Returns
    -------
    DataFrame of shape (n_transactions, 4)
        ``customer_id`` (int), ``date`` (datetime64), ``quantity`` (CDs, int), ``amount`` (US
        dollars, float). In the sample the customer ids are those of the master file.

    Raises
    ------
    ModuleNotFoundError
        If the ``lifetimes`` package, which ships the file, is not installed.

    Notes
    -----
    80 rows of the master have a zero amount; 2,068 rows are repeats on the same day.

    References
    ----------
    Fader, P. S. & Hardie, B. G. S. (2001), Forecasting repeat sales at CDNOW: a case study,
    Interfaces 31(3), S94-S107.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.datasets.load_cdnow()
    >>> log.shape, log["customer_id"].nunique()
    ((69659, 4), 23570)
    """
    import pandas as pd

    names = ["customer_id", "date", "quantity", "amount"]
    if which == "master":
        path = _lifetimes_file("CDNOW_master.txt")
    elif which == "sample":
        path = _lifetimes_file("CDNOW_sample.txt")
        names = ["customer_id", "sample_id", *names[1:]]
    else:
        raise ValueError(f"which={which!r} must be 'master' or 'sample'.")
    log = pd.read_csv(
        path,
        sep=r"\s+",
        header=None,
        names=names,
        skiprows=1 if which == "master" else 0,  # the master has a header, the sample none
        dtype={"date": str},
    )
    log["date"] = pd.to_datetime(log["date"], format="%Y%m%d")
    return log[["customer_id", "date", "quantity", "amount"]]


def load_donations() -> pd.DataFrame:
    """Annual donations of the 1995 cohort of a charity: the BG/BB literature's summary.

    Returns
    -------
    DataFrame of shape (22, 4)
        ``frequency`` (repeat years with a gift), ``recency`` (last of them), ``T`` (6 years
        observed) and ``weight`` (number of the 11,104 donors with this history).

    Raises
    ------
    ModuleNotFoundError
        If the ``lifetimes`` package, which ships the file, is not installed.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. & Shang, J. (2010), Customer-base analysis in a discrete-time
    noncontractual setting, Marketing Science 29(6), 1086-1108.

    Examples
    --------
    >>> import custvalue as cv
    >>> donations = cv.datasets.load_donations()
    >>> len(donations), int(donations["weight"].sum())
    (22, 11104)
    """
    import pandas as pd

    table = pd.read_csv(_lifetimes_file("donations.csv"))
    return table.rename(columns={"periods": "T", "weights": "weight"})[
        ["frequency", "recency", "T", "weight"]
    ]
