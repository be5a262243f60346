"""The fixtures of the access matrix."""

import os

import pytest

from matrix import Cast


@pytest.fixture(scope="session")
def cast(workspace):
    """The processes that are looked at."""
    if os.geteuid():
        pytest.skip("only root takes on the identities of others, and only root's mount is shared")
    everybody = Cast(workspace)
    yield everybody
    everybody.close()
