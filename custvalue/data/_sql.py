"""The summary as SQL text, for warehouses."""

from __future__ import annotations

from typing import Any

from custvalue._dates import read_date
from custvalue._frames import NOTHING
from custvalue._units import days_per
from custvalue.data._columns import SUMMARY, SUMMARY_NAMES
from custvalue.data._options import Unit, refuse_reserved, unit_name

DIALECTS = ("duckdb", "postgres", "bigquery", "snowflake", "spark")

# Written once in DuckDB's words. Inner names share no name with the user's columns: the customer is
# called cv_who until the last line. Gaps and money are whole numbers and decimals until the last
# SELECT, so that a warehouse's totals are exact to four digits behind the point.
_TEMPLATE = """
WITH cv_log_lines AS (
  SELECT {customer} AS cv_who, CAST({time} AS DATE) AS cv_day,
    TRY_CAST({amount} AS DECIMAL(28, 4)) AS cv_paid
  FROM {table}
), cv_occasions AS (
  SELECT cv_who, cv_day, SUM(cv_paid) AS cv_spend
  FROM cv_log_lines
  WHERE cv_who IS NOT NULL AND CAST(cv_who AS VARCHAR) NOT IN ({nothing})
    AND cv_day <= DATE '{as_of}' AND {counts}
  GROUP BY cv_who, cv_day
  HAVING {bought}
), cv_gaps AS (
  SELECT cv_who, cv_day, cv_spend,
    DATE_DIFF('day', LAG(cv_day) OVER (PARTITION BY cv_who ORDER BY cv_day), cv_day) AS cv_gap,
    DATE_DIFF('day', MAX(cv_day) OVER (PARTITION BY cv_who), DATE '{as_of}') AS cv_silent
  FROM cv_occasions
), cv_customers AS (
  SELECT cv_who, COUNT(*) AS cv_n, MIN(cv_day) AS cv_first, MAX(cv_day) AS cv_last,
    CAST(SUM(cv_spend) AS DOUBLE) AS cv_total,
    CAST(SUM(CASE WHEN cv_gap IS NULL THEN 0 ELSE cv_spend END) AS DOUBLE) AS cv_repeats,
    MAX(cv_gap) AS cv_longest, CAST(SUM(cv_gap * cv_gap) AS DOUBLE) AS cv_squares,
    SUM(CASE WHEN cv_gap <= cv_silent THEN 1 ELSE 0 END) AS cv_shorter,
    SUM(CASE WHEN cv_gap IS NULL THEN 0.0 ELSE LN(CAST(cv_gap AS DOUBLE)) END) AS cv_logs,
    CAST(DATE_DIFF('day', MIN(cv_day), MAX(cv_day)) AS DOUBLE) AS cv_span
  FROM cv_gaps
  GROUP BY cv_who
)
SELECT cv_who AS {customer}, {columns}
FROM cv_customers
"""


def summary_sql(
    dialect: str = "duckdb",
    *,
    table: str,
    customer: str,
    time: str,
    amount: str,
    as_of: Any,
    unit: Unit = "D",
    refunds: str = "net_occasion",
    zero_amounts: str = "drop",
) -> str:
    """Write SQL that makes the table of ``summarize`` where the log lives.

    Parameters
    ----------
    dialect : {"duckdb", "postgres", "bigquery", "snowflake", "spark"}, default="duckdb"
    table : str
        Name of the log's table, ``schema.table`` where needed.
    customer, time, amount : str
        Names of its columns.
    as_of : date, datetime or ISO str
        Last day that is seen.
    unit : {"H", "D", "W", "M", "Y"}, span or timedelta, default="D"
        Unit of all times.
    refunds : {"net_occasion", "drop"}, default="net_occasion"
        As in ``summarize``; SQL can't refuse a row, so ``"error"`` is not offered.
    zero_amounts : {"drop", "keep"}, default="drop"
        As in ``summarize``.

    Returns
    -------
    str
        One SELECT statement.

    Raises
    ------
    DataContractError
        If ``as_of`` is no date, or the customer column is called as a column of the result is.
    ValueError
        If an option is unknown.
    ModuleNotFoundError
        If ``sqlglot``, which writes the other dialects, is not installed.

    Notes
    -----
    Rows without a customer, a day or a finite amount are left out. Days are those of the column
    itself; cast a time with a zone to local time first. Amounts are rounded to four digits behind
    the point and added as decimals. The text is written in DuckDB's words and translated by
    sqlglot; DuckDB, Postgres and Spark are run in the tests, BigQuery and Snowflake are only
    parsed. ``custvalue.score_sql`` scores the table where it is.

    Examples
    --------
    >>> from custvalue.data import summary_sql
    >>> text = summary_sql("bigquery", table="shop.orders", customer="who", time="when",
    ...                    amount="paid", as_of="2024-12-31", unit="W")
    >>> print(text[:58])
    WITH `cv_log_lines` AS (
      SELECT
        `who` AS `cv_who`,
    """
    refuse_reserved(customer, SUMMARY_NAMES, any_case=True)
    if dialect not in DIALECTS:
        raise ValueError(f"dialect={dialect!r} must be one of {', '.join(map(repr, DIALECTS))}.")
    end = read_date(as_of)
    if refunds not in ("net_occasion", "drop"):
        raise ValueError(f"refunds={refunds!r} must be 'net_occasion' or 'drop' in SQL.")
    if zero_amounts not in ("drop", "keep"):
        raise ValueError(f"zero_amounts={zero_amounts!r} must be 'drop' or 'keep'.")
    counts = {"drop": "cv_paid <> 0", "keep": "cv_paid IS NOT NULL"}[zero_amounts]
    if refunds == "drop":
        counts = {"drop": "cv_paid > 0", "keep": "cv_paid >= 0"}[zero_amounts]
    bought = "SUM(cv_paid) > 0"
    if zero_amounts == "keep":
        bought += " OR MIN(cv_paid) >= 0"
    text = _TEMPLATE.format(
        table=".".join(_quoted(part) for part in table.split(".")),
        customer=_quoted(customer),
        time=_quoted(time),
        amount=_quoted(amount),
        as_of=end.date().isoformat(),
        columns=", ".join(
            column.sql.format(as_of=end.date().isoformat(), days=repr(days_per(unit_name(unit))))
            + f" AS {_quoted(column.name)}"
            for column in SUMMARY
        ),
        counts=counts,
        nothing=", ".join(f"'{word}'" for word in NOTHING),
        bought=bought,
    )
    try:
        import sqlglot
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "summary_sql needs sqlglot, which is not installed: "
            'python -m pip install "custvalue[sql]"'
        ) from None
    return sqlglot.transpile(text, read="duckdb", write=dialect, pretty=True, identify=True)[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
