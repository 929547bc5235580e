"""Compares what an agent does with what the official one did, and knows the deviations that are meant.

usage: comparison.py [--write] FOLDER

FOLDER is what `recorder.py` wrote. `--write` brings the values in `deviations.json` up to date; what is new there has
no reason yet, and the tests refuse it until somebody has written one.
"""

import argparse
import fnmatch
import itertools
import json
import pathlib
import re
import sys

import case_data

DEVIATIONS = case_data.HERE / "deviations.json"
STEP_FIELDS = ["tree", "deployment_directory", "archive", "beside_archive", "scripts_log", "deployments_log",
               "cleanup_lines", "instructions", "instruction_files", "last_successful_install", "most_recent_install",
               "kept_deployments", "ongoing_deployment_files", "alive"]
ELAPSED_SECONDS_OFF_MAX = 2
# Messages that are the official agent's own words. All others are Ruby's, and no other agent has to say the same.
OWN_WORDS = re.compile(
    r"(The deployment failed|The CodeDeploy agent did not|Script (at|does)|Unable to set script|Deployment Spec"
    r"|Must specify|Exactly one of|S3Revision|BundleType|GitHub|Expected deployment artifact|Error extracting"
    r"|Unsupported (command|Deployment)|Succeeded: |Failed: |appspec\S* file contains|You specified|The disk is"
    r"|location |type |The only events|Expecting appspec)"
)
RUBY_ERROR = re.compile(r" with error Errno::\w+ with message .*", re.DOTALL)


def differences(recorded, ours, loose=()):
    """`{"STEP FIELD": (recorded value, our value)}`, steps counted from 1; fields that are `loose` are left out."""
    found = {}
    for number, (theirs, own) in enumerate(itertools.zip_longest(recorded, ours, fillvalue={}), 1):
        for field, values in step_differences(theirs, own):
            if not any(re.search(pattern, field) for pattern in loose):
                found[f"{number} {field}"] = values
    return found


def step_differences(recorded, ours):
    for field in ("exit", "elapsed_s"):
        yield from difference(field, recorded.get(field), ours.get(field))
    yield from difference("message", said(recorded.get("error")), said(ours.get("error")))
    commands = itertools.zip_longest(recorded.get("commands", []), ours.get("commands", []), fillvalue={})
    for theirs, own in commands:
        name = theirs.get("command") or own.get("command")
        if theirs.get("command") != own.get("command"):
            yield name, (whole(theirs), whole(own))
            continue
        for field in ("acknowledged", "status", "format", "times", "elapsed_s"):
            yield from difference(f"{name}.{field}", theirs.get(field), own.get(field))
        theirs, own = theirs.get("diagnostics") or {}, own.get("diagnostics") or {}
        for field in ("error_code", "script_name", "message", "log"):
            yield from difference(f"{name}.{field}", theirs.get(field), own.get(field))
    for field in STEP_FIELDS:
        theirs, own = recorded.get(field), ours.get(field)
        if isinstance(theirs, dict) and isinstance(own, dict):
            for key in sorted(theirs.keys() | own.keys()):
                yield from difference(f"{field}[{key}]", theirs.get(key), own.get(key))
        else:
            yield from difference(field, theirs, own)


def whole(command):
    """A command that only one of both got, as one value."""
    return {key: value for key, value in command.items() if key != "elapsed_s"} or None


def said(error):
    return error and error["message"]


def difference(field, recorded, ours):
    if not agree(field, recorded, ours):
        yield field, (recorded, ours)


def agree(field, recorded, ours):
    """Whether two values of a field mean the same."""
    if recorded == ours:
        return True
    if recorded is None or ours is None:
        return False
    if field.endswith("elapsed_s"):
        return abs(recorded - ours) <= ELAPSED_SECONDS_OFF_MAX
    if field.endswith("message"):
        return not OWN_WORDS.match(recorded) or RUBY_ERROR.sub("", recorded) == RUBY_ERROR.sub("", ours)
    if field.endswith("log"):
        return streams(recorded) == streams(ours)
    return False


def streams(log):
    """A log's lines by origin: the two outputs of a script are two pipes, and their order is chance."""
    lines = log.split("\n") if isinstance(log, str) else log
    if not isinstance(lines, list):
        return lines
    origin = lambda line: "error" if "[stderr]" in line else "output" if "[stdout]" in line else "agent"  # noqa: E731
    return {kind: [line for line in lines if origin(line) == kind] for kind in ("error", "output", "agent")}


class Deviations:
    """The deviations that are meant, each with its reason."""

    def __init__(self, entries):
        self.everywhere = [entry for entry in entries if "field" in entry]
        self.entries = [entry for entry in entries if "cases" in entry]

    @classmethod
    def load(cls):
        return cls(json.loads(DEVIATIONS.read_text()))

    def meant(self, case, mode):
        """`{"STEP FIELD": our value}`"""
        found = {}
        for entry in self.entries:
            found |= entry["cases"].get(case, {}).get(mode, {})
        return found

    def is_everywhere(self, mode, field, values):
        return any(
            entry["mode"] == mode and fnmatch.fnmatchcase(field, entry["field"])
            and values == (entry["recorded"], entry["ours"])
            for entry in self.everywhere
        )

    def problems(self, case, mode, recorded, ours, loose=()):
        """A line for each way in which an agent is neither as recorded nor as it is meant to deviate."""
        found, meant = differences(recorded, ours, loose), self.meant(case, mode)
        lines = []
        for field, (theirs, own) in found.items():
            if field in meant:
                if not agree(field, meant[field], own):
                    lines.append(f"{case} {mode} {field}: meant to deviate to {show(meant[field])}, and is {show(own)}")
            elif not self.is_everywhere(mode, field, (theirs, own)):
                lines.append(f"{case} {mode} {field}: recorded {show(theirs)}, and is {show(own)}")
        lines += [f"{case} {mode} {field}: agrees, so it is no deviation" for field in meant.keys() - found.keys()]
        return lines

    def update(self, results):
        """Takes over the values of what deviates now; what has no reason yet goes into an entry of its own."""
        fresh = {}
        for case, mode, recorded, ours, loose in results:
            found = {
                field: own for field, (theirs, own) in differences(recorded, ours, loose).items()
                if not self.is_everywhere(mode, field, (theirs, own))
            }
            entry = next((entry["cases"] for entry in self.entries if case in entry["cases"]), fresh)
            entry.setdefault(case, {}).pop(mode, None)
            if found:
                entry[case][mode] = found
        for cases in [fresh, *(entry["cases"] for entry in self.entries)]:
            for case in [case for case, modes in cases.items() if not modes]:
                del cases[case]
        if fresh:
            self.entries.append({"because": "", "cases": fresh})
        self.entries = [entry for entry in self.entries if entry["cases"]]
        DEVIATIONS.write_text(case_data.text(self.everywhere + self.entries, level=0) + "\n")


def show(value):
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) < 300 else text[:300] + "…"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    deviations, results = Deviations.load(), []
    for path in sorted(options.folder.glob("*.json")):
        recorded, ours = case_data.recorded(path.stem), json.loads(path.read_text())
        loose = {case["name"]: case.get("loose", ()) for case in case_data.cases(path.stem)}
        results += [
            (case, mode, recorded[case][mode], steps, loose[case])
            for case, modes in ours.items() for mode, steps in modes.items() if isinstance(steps, list)
        ]
    if options.write:
        deviations.update(results)
    problems = {result[:2]: found for result in results if (found := deviations.problems(*result))}
    for lines in problems.values():
        print(*lines, sep="\n")
    exact = sum(not differences(*result[2:]) for result in results)
    meant = len(results) - exact - len(problems)
    print(f"{len(results)} runs of cases: {exact} agree, {meant} but for meant deviations, {len(problems)} do not")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
