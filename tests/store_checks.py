"""What must hold in the database of a server whenever one looks, however often that server was killed."""

import contextlib
import json
import sqlite3

OVER = ("Succeeded", "Failed", "Stopped")


def check(data_dir):
    """Everything that is wrong with a SQLite store, as sentences; the server may run meanwhile."""
    with contextlib.closing(sqlite3.connect(f"file:{data_dir}/longshore.db?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        database.execute("BEGIN")
        wrong = [f"integrity: {row[0]}" for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
        wrong += [f"a reference leads nowhere: {tuple(row)}" for row in database.execute("PRAGMA foreign_key_check")]
        wrong += [f"{row['n']} orders for {row['event']} of {row['target_id']} in {row['deployment_id']}" for row in
                  database.execute("SELECT deployment_id, target_id, event, count(*) AS n FROM host_commands "
                                   "GROUP BY 1, 2, 3 HAVING n > 1")]
        for deployment in database.execute("SELECT * FROM deployments").fetchall():
            wrong += [f"{deployment['id']}: {what}" for what in _of_a_deployment(database, deployment)]
        return wrong


def _of_a_deployment(database, deployment):
    of = (deployment["id"],)
    targets = database.execute("SELECT * FROM targets WHERE deployment_id = ?", of).fetchall()
    orders = database.execute("SELECT * FROM host_commands WHERE deployment_id = ?", of).fetchall()
    timeline = database.execute("SELECT * FROM timeline WHERE deployment_id = ? ORDER BY version, position", of).fetchall()
    over = deployment["status"] in OVER
    if over != (deployment["completed"] is not None):
        yield f"{deployment['status']}, and completed at {deployment['completed']}"
    open_orders = {order["id"] for order in orders if order["closed"] is None}
    if over and open_orders:
        yield f"over, and still orders {open_orders}"
    running = {event["command"] for target in targets for event in json.loads(target["events"]) if event["state"] == "InProgress"}
    if running != open_orders:
        yield f"runs {running}, and has ordered {open_orders}"
    for target in targets:
        yield from _of_a_target(target, over)
    told = [row for row in timeline if row["rule"] == "Dispatch"]
    if len(told) != len(orders):
        yield f"tells of {len(told)} orders and gave {len(orders)}"
    ends = [json.loads(row["inputs"])["status"] for row in timeline if row["rule"] in ("Finish", "Refuse")]
    if ends != ([deployment["status"]] if over else []):
        yield f"{deployment['status']}, and tells of the ends {ends}"
    if timeline and timeline[-1]["version"] > deployment["version"]:
        yield f"version {deployment['version']}, and tells of version {timeline[-1]['version']}"


def _of_a_target(target, over):
    states = [event["state"] for event in json.loads(target["events"])]
    allowed = {
        "Pending": {"Pending"},
        "InProgress": {"Succeeded", "Failed", "InProgress", "Pending"},
        "Succeeded": {"Succeeded", "Failed"},
        "Failed": {"Succeeded", "Failed", "Skipped"},
        "Skipped": {"Skipped"},
    }[target["status"]]
    if not set(states) <= allowed or (target["status"] == "InProgress") != ("InProgress" in states):
        yield f"{target['target_id']} is {target['status']}, and its events are {states}"
    if over and target["status"] in ("Pending", "InProgress"):
        yield f"over, and {target['target_id']} is {target['status']}"
