"""Warehouses that run SQL for real: DuckDB, a Postgres server of the tests' own, local Spark."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


def _postgres_program(name):
    """initdb or pg_ctl: on the path, or where Debian keeps them."""
    found = shutil.which(name)
    if found is None:
        here = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        found = str(here[-1]) if here else None
    if found is None:
        pytest.skip(f"no Postgres server here: no {name} on the path nor in /usr/lib/postgresql")
    return str(Path(found).resolve())


@pytest.fixture(scope="session")
def postgres():
    """A connection to a Postgres server in a temporary folder, reached by a socket in it alone."""
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    initdb, pg_ctl = _postgres_program("initdb"), _postgres_program("pg_ctl")
    folder = tempfile.mkdtemp(prefix="cv_pg_")  # short: a socket's path has 100 characters
    who = {}
    if os.geteuid() == 0:  # the server refuses to be root
        names = [n for n in ("postgres", "nobody") if n in {u.pw_name for u in pwd.getpwall()}]
        if not names:
            pytest.skip("Postgres refuses to run as root, and there is no other user here")
        who = {"user": names[0], "cwd": folder}
        os.chown(folder, pwd.getpwnam(names[0]).pw_uid, -1)
    data = f"{folder}/data"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **who}
    start = f"-k {folder} -c listen_addresses='' -c fsync=off"
    try:
        subprocess.run([initdb, "-D", data, "-A", "trust", "-U", "cv", "-E", "UTF8",
                        "--locale=C", "--no-sync"], **quiet)  # fmt: skip
        subprocess.run([pg_ctl, "-D", data, "-o", start, "-l", f"{folder}/log", "-w", "start"],
                       **quiet)  # fmt: skip
        connection = psycopg.connect(host=folder, user="cv", dbname="postgres", autocommit=True)
        yield connection
        connection.close()
    finally:
        subprocess.run([pg_ctl, "-D", data, "-m", "immediate", "stop"], **{**quiet, "check": False})
        shutil.rmtree(folder, ignore_errors=True)


class Warehouse:
    """Tables in, SQL asked, a pandas frame out; ``dialect`` is what it speaks."""

    def __init__(self, dialect, load, ask):
        self.dialect, self.load, self.ask = dialect, load, ask


def _duckdb():
    import duckdb

    con = duckdb.connect()

    def load(name, frame):
        con.register("given", frame)
        con.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM given')
        con.unregister("given")

    return Warehouse("duckdb", load, lambda text: con.sql(text).df())


def _postgres(connection):
    kinds = {"f": "DOUBLE PRECISION", "i": "BIGINT", "b": "BOOLEAN", "M": "TIMESTAMP"}

    def load(name, frame):
        def quoted(column):
            return '"' + column.replace('"', '""') + '"'

        columns = ", ".join(f"{quoted(c)} {kinds.get(frame[c].dtype.kind, 'TEXT')}" for c in frame)
        connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        connection.execute(f"CREATE TABLE {quoted(name)} ({columns})")
        with connection.cursor().copy(f"COPY {quoted(name)} FROM STDIN") as copy:
            for row in frame.astype(object).itertuples(index=False):
                copy.write_row([None if v is None or v is pd.NaT else v for v in row])

    def ask(text):
        cursor = connection.execute(text.encode())  # bytes: a percent sign is no parameter
        return pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description])

    return Warehouse("postgres", load, ask)


def _spark(session, folder):
    def load(name, frame):
        path = str(folder / f"{len(list(folder.iterdir()))}.parquet")
        frame.to_parquet(path)
        session.read.parquet(path).createOrReplaceTempView(name)

    def ask(text):
        made = session.sql(text)
        return pd.DataFrame([tuple(row) for row in made.collect()], columns=made.columns)

    return Warehouse("spark", load, ask)


@pytest.fixture(scope="session", params=["duckdb", "postgres", "spark"])
def warehouse(request, tmp_path_factory):
    if request.param == "duckdb":
        return _duckdb()
    if request.param == "postgres":
        return _postgres(request.getfixturevalue("postgres"))
    return _spark(request.getfixturevalue("spark"), tmp_path_factory.mktemp("spark"))


@pytest.fixture(scope="session")
def close():
    """Equal to 1e-9 of the number, or of 1 where it is smaller."""

    def check(made, wanted, error=1e-9):
        made, wanted = np.asarray(made, float), np.asarray(wanted, float)
        np.testing.assert_allclose(made, wanted, rtol=error, atol=error)

    return check
