"""Reading one store again and again, at little cost: a psql that stays, where there is a server."""

import json
import subprocess

import stores

END = "that is all"


class Session:
    """Use as a context manager; not for several threads."""

    def __init__(self, store):
        self.store = store
        self.psql = None

    def __enter__(self):
        if isinstance(self.store, stores.PostgresStore):
            self.psql = subprocess.Popen(
                ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.store.url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self

    def __exit__(self, *_):
        if self.psql:
            self.psql.stdin.close()
            self.psql.wait()
            self.psql.stdout.close()

    def read(self, sql):
        """Rows as tuples."""
        if not self.psql:
            return self.store.read(sql)
        self.psql.stdin.write(f"SELECT row_to_json(q) FROM ({sql}) AS q;\n\\echo {END}\n")
        self.psql.stdin.flush()
        rows = []
        for line in self.psql.stdout:
            if line.rstrip("\n") == END:
                return rows
            rows.append(tuple(json.loads(line).values()))
        raise AssertionError(f"psql ended: {sql}")
