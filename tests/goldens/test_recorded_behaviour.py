"""Our agent does what the official one was recorded to do, in local deployments and in polled ones, but for the
deviations that are listed with their reasons."""

import os
import pathlib
import pwd
import shutil
import subprocess
import warnings

import case_data
import comparison
import longshore
import pytest
import recorder

# The user that some cases' hooks run as.
USER = "cdgolden"
PROGRAMS = ["openssl", "su"]
DEVIATIONS = comparison.Deviations.load()


def agent():
    """The `longshore-agent` program under test: LONGSHORE_AGENT_BIN, else the one beside the `longshore` under test."""
    return os.environ.get("LONGSHORE_AGENT_BIN") or str(longshore.binary().with_name("longshore-agent"))


@pytest.fixture(scope="module")
def machine():
    """A machine on which the cases mean what they say: root, with the user that they name."""
    if os.geteuid() != 0:
        pytest.skip("the cases change owners and users: only root can")
    lacking = [program for program in PROGRAMS if not shutil.which(program)]
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    assert pathlib.Path(agent()).exists(), f"no agent at {agent()}"
    made = not has_user()
    if made:
        subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", USER], check=True)
    umask = os.umask(0o022)
    yield
    os.umask(umask)
    if made:
        subprocess.run(["userdel", "--remove", USER], check=True, capture_output=True)


def has_user():
    try:
        return bool(pwd.getpwnam(USER))
    except KeyError:
        return False


def groups_and_modes():
    pairs = [(group, mode) for group in case_data.groups() for case in case_data.cases(group) for mode in case["modes"]]
    return list(dict.fromkeys(pairs))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("group", "mode"), groups_and_modes())
def test_the_agent_does_what_was_recorded(machine, group, mode):
    cases = [case for case in case_data.cases(group) if mode in case["modes"]]
    command = [agent(), "local"] if mode == "local" else [agent()]
    recorded, results = case_data.recorded(group), recorder.record(cases, {mode: command})
    problems = []
    for case in cases:
        name, ours = case["name"], results[case["name"]][mode]
        if "skipped" in ours:
            warnings.warn(f"{name} skipped: {ours['skipped']}", stacklevel=1)
            continue
        problems += DEVIATIONS.problems(name, mode, recorded[name][mode], ours, case.get("loose", ()))
    assert not problems, "\n" + "\n".join(problems)


def test_every_deviation_has_a_reason_and_a_case():
    modes = {case["name"]: case["modes"] for group in case_data.groups() for case in case_data.cases(group)}
    seen = set()
    for entry in [*DEVIATIONS.everywhere, *DEVIATIONS.entries]:
        assert len(entry["because"]) > 30, f"no reason is given for {entry}"
    for entry in DEVIATIONS.entries:
        for case, by_mode in entry["cases"].items():
            assert set(by_mode) <= set(modes[case]), case
            for field in ((case, mode, field) for mode, fields in by_mode.items() for field in fields):
                assert field not in seen, f"{field} has two entries"
                seen.add(field)


def test_every_case_was_recorded():
    for group in case_data.groups():
        recorded = case_data.recorded(group)
        assert {case["name"]: set(case["modes"]) for case in case_data.cases(group)} == {
            name: set(modes) for name, modes in recorded.items()
        }


STEP = {"exit": 0, "tree": {"a": "file 0644"}, "scripts_log": ["[stdout]1", "[stderr]2"]}


@pytest.mark.parametrize(
    ("theirs", "ours", "found"),
    [
        ({}, {}, []),
        ({}, {"scripts_log": ["[stderr]2", "[stdout]1"]}, []),
        ({}, {"scripts_log": ["[stdout]2", "[stderr]1"]}, ["1 scripts_log"]),
        ({}, {"tree": {"a": "file 0600", "b": "dir"}}, ["1 tree[a]", "1 tree[b]"]),
        ({}, {"exit": 1, "error": {"message": "x"}}, ["1 exit", "1 message"]),
        ({"error": {"message": "no implicit conversion"}}, {"error": {"message": "x"}}, []),
        ({"error": {"message": "The deployment failed: a"}}, {"error": {"message": "x"}}, ["1 message"]),
        ({"elapsed_s": 5}, {"elapsed_s": 7}, []),
        ({"elapsed_s": 5}, {"elapsed_s": 2}, ["1 elapsed_s"]),
        ({"commands": [{"command": "Install", "status": "Failed"}]}, {"commands": []}, ["1 Install"]),
    ],
)
def test_the_comparison_sees_what_differs(theirs, ours, found):
    assert list(comparison.differences([STEP | theirs], [STEP | ours])) == found
    assert comparison.differences([STEP], []), "a step that was not done"


def test_a_deviation_that_is_none_any_more_is_a_fault():
    deviations = comparison.Deviations([{"because": "", "cases": {"x": {"local": {"1 exit": 1}}}}])
    assert deviations.problems("x", "local", [STEP], [STEP | {"exit": 1}]) == []
    assert deviations.problems("x", "local", [STEP], [STEP | {"exit": 2}])
    assert deviations.problems("x", "local", [STEP], [STEP])
