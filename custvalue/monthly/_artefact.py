"""A fitted model with all that is needed to use it again: what it reads, saw and proved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from custvalue._files import whole_file
from custvalue._frames import column, eager
from custvalue._html import HtmlFacts
from custvalue._portable import check_names, number, reading, sealed, unseal
from custvalue._units import Span
from custvalue._value_model import ValueModel, read_value, write_value
from custvalue.data import LogOptions, TransactionLog
from custvalue.evaluation import BestValue, usual_parts
from custvalue.exceptions import ArtefactError, NotSupportedError
from custvalue.monthly._inputs import INPUTS, Shares, shares_of

SCHEMA = 2
LAW = "law x own mean"
# what a table of customers must have to be scored by a law: name, type, unit, when it is missing
READS = (
    ("frequency", "integer", "orders", "never: 0 of who ordered once"),
    ("recency", "number", "time", "never: 0 of who ordered once"),
    ("T", "number", "time", "never"),
    ("n_orders", "integer", "orders", "never"),
    ("mean_value", "number", "money", "never"),
    ("total_value", "number", "money", "never"),
)
_KEYS = ("fitted", "log", "read", "as_of", "first_order", "n_customers", "n_orders", "ranges",
         "shares", "value", "data", "verdict")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Artefact(HtmlFacts):
    """A fitted value model, and what it was fitted on; no customer's row.

    Parameters
    ----------
    model : value model
        Fitted; its horizon, rate and margin are those of every score.
    log : dict
        Columns and policies of the log, as `custvalue.TransactionLog` takes them.
    read : dict
        How its file was read, as `custvalue.report.read_log` takes it.
    as_of, first_order : str
        End and beginning of what was seen.
    n_customers, n_orders : int
    ranges : dict of str to (float, float)
        Least and largest value of each input that was seen.
    shares : dict of str to Shares
        How customers lay in each input, and in the value: what drift is measured against.
    value : float
        Of all customers together.
    data : str
        SHA-256 of the customers' ids and inputs: the same data give the same.
    verdict : dict
        What the forecast may be used for, by what earlier dates said: ``overall`` and one a use.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> made = cv.monthly.fit(log, horizon="26W")
    >>> again = cv.monthly.Artefact.from_dict(made.to_dict())
    >>> again.as_of, again.n_customers, again.verdict["list"]
    ('1998-06-30', 2349, 'good')
    """

    _not_shown = ("model", "shares", "log", "read")

    model: ValueModel = field(repr=False)
    log: dict[str, Any]
    as_of: str
    first_order: str
    n_customers: int
    n_orders: int
    ranges: dict[str, tuple[float, float]]
    shares: dict[str, Shares] = field(repr=False)
    value: float
    data: str
    verdict: dict[str, str]
    read: dict[str, Any] = field(default_factory=dict)

    @property
    def customer(self) -> str:
        """Name of the customer column."""
        return str(self.log["customer"])

    @property
    def reads_summary(self) -> bool:
        """Whether a summary can be scored; else the log is needed."""
        return reads_summary(self.model)

    @property
    def name(self) -> str:
        """Short name, told from all others by what it holds: the first digits of its checksum."""
        return str(self.to_dict()["checksum"])[:12]

    def schema(self) -> list[dict[str, str]]:
        """Columns that a table of customers must have to be scored.

        Returns
        -------
        list of dict
            ``name``, ``type``, ``unit`` and ``missing``; columns may come in any order, and others
            are ignored.
        """
        unit = self.model.unit_ or "D"
        first = {"name": self.customer, "type": "id", "unit": "", "missing": "never"}
        return [first] + [
            {"name": name, "type": kind, "unit": unit if of == "time" else of, "missing": missing}
            for name, kind, of, missing in READS
        ]

    # ---- to JSON and back -----------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Write it as plain JSON values.

        Returns
        -------
        dict

        Raises
        ------
        NotSupportedError
            If a part of the model has no plain form.
        """
        return sealed(
            "Artefact",
            SCHEMA,
            fitted=write_value(self.model),
            log=self.log,
            read=self.read,
            as_of=self.as_of,
            first_order=self.first_order,
            n_customers=self.n_customers,
            n_orders=self.n_orders,
            ranges={name: list(ends) for name, ends in self.ranges.items()},
            shares={name: asdict(one) for name, one in self.shares.items()},
            value=self.value,
            data=self.data,
            verdict=self.verdict,
        )

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Artefact:
        """Read back what ``to_dict`` wrote.

        Parameters
        ----------
        plain : mapping

        Returns
        -------
        Artefact

        Raises
        ------
        ArtefactError
            If it is damaged or changed, of a schema that this version does not read, or something
            else. It is a ``ValueError``.
        """
        with reading("artefact"):
            held = unseal(plain, schemas=(SCHEMA,), keys=_KEYS, model="Artefact")
            model = read_value(held["fitted"])
            if not isinstance(model, ValueModel):
                raise ArtefactError("the artefact holds no value model.")
            log = dict(held["log"])
            options = {k: v for k, v in log.items() if k != "unit"}
            LogOptions(**options)  # refuses what is no option
            ranges = {
                str(name): (number(ends[0], name), number(ends[1], name))
                for name, ends in held["ranges"].items()
            }
            for name in ("as_of", "first_order"):
                np.datetime64(held[name])
            check_names(held["shares"], set(held["shares"]), "shares")
            return cls(
                model=model,
                log=log,
                read=dict(held["read"]),
                as_of=str(held["as_of"]),
                first_order=str(held["first_order"]),
                n_customers=int(number(held["n_customers"], "n_customers")),
                n_orders=int(number(held["n_orders"], "n_orders")),
                ranges=ranges,
                shares={str(k): Shares.from_dict(v) for k, v in held["shares"].items()},
                value=number(held["value"], "value"),
                data=str(held["data"]),
                verdict={str(k): str(v) for k, v in held["verdict"].items()},
            )

    def write(self, path: str | Path) -> Path:
        """Write it to a JSON file, which is whole or not there.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        Path
        """
        path = Path(path)
        with whole_file(path) as half:
            text = json.dumps(self.to_dict(), ensure_ascii=False, indent=1)
            half.write_text(text + "\n", encoding="utf-8", newline="\n")
        return path

    @classmethod
    def open(cls, path: str | Path) -> Artefact:
        """Read a file that ``write`` made; nothing in it is run.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        Artefact

        Raises
        ------
        ArtefactError
            If it is cut, damaged, changed, or of a newer schema.
        OSError
            If it is not there.
        """
        path = Path(path)
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ArtefactError(
                f"{path.name} is no artefact, or was cut: it is no JSON ({error}). Take the copy "
                "that you wrote last, or fit again."
            ) from None
        try:
            return cls.from_dict(plain)
        except ArtefactError as error:
            raise ArtefactError(f"{path.name}: {error}") from None


def fit(
    log: TransactionLog,
    model: ValueModel | None = None,
    *,
    horizon: Span = "52W",
    annual_discount_rate: float = 0.10,
    margin: float | str | None = None,
    read: Mapping[str, Any] | None = None,
) -> Artefact:
    """Fit a value model on a log, and keep with it all that is needed to use it again.

    Parameters
    ----------
    log : TransactionLog
    model : value model, optional
        Not fitted. None: purchases by a law times each customer's mean spend, brought to the level
        that earlier dates of the log ask for and proven there (`custvalue.evaluation.BestValue`
        with this one candidate, as ``custvalue report --estimator law``); it scores a summary, so
        that later months need no log.
    horizon : str, default="52W"
        How far every score looks.
    annual_discount_rate : float, default=0.10
    margin : float or str, optional
        Share of spend that is profit; None: what the log tells, else 1.
    read : mapping, optional
        How the log's file was read, to be remembered.

    Returns
    -------
    Artefact

    Raises
    ------
    DataContractError
        If the log is none.
    NotSupportedError
        If a part of the model cannot be written.

    Examples
    --------
    >>> import custvalue as cv
    >>> log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), customer="customer_id",
    ...                         time="date", amount="amount", as_of="1998-06-30")
    >>> made = cv.monthly.fit(log, cv.CustomerValue(purchases=cv.MBGNBD()), horizon="26W")
    >>> made.ranges["frequency"]
    (0.0, 43.0)
    """
    from custvalue.evaluation._for_rooms import as_transaction_log

    known = as_transaction_log(log, "fit")
    if model is None:
        model = BestValue({LAW: usual_parts()[LAW]})
    terms: dict[str, Any] = {"horizon": horizon, "annual_discount_rate": annual_discount_rate}
    if margin is not None:
        terms["margin"] = margin
    from sklearn.base import clone

    model = clone(model).set_params(**terms)
    summary = eager(known.summary("D"))
    model = model.fit(known if model.reads_table == "log" else table_of(known, model))
    value = np.asarray(model.predict(known if model.reads_table == "log" else summary))
    options = {k: v for k, v in asdict(known.options).items() if _told(k, v)}
    made = Artefact(
        model=model,
        log=json.loads(json.dumps(options, default=str)),
        read=json.loads(json.dumps(dict(read or {}), default=str)),
        as_of=str(known.as_of.astype("datetime64[D]")),
        first_order=str(column(summary, "first_order").min().astype("datetime64[D]")),
        n_customers=len(value),
        n_orders=int(column(summary, "n_orders").sum()),
        ranges={name: _ends(column(summary, name)) for name in INPUTS},
        shares={**shares_of(summary), "value": Shares.learned(value)},
        value=float(value.sum()),
        data=data_hash(summary, known.customer),
        verdict=_verdict(model),
    )
    made.to_dict()  # a part that cannot be written is said now, not after the work of a month
    return made


def reads_summary(model: Any) -> bool:
    """Whether a fitted model values the rows of a summary."""
    if model.reads_table == "summary":
        return True
    return bool(getattr(model, "reads_summaries", False))


def table_of(log: TransactionLog, model: Any) -> Any:
    """Table of a log that a model is fitted on."""
    if model.reads_table == "summary":
        return log.summary("D")
    if model.reads_table == "panel":
        return log.panel("4W")
    raise NotSupportedError(f"{type(model).__name__} reads a table that a log does not make.")


def data_hash(summary: Any, customer: str) -> str:
    """SHA-256 of ids and inputs, whatever the order of the rows.

    Parameters
    ----------
    summary : frame
    customer : str
    """
    ids = column(summary, customer).astype(str)
    order = np.argsort(ids, kind="stable")
    found = hashlib.sha256("\n".join(ids[order].tolist()).encode())
    for name in (*INPUTS, "total_value"):
        values = np.asarray(column(summary, name), dtype="<f8")[order]
        found.update(np.ascontiguousarray(values + 0.0).tobytes())
    return found.hexdigest()


def _told(name: str, value: Any) -> bool:
    """Whether an option differs from its default."""
    from dataclasses import fields

    known = {f.name: f.default for f in fields(LogOptions)}
    return value is not None and (name in ("customer", "time", "amount") or value != known[name])


def _ends(values: Any) -> tuple[float, float]:
    numbers = np.asarray(values, dtype=np.float64)
    known = numbers[np.isfinite(numbers)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)


def _verdict(model: Any) -> dict[str, str]:
    if not isinstance(model, BestValue):
        return {}
    verdict = model.verdict()
    return {"overall": str(verdict.overall), **{k: str(v) for k, v in verdict.uses.items()}}
