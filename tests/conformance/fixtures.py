"""Fixtures of the conformance suite, imported by its test modules: a raw client, and a world of things on each engine.

Not a `conftest.py`: the tests of the other folders import the one above by that name.
"""

import pytest

from caller import Caller
from world import World

_worlds = {}


@pytest.fixture(scope="session")
def api(endpoint, credentials):
    """Raw calls to the shared server over one connection."""
    return Caller(endpoint, *credentials)


@pytest.fixture(scope="session")
def world(api, session):
    """One world on each server, whichever modules ask for it."""
    if api.endpoint not in _worlds:
        _worlds[api.endpoint] = World(api, session)
    return _worlds[api.endpoint]
