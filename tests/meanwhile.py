"""Things that go on while a test does others."""

import contextlib
import threading


@contextlib.contextmanager
def meanwhile(*works):
    """Repeats each work in a thread of its own; yields what they did, what went wrong, and how to end."""
    ending, done, problems = threading.Event(), [0] * len(works), []

    def repeat(number, work):
        while not ending.is_set() and not problems:
            try:
                work()
                done[number] += 1
            except Exception as problem:
                problems.append(problem)

    threads = [threading.Thread(target=repeat, args=pair, daemon=True) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    try:
        yield done, problems, ending
    finally:
        ending.set()
        for thread in threads:
            thread.join(70)
