"""Databases -> frames, by SQLAlchemy and DuckDB; what goes away in the middle is said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from custvalue.exceptions import ContractProblem, DataContractError
from custvalue.report._tables import frame_of_arrow, typed

if TYPE_CHECKING:
    import pandas as pd

ROWS = 100_000  # fetched at a time


def is_database(path: Path) -> Literal["sqlite", "duckdb"] | None:
    """Whether a file is a database, by how it begins."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"SQLite format 3\0"):
        return "sqlite"
    return "duckdb" if head[8:12] == b"DUCK" else None


def of_duckdb(path: Path, query: str | None) -> pd.DataFrame:
    """Ask a DuckDB file, which is opened for reading alone.

    Raises
    ------
    DataContractError
        If it cannot be asked, or has several tables and no query was given.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{path.name} is a DuckDB file, which needs duckdb: pip install 'custvalue[duckdb]'."
        ) from None
    try:
        with duckdb.connect(str(path), read_only=True) as there:
            if query is None:
                found = [row[0] for row in there.execute("SHOW TABLES").fetchall()]
                query = f'SELECT * FROM "{_only_table(found, path.name)}"'
            asked = there.sql(query)
            if asked is None:
                raise _refused(path.name, ValueError("the query gives no rows"), 0)
            return frame_of_arrow(asked.to_arrow_table())
    except duckdb.Error as error:
        raise _refused(path.name, error, 0) from None


def of_url(url: str, name: str, query: str | None) -> pd.DataFrame:
    """Ask a database by its address.

    Parameters
    ----------
    url : str
        As SQLAlchemy writes it: ``postgresql+psycopg://user:password@host/shop``.
    name : str
        What errors call it: the address without its password.
    query : str or None
        Default: all of its only table.

    Raises
    ------
    DataContractError
        If it cannot be asked, goes away while it answers, or has several tables and no query was
        given.
    ModuleNotFoundError
        If SQLAlchemy or the driver is not installed.
    """
    if url.startswith("duckdb://"):
        return of_duckdb(Path(url.removeprefix("duckdb:///")), query)
    try:
        import sqlalchemy as sa
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{name} is a database, which needs SQLAlchemy: pip install 'custvalue[database]'."
        ) from None
    import pandas as pd

    chunks: list[pd.DataFrame] = []
    rows = 0
    try:
        engine = sa.create_engine(_for_reading(url, name))
    except sa.exc.ArgumentError as error:
        raise _refused(name, error, 0) from None
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{name} needs the driver {error.name!r}: pip install it, or name another in the "
            "address, such as postgresql+psycopg://."
        ) from None
    try:
        with engine.connect() as there:
            if engine.dialect.name == "postgresql":
                there.execution_options(postgresql_readonly=True)
            asked: Any = query
            if query is None:
                table = _only_table(sa.inspect(there).get_table_names(), name)
                asked = sa.select(sa.text("*")).select_from(sa.table(table))
            else:
                asked = sa.text(query.replace(":", r"\:"))
            got = there.execution_options(stream_results=True).execute(asked)
            if not got.returns_rows:
                raise _refused(name, ValueError("the query gives no rows"), 0)
            names = list(got.keys())
            for part in got.partitions(ROWS):
                chunks.append(pd.DataFrame([tuple(row) for row in part], columns=names,
                                           dtype=object))  # fmt: skip
                rows += len(chunks[-1])
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise _refused(name, error, rows) from None
    finally:
        engine.dispose()
    frame = pd.concat(chunks, ignore_index=True) if chunks else pd.DataFrame(columns=names)
    return typed(frame)


def _for_reading(url: str, name: str) -> str:
    """Address of an SQLite file that opens it for reading alone; SQLite would make one anew."""
    kind = url.split(":///")[0]
    path = url.removeprefix(f"{kind}:///")
    if kind not in ("sqlite", "sqlite+pysqlite") or path.startswith("file:") or "?" in path:
        return url
    if path in ("", ":memory:") or not Path(path).is_file():
        raise DataContractError(ContractProblem("no-file", f"{name} is no file", "Check its path."))
    return f"{kind}:///file:{quote(path)}?mode=ro&uri=true"


def _only_table(tables: list[str], name: str) -> str:
    if len(tables) == 1:
        return tables[0]
    has = f"has the tables {', '.join(map(repr, tables[:20]))}" if tables else "has no tables"
    raise DataContractError(
        ContractProblem(
            "which-table", f"{name} {has}",
            "Say query= (--query), such as 'SELECT * FROM orders'.",
        )
    )  # fmt: skip


def _refused(name: str, error: Exception, rows: int) -> DataContractError:
    """Say what a database answered; its own text may hold the address, and so the password."""
    inner = getattr(error, "orig", None) or error
    why = str(inner).strip().splitlines()[0] if str(inner).strip() else type(inner).__name__
    when = f" after {rows:,} rows, which were thrown away" if rows else ""
    return DataContractError(
        ContractProblem(
            "database",
            f"{name} did not answer{when}: {why}",
            "Nothing was written; ask again when it is there, or mend the query.",
        )
    )
