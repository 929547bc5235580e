"""Takes an agent through the cases and writes down what can be seen of it.

usage: recorder.py [--local PROGRAM] [--polled PROGRAM] [--only REGEX] [--jobs N] FOLDER

PROGRAM is called for --local with the options of `codedeploy-local`, once a deployment, and for --polled as
`PROGRAM --config_file=FILE start`, once a case. Writes one JSON file a group into FOLDER. Run it as root.
"""

import argparse
import collections
import concurrent.futures
import pathlib
import pwd
import re
import shutil
import tempfile

import case_data
import signing
from local_run import Local
from polled_run import Polled


class Bench:
    """A folder in which agents are tried. Other users' hooks must get through it, so it is open to read."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="goldens-"))
        self.folder.chmod(0o755)
        self.keys = self.folder / "keys"
        signing.make_keys(self.keys)

    def remove(self):
        shutil.rmtree(self.folder)

    def run(self, case, mode, command):
        """The steps of a case, as this agent does them; `{"skipped": why}` where the machine lacks something."""
        lacking = needed(case)
        if lacking:
            return {"skipped": f"needs {lacking}"}
        kind = Local if mode == "local" else Polled
        return kind(self.folder / f"{case['name']}.{mode}", case, command, self.keys).steps()


def needed(case):
    """What the case needs and the machine has not."""
    for need in case.get("needs", []):
        if need.startswith("user:"):
            try:
                pwd.getpwnam(need[5:])
            except KeyError:
                return need
        elif not shutil.which({"acl": "setfacl"}.get(need, need)):
            return need
    return None


def record(cases, commands, jobs=2):
    """`{case: {mode: steps}}` of an agent; `commands` has the command of each mode that is wanted."""
    bench = Bench()
    try:
        wanted = [(case, mode) for case in cases for mode in case["modes"] if mode in commands]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            steps = pool.map(lambda pair: bench.run(*pair, commands[pair[1]]), wanted)
            result = collections.defaultdict(dict)
            for (case, mode), done in zip(wanted, steps):
                result[case["name"]][mode] = done
        return dict(result)
    finally:
        bench.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--local", nargs=1)
    parser.add_argument("--polled", nargs=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    commands = {mode: command for mode in ("local", "polled") if (command := getattr(options, mode))}
    options.folder.mkdir(parents=True, exist_ok=True)
    for group in case_data.groups():
        cases = [case for case in case_data.cases(group) if re.search(options.only, case["name"])]
        if cases:
            result = record(cases, commands, options.jobs)
            (options.folder / f"{group}.json").write_text(case_data.text(result) + "\n")
            print(f"{group}: {len(result)} cases", flush=True)


if __name__ == "__main__":
    main()
