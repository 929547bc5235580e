"""No operation reads a whole table, however much is in it.

The plans of the store's queries are checked beside the store. This holds what remains: that no operation goes round
them. PostgreSQL counts the scans of whole tables; forbidden to make one where an index serves, it makes none.
"""

import os
import subprocess

import pytest

import api_model
import bulk
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


# In proportion to what `cargo xtask bench api` fills: a thousand applications, ten thousand deployments of a thousand
# targets each.
SIZE = bulk.Size(applications=100, deployments=1000, targets=100)
READS = [operation for operation in api_model.operations() if operation.startswith(("Get", "List", "BatchGet"))]


def rows_read(url):
    """How many rows and index entries were looked at, in all tables."""
    (whole,), (entries,) = (query(url, sql)[0] for sql in (
        "SELECT SUM(seq_tup_read) FROM pg_stat_user_tables", "SELECT SUM(idx_tup_read) FROM pg_stat_user_indexes"))
    return int(whole) + int(entries)


def test_reads_of_a_full_store_look_at_little(indexed):
    """A page has a hundred entries, and a deployment's overview counts its targets: nothing needs much more."""
    url, server, world = indexed
    inputs = {operation: good_calls.whole_input(operation)(world) for operation in READS}
    stopped(url, server)
    bulk.fill(url, SIZE)
    target = {"deploymentId": bulk.deployment_id(7), "targetId": "bulk-7"}
    full = {
        "BatchGetApplications": {"applicationNames": [bulk.application_name(number) for number in range(9)]},
        "BatchGetDeploymentTargets": {"deploymentId": target["deploymentId"], "targetIds": ["bulk-1", "bulk-2"]},
        "GetApplication": {"applicationName": bulk.application_name(5)},
        "GetDeployment": {"deploymentId": target["deploymentId"]},
        "GetDeploymentGroup": {"applicationName": bulk.application_name(5), "deploymentGroupName": "bulk"},
        "GetDeploymentTarget": target,
        "ListApplicationRevisions": {"applicationName": bulk.application_name(5)},
        "ListDeploymentGroups": {"applicationName": bulk.application_name(5)},
        "ListDeploymentTargets": {"deploymentId": target["deploymentId"]},
        "ListDeployments": {},
    }
    before = rows_read(url)
    server.start()
    client = world.api.another()
    for operation in READS:
        client.ok(operation, **inputs[operation])
        if operation in full:
            client.ok(operation, **full[operation])
    listed = client.ok("ListDeployments", applicationName=bulk.application_name(5), deploymentGroupName="bulk")
    assert len(listed["deployments"]) == SIZE.deployments // SIZE.applications
    stopped(url, server)
    calls = len(READS) + len(full) + 1
    looked_at = rows_read(url) - before
    assert looked_at < calls * 5 * 101, f"{calls} reads looked at {looked_at} rows"
