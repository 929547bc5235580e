"""The cases, what the official agent did with them, and how both are written: a file of JSON for each group of cases."""

import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


def groups():
    return sorted(path.stem for path in (HERE / "cases").glob("*.json"))


def group_of(name):
    return name.split("-")[0]


def cases(group):
    """The cases of a group, in order: `name`, `note`, `type`, `modes`, `steps`, `bundles` and what a few need besides."""
    return json.loads((HERE / "cases" / f"{group}.json").read_text())


def recorded(group):
    """`{case: {mode: [what the official agent did, a step each]}}`"""
    return json.loads((HERE / "recorded" / f"{group}.json").read_text())


def text(value, level=0):
    """JSON that can be reviewed: sorted, whatever is short on one line."""
    line = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if not isinstance(value, (dict, list)) or not value or (level >= 3 and len(line) < 200):
        return line
    pad = " " * (level + 1)
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {text(value[key], level + 1)}" for key in sorted(value)]
        first, last = "{}"
    else:
        items = [text(item, level + 1) for item in value]
        first, last = "[]"
    return first + "\n" + ",\n".join(pad + item for item in items) + "\n" + " " * level + last
