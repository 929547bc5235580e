"""The walk-through, as a person runs it, against a server of its own."""

import subprocess

import longshore

SCRIPT = longshore.REPOSITORY / "examples/walkthrough/walkthrough.sh"


def test_the_walk_through_holds(start_dev):
    dev = start_dev()
    environment = dev.aws.environment
    environment = {name: value for name, value in environment.items() if name not in (
        # The script must get along with what `longshore credentials` prints.
        "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION",
    )}
    environment["PATH"] = f"{longshore.binary().parent}:{environment['PATH']}"
    environment["LONGSHORE_DATA_DIR"] = str(dev.longshore.data_dir)
    walk = subprocess.run(
        ["bash", SCRIPT], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=220,
    )
    assert walk.returncode == 0, f"{walk.stdout[-4000:]}\n{walk.stderr[-2000:]}"
    for step in range(1, 13):
        assert f"Step {step} of 12" in walk.stdout
    assert "checks held" in walk.stdout
