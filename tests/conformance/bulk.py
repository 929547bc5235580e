"""A store with much in it, made in the store itself: through the API it would take hours.

Rows that the server wrote are multiplied, so nothing here knows more of the schema than what tells one row from the
next. By itself: `python bulk.py DATABASE --applications 1000 --deployments 10000 --targets 1000`, with the path of a
SQLite file or the URL of a PostgreSQL database, whose server is not running and has one ended deployment to a host.
"""

import argparse
import dataclasses
import sqlite3
import subprocess
import time

# Numbers from 0; both engines read this, and the casts below.
NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count})"


@dataclasses.dataclass(frozen=True)
class Size:
    applications: int
    deployments: int
    targets: int


def deployment_id(number):
    return f"d-{number:09}"


def application_name(number):
    return f"bulk-{number}"


class Store:
    """A database past its server: SQLite by its path, PostgreSQL by its URL."""

    def __init__(self, database):
        self.url = database if database.startswith("postgres") else None
        self.connection = None if self.url else sqlite3.connect(database)
        if self.connection:
            # Who loses power while making this makes it again.
            self.connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;")

    def rows(self, sql):
        if self.connection:
            return [tuple(map(str, row)) for row in self.connection.execute(sql)]
        return [tuple(line.split("\x1f")) for line in self._psql(sql).splitlines()]

    def run(self, sql):
        if self.connection:
            self.connection.execute(sql)
            self.connection.commit()
        else:
            self._psql(sql)

    def columns(self, table):
        if self.connection:
            return [row[1] for row in self.rows(f"PRAGMA table_info({table})")]
        return [name for name, in self.rows(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position")]

    def _psql(self, sql):
        command = ["psql", "--quiet", "--no-align", "--tuples-only", "--field-separator=\x1f", self.url,
                   "-v", "ON_ERROR_STOP=1", "-c", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def multiply(self, table, template, count, others="", **changed):
        """Copies the row that `template` finds, for each number (and each row of `others`), with other values."""
        columns = self.columns(table)
        assert set(changed) <= set(columns), f"{table} has {columns}"
        values = ", ".join(changed.get(column, f"t.{column}") for column in columns)
        self.run(f"INSERT INTO {table} ({', '.join(columns)}) {NUMBERS.format(count=count)} "
                 f"SELECT {values} FROM {table} t, numbers{others} WHERE {template}")


def fill(database, size, region="us-east-1"):
    """Applications with a group and a revision each, and deployments with targets, from the newest ended deployment."""
    store = Store(database)
    template, application, group = store.rows(
        f"SELECT id, application_id, group_id FROM deployments WHERE region = '{region}' AND completed IS NOT NULL "
        "AND EXISTS (SELECT 1 FROM targets WHERE deployment_id = deployments.id) ORDER BY created DESC LIMIT 1")[0]
    store.multiply("applications", f"t.id = '{application}'", size.applications,
                   id="'bulk-app-' || n", name="'bulk-' || n")
    store.multiply("deployment_groups", f"t.id = '{group}'", size.applications,
                   id="'bulk-group-' || n", application_id="'bulk-app-' || n", name="'bulk'")
    store.multiply("revisions", f"t.application_id = '{application}'", size.applications,
                   application_id="'bulk-app-' || n")
    store.multiply("deployments", f"t.id = '{template}'", size.deployments,
                   id="'d-' || substr(CAST(1000000000 + n AS TEXT), 2)", created="t.created + n",
                   application_id=f"'bulk-app-' || (n % {size.applications})",
                   group_id=f"'bulk-group-' || (n % {size.applications})")
    # A piece at a time: one transaction of ten million rows would want their room twice.
    for first in range(0, size.deployments, 500):
        store.multiply("targets", f"t.deployment_id = '{template}' AND d.id >= '{deployment_id(first)}' "
                       f"AND d.id < '{deployment_id(first + 500)}' AND d.id <> '{template}'", size.targets,
                       others=", deployments d", deployment_id="d.id", target_id="'bulk-' || n", position="n")
    if store.url:
        store.run("ANALYZE")
    else:
        store.connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database")
    for name in ("applications", "deployments", "targets"):
        parser.add_argument(f"--{name}", type=int, required=True)
    arguments = parser.parse_args()
    begun = time.monotonic()
    fill(arguments.database, Size(arguments.applications, arguments.deployments, arguments.targets))
    print(f"filled in {time.monotonic() - begun:.0f} s")
