"""A fitted model as SQL text, for warehouses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from custvalue._sklearn import check_is_fitted
from custvalue._units import Span, days_per, same_unit
from custvalue.distributed._sql_classes import (
    rfm_score,
    segment_score,
    silence_score_of,
    stage_score,
)
from custvalue.distributed._sql_purchase import purchase_score
from custvalue.distributed._sql_text import Score
from custvalue.distributed._sql_value import chain_score, customer_value_score
from custvalue.exceptions import (
    ContractProblem,
    DataContractError,
    NotSupportedError,
    TimeUnitError,
)
from custvalue.lifecycle import LifecycleClassifier
from custvalue.likelihood import LawModel
from custvalue.markov import MarkovCLVEstimator
from custvalue.purchase import PurchaseModel
from custvalue.rfm import RFMTransformer, SegmentMap
from custvalue.silence import SilenceScorer
from custvalue.value import CustomerValue

DIALECTS = ("duckdb", "postgres", "bigquery", "snowflake", "spark")


def score_sql(
    model: Any,
    table: str,
    dialect: str = "duckdb",
    *,
    customer: str,
    horizon: Span | None = None,
    unit: str | None = None,
    keep: Sequence[str] = (),
) -> str:
    """Write SQL that asks a fitted model about every row of a table where the table lives.

    The table is one of ``summary_sql`` or ``summarize``. The answers are those of Python, to
    1e-9 or to the error that the text states above the statement.

    Parameters
    ----------
    model : fitted estimator or SegmentMap
        ``BGNBD``, ``MBGNBD``, ``ParetoNBD``, ``NBD``: columns ``alive`` and, with a horizon,
        ``expected_orders``. ``CustomerValue`` of these laws: ``alive``, ``value``.
        ``MarkovCLVEstimator``: ``value`` by state. ``RFMTransformer``: a column a letter, and
        ``score``. ``SegmentMap`` (over such columns): ``segment``. ``SilenceScorer``: what
        ``transform`` gives. ``LifecycleClassifier`` by rules: ``stage``, ``rule``, ``source``.
    table : str
        Name of the table, ``schema.table`` where needed.
    dialect : {"duckdb", "postgres", "bigquery", "snowflake", "spark"}, default="duckdb"
    customer : str
        Its customer column, which is given back.
    horizon : str or number, optional
        Of forecasts; the model's own unless given.
    unit : {"H", "D", "W", "M", "Y"} or span, optional
        Unit of the table's times, where it should be checked; a chain of periods turns the silence
        of a summary into whole periods by it, and takes the table for a panel's rows without it.
    keep : sequence of str, default=()
        Further columns to carry along.

    Returns
    -------
    str
        One SELECT statement: the customer, the columns kept, the answers, and ``reason``: why a
        row has none (code and column, as in ``check_rows``), NULL where it has.

    Raises
    ------
    NotSupportedError
        If the model, or something it was asked to be, cannot be said in SQL; the text says why.
    DataContractError
        If a column given back is called as an answer is, or twice the same.
    TimeUnitError
        If ``unit`` is not the model's.
    ValueError
        If the dialect is unknown, or the model needs a horizon.
    ModuleNotFoundError
        If ``sqlglot``, which writes the other dialects, is not installed.

    Notes
    -----
    P(alive) of the Pareto/NBD is an integral by Gauss's rule with its nodes in the text; what the
    (M)BG/NBD and ``CustomerValue`` expect of a living customer is looked up: a row for each of 0
    to 40 repeat orders, and one rule for more (up to ten times what the fit saw), in cosines of
    the logarithm of T. Both are held
    against Python when the text is written, and refused where they are off by more than 1e-8.
    Histories may be a hundred years long. Exponents are held within 600, so that no engine over- or
    underflows: a chance below 1e-260 is not told apart from that. Warnings that Python gives of a
    whole table (times far beyond the fit's) are not given. DuckDB, Postgres and Spark are run in
    the tests, BigQuery and Snowflake are only parsed.

    Examples
    --------
    >>> from custvalue.distributed import score_sql
    >>> from custvalue.purchase import MBGNBD
    >>> model = MBGNBD.from_params(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="W")
    >>> text = score_sql(model, "summary", customer="who", horizon="26W")
    >>> import duckdb
    >>> con = duckdb.connect()
    >>> _ = con.sql("CREATE TABLE summary AS SELECT 'a' who, 2 frequency, 30.43 recency, 38.86 T")
    >>> con.sql(text).df().round(4)
      who   alive  expected_orders reason
    0   a  0.7062           0.8928   None
    """
    if dialect not in DIALECTS:
        raise ValueError(f"dialect={dialect!r} must be one of {', '.join(map(repr, DIALECTS))}.")
    if not isinstance(model, SegmentMap):
        check_is_fitted(model)
    _check_unit(model, unit)
    score = _score_of(model, horizon, unit)
    given = [customer, *keep]
    _check_names(given, [*score.columns, "reason"])
    try:
        import sqlglot
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "score_sql needs sqlglot, which is not installed: "
            'python -m pip install "custvalue[sql]"'
        ) from None
    plain = score.statement(table, given, fenced=dialect == "postgres")
    text = sqlglot.transpile(plain, read="duckdb", write=dialect, pretty=True, identify=True)[0]
    notes = "".join(
        f"-- {note}\n" for note in [f"{type(model).__name__} of custvalue", *score.notes]
    )
    return notes + text


def _score_of(model: Any, horizon: Span | None, unit: str | None) -> Score:
    for part in (model, getattr(model, "purchases_", None), getattr(model, "spend_", None)):
        if isinstance(part, LawModel) and part.fitted_.effects is not None:
            raise NotSupportedError(
                f"this {type(part).__name__} reads columns of customers, which have no SQL yet. "
                "Map it over partitions with custvalue.distributed.predict."
            )
        if isinstance(part, LawModel) and part.fitted_.groups is not None:
            raise NotSupportedError(
                f"this {type(part).__name__} has parameters by group, which have no SQL in one: "
                "write that of each model.of_group(name), or map it over partitions with "
                "custvalue.distributed.predict."
            )
    if isinstance(model, PurchaseModel):
        return purchase_score(model, horizon)
    if isinstance(model, CustomerValue):
        return customer_value_score(model, horizon)
    if isinstance(model, MarkovCLVEstimator):
        return chain_score(model, horizon, unit)
    if horizon is not None:
        raise ValueError(f"{type(model).__name__} looks at no horizon; leave horizon= out.")
    if isinstance(model, RFMTransformer):
        return rfm_score(model)
    if isinstance(model, SegmentMap):
        return segment_score(model)
    if isinstance(model, SilenceScorer):
        return silence_score_of(model)
    if isinstance(model, LifecycleClassifier):
        return stage_score(model)
    raise NotSupportedError(
        f"{type(model).__name__} has no SQL. Map it over partitions with "
        "custvalue.distributed.predict."
    )


def _check_unit(model: Any, unit: str | None) -> None:
    if unit is None:
        return
    days_per(unit)
    own = getattr(model, "unit_", None)
    if own is None or (not isinstance(model, MarkovCLVEstimator) and not same_unit(unit, own)):
        raise TimeUnitError(
            f"the table counts time in {unit!r}, this {type(model).__name__} in "
            f"{own or 'no unit'!r}: write the table with unit={own!r}."
        )


def _check_names(given: Sequence[str], made: Sequence[str]) -> None:
    """Refuse columns given back that would be lost; SQL takes ``t`` and ``T`` for one name."""
    seen = {name.casefold(): name for name in made}
    problems = []
    for name in given:
        other = seen.get(str(name).casefold())
        if other is not None:
            text = f"column {name!r} is called as {other!r} of the result is"
            problems.append(
                ContractProblem("reserved-name", text, "Rename it first, or leave it out of keep=.")
            )
        seen[str(name).casefold()] = name
    if problems:
        raise DataContractError(problems)
