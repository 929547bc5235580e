"""No operation reads a whole table, however much is in it.

The plans of the store's queries are checked beside the store. This holds what remains: that no operation goes round
them. PostgreSQL counts the scans of whole tables; forbidden to make one where an index serves, it makes none.
"""

import os
import subprocess

import pytest

import api_model
import conftest
import good_calls
import longshore
from caller import Caller
from world import World


@pytest.fixture(scope="module")
def indexed(start_longshore):
    """(database, server, world) of a server of its own, whose database scans a table only if no index will do."""
    if not conftest.POSTGRES:
        pytest.skip("this counts in PostgreSQL, and LONGSHORE_TEST_POSTGRES_URL names none")
    url = conftest._fresh_database(conftest.POSTGRES)
    query(url, f"ALTER DATABASE {url.rsplit('/', 1)[1]} SET enable_seqscan = off")
    server = start_longshore(database_url=url)
    keys = server.root_credentials()
    return url, server, World(Caller(server.endpoint, *keys), conftest.Clients(server.endpoint, *keys))


def query(url, sql):
    found = subprocess.run(["psql", "--quiet", "--no-align", "--tuples-only", "--field-separator= ", url, "-c", sql],
                           check=True, capture_output=True, text=True, env=os.environ)
    return [line.split() for line in found.stdout.splitlines()]


def scans(url):
    """Table -> (how often it was read whole, how often through an index)."""
    rows = query(url, "SELECT relname, seq_scan, COALESCE(idx_scan, 0) FROM pg_stat_user_tables")
    return {name: (int(whole), int(indexed)) for name, whole, indexed in rows}


def stopped(url, server):
    """The scans when all of the server's sessions have ended: only then do they tell what they counted."""
    name = url.rsplit("/", 1)[1]
    sessions = f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    server.stop()
    longshore.wait_until(lambda: not query(url, sessions), "the server's sessions with PostgreSQL end")
    return scans(url)


def test_no_operation_reads_a_whole_table(indexed):
    url, server, world = indexed
    inputs = {operation: good_calls.whole_input(operation)(world) for operation in api_model.operations()}
    before = stopped(url, server)
    server.start()
    client = world.api.another()
    for operation, members in inputs.items():
        answer = client.send(operation, members)
        assert answer.status == (200 if good_calls.GOOD[operation] else 400), answer
    after = stopped(url, server)
    assert after["applications"][1] - before["applications"][1] > len(inputs) / 2, "the calls were not counted"
    assert {table: whole - before[table][0] for table, (whole, _) in after.items() if whole != before[table][0]} == {}
