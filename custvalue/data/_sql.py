"""The summary as SQL text, for warehouses."""

from __future__ import annotations

from typing import Any

from custvalue._dates import read_date
from custvalue._units import days_per
from custvalue.data._options import Unit, unit_name

DIALECTS = ("duckdb", "postgres", "bigquery", "spark")

# Written once in DuckDB's words. Gaps and money are whole numbers and decimals until the last
# SELECT, so that a warehouse's totals are exact to four digits behind the point.
_TEMPLATE = """
WITH log_lines AS (
  SELECT {customer} AS {customer}, CAST({time} AS DATE) AS order_day,
    TRY_CAST({amount} AS DECIMAL(28, 4)) AS paid
  FROM {table}
), occasions AS (
  SELECT {customer}, order_day, SUM(paid) AS spend
  FROM log_lines
  WHERE {customer} IS NOT NULL AND order_day <= DATE '{as_of}' AND {counts}
  GROUP BY {customer}, order_day
  HAVING {bought}
), gaps AS (
  SELECT {customer}, order_day, spend,
    DATE_DIFF('day', LAG(order_day) OVER (PARTITION BY {customer} ORDER BY order_day), order_day)
      AS gap,
    DATE_DIFF('day', MAX(order_day) OVER (PARTITION BY {customer}), DATE '{as_of}') AS silent
  FROM occasions
), customers AS (
  SELECT {customer}, COUNT(*) AS n, MIN(order_day) AS first_day, MAX(order_day) AS last_day,
    CAST(SUM(spend) AS DOUBLE) AS total,
    CAST(SUM(CASE WHEN gap IS NULL THEN 0 ELSE spend END) AS DOUBLE) AS repeat_total,
    MAX(gap) AS longest, CAST(SUM(gap * gap) AS DOUBLE) AS squares,
    SUM(CASE WHEN gap <= silent THEN 1 ELSE 0 END) AS shorter,
    CAST(DATE_DIFF('day', MIN(order_day), MAX(order_day)) AS DOUBLE) AS span
  FROM gaps
  GROUP BY {customer}
)
SELECT {customer},
  n - 1 AS frequency,
  span / {days} AS recency,
  CAST(DATE_DIFF('day', first_day, DATE '{as_of}') AS DOUBLE) / {days} AS {big_t},
  CAST(DATE_DIFF('day', last_day, DATE '{as_of}') AS DOUBLE) / {days} AS silence,
  CASE WHEN n > 1 THEN repeat_total / (n - 1) END AS monetary_value,
  n AS n_orders,
  total AS total_value,
  total / n AS mean_value,
  n - 1 AS n_gaps,
  CASE WHEN n > 1 THEN span / (n - 1) / {days} END AS gap_mean,
  CASE WHEN n > 1 THEN CAST(longest AS DOUBLE) / {days} END AS gap_max,
  span / {days} AS gap_sum,
  CASE WHEN n > 1 THEN SQRT(GREATEST((n - 1) * squares - span * span, 0)) / (n - 1) / {days} END
    AS gap_std,
  shorter AS n_gaps_shorter,
  CAST(first_day AS TIMESTAMP) AS first_order,
  CAST(last_day AS TIMESTAMP) AS last_order
FROM customers
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
    dialect : {"duckdb", "postgres", "bigquery", "spark"}, default="duckdb"
    table : str
        Name of the log's table, ``schema.table`` where needed.
    customer, time, amount : str
        Names of its columns.
    as_of : date, datetime or ISO str
        Last day that is seen.
    unit : {"D", "W", "M", "Y"}, span or timedelta, default="D"
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
    ValueError
        If an option is unknown.
    ModuleNotFoundError
        If ``sqlglot``, which writes the other dialects, is not installed.

    Notes
    -----
    Rows without a customer, a day or a finite amount are left out. Days are those of the column
    itself; cast a time with a zone to local time first. Amounts are rounded to four digits behind
    the point and added as decimals. The text is written in DuckDB's words and translated by
    sqlglot; DuckDB and Spark are run in the tests, Postgres and BigQuery are only parsed.

    Examples
    --------
    >>> from custvalue.data import summary_sql
    >>> text = summary_sql("bigquery", table="shop.orders", customer="who", time="when",
    ...                    amount="paid", as_of="2024-12-31", unit="W")
    >>> print(text[:52])
    WITH `log_lines` AS (
      SELECT
        `who` AS `who`,
    """
    if dialect not in DIALECTS:
        raise ValueError(f"dialect={dialect!r} must be one of {', '.join(map(repr, DIALECTS))}.")
    end = read_date(as_of)
    if refunds not in ("net_occasion", "drop"):
        raise ValueError(f"refunds={refunds!r} must be 'net_occasion' or 'drop' in SQL.")
    if zero_amounts not in ("drop", "keep"):
        raise ValueError(f"zero_amounts={zero_amounts!r} must be 'drop' or 'keep'.")
    counts = {"drop": "paid <> 0", "keep": "paid IS NOT NULL"}[zero_amounts]
    if refunds == "drop":
        counts = {"drop": "paid > 0", "keep": "paid >= 0"}[zero_amounts]
    bought = "SUM(paid) > 0"
    if zero_amounts == "keep":
        bought += " OR MIN(paid) >= 0"
    text = _TEMPLATE.format(
        table=".".join(_quoted(part) for part in table.split(".")),
        customer=_quoted(customer),
        time=_quoted(time),
        amount=_quoted(amount),
        big_t=_quoted("T"),
        as_of=end.date().isoformat(),
        days=repr(days_per(unit_name(unit))),
        counts=counts,
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
