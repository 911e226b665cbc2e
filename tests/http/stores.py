"""The services' databases, as tests look into them behind the services' backs.

STORE=sqlite (default): a file a service in the platform's directory. STORE=postgres: databases of
the cluster at TEST_DATABASE_URL (scripts/with-postgres.sh), read through psql.

    store = stores.find(directory, "product")
    store.read("SELECT id FROM products WHERE sku = ?", sku)    rows as tuples
    store.write("UPDATE products SET name = ?", name)           how many rows
    store.attach(connection, "product")                         for SQL across services
"""

import json
import os
import sqlite3
import subprocess
from contextlib import closing

STORE = os.environ.get("STORE", "sqlite")
assert STORE in ("sqlite", "postgres"), f"STORE={STORE}: sqlite or postgres"
POSTGRES = STORE == "postgres"

# Any statement that waits for so long hangs. Filling a large table takes a busy machine half a minute.
PATIENCE = 120


def find(directory, name):
    """The store of a platform's service. If there is a copy in a file, that is used instead of a
    database."""
    path = directory / f"{name}.db"
    if POSTGRES and not path.exists():
        return PostgresStore(f"{directory.name}-{name}")
    return SqliteStore(path)


class SqliteStore:
    def __init__(self, path):
        self.path = path
        self.url = f"sqlite:///{path}"

    def create(self):
        """The service makes its file itself."""

    def drop(self):
        """It goes with its directory."""

    def copy(self, other):
        """Copies into a store that does not exist yet; nothing else may use this one meanwhile."""
        other.path.write_bytes(self.path.read_bytes())

    def read(self, sql, *values):
        with closing(sqlite3.connect(self.read_only(), uri=True, timeout=PATIENCE)) as store:
            return store.execute(sql, values).fetchall()

    def write(self, sql, *values):
        with closing(sqlite3.connect(self.path, timeout=PATIENCE)) as store, store:
            return store.execute(sql, values).rowcount

    def attach(self, connection, schema):
        """Read-only, under the name schema; the connection is SQLite's, opened with uri=True."""
        connection.execute(f"ATTACH ? AS {schema}", (self.read_only(),))

    def read_only(self):
        return f"{self.path.absolute().as_uri()}?mode=ro"


# Each table's name, columns and rows, all of one moment.
EXPORT = """
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT json_build_array(table_name, json_agg(column_name || ' ' || data_type
    ORDER BY ordinal_position)) FROM information_schema.columns
WHERE table_schema = 'public' GROUP BY table_name;
SELECT format('SELECT json_build_array(%L, to_json(t)) FROM %I AS t', tablename, tablename)
FROM pg_tables WHERE schemaname = 'public' \\gexec
"""


class PostgresStore:
    # Of new databases.
    options = ""

    def __init__(self, database):
        self.database = database
        self.url = self.server_url(database)

    @staticmethod
    def server_url(database):
        return os.environ["TEST_DATABASE_URL"].replace("///postgres?", f"///{database}?")

    def administer(self, statement):
        psql(self.server_url("postgres"), statement)

    def create(self):
        self.administer(f'CREATE DATABASE "{self.database}" {self.options}')

    def drop(self):
        self.administer(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    def copy(self, other):
        self.administer(f'CREATE DATABASE "{other.database}" TEMPLATE "{self.database}"')

    def read(self, sql, *values):
        query = f"SELECT row_to_json(q) FROM ({bind(sql, values)}) AS q"
        return [tuple(json.loads(line).values()) for line in psql(self.url, query)]

    def write(self, sql, *values):
        # The last word of the command's tag: UPDATE 3.
        return int(psql(self.url, bind(sql, values), "-XAt")[-1].split()[-1])

    def attach(self, connection, schema):
        """A copy in SQLite: the rules of tests/http/invariants.py are written once, for SQLite."""
        connection.execute(f"ATTACH ':memory:' AS {schema}")
        for table, content in map(json.loads, psql(self.url, EXPORT)):
            if isinstance(content, list):
                connection.execute(f"CREATE TABLE {schema}.{table} ({', '.join(content)})")
            else:
                marks = ", ".join("?" * len(content))
                insert = f"INSERT INTO {schema}.{table} VALUES ({marks})"
                connection.execute(insert, tuple(content.values()))
        connection.commit()


def psql(url, sql, options="-XqAt"):
    """The lines that it prints."""
    done = subprocess.run(
        ["psql", options, "-v", "ON_ERROR_STOP=1", url],
        input=sql,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{sql}\n{done.stderr}"
    return done.stdout.splitlines()


def bind(sql, values):
    """Puts values, numbers and texts, in place of the question marks."""
    first, *others = sql.split("?")
    assert len(others) == len(values), sql
    return first + "".join(literal(value) + part for value, part in zip(values, others))


def literal(value):
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
