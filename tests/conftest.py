"""What holds for every test: no deadline that a busy machine could miss, no collector that walks the whole suite."""

import gc

import pytest
from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Thousands of collected tests live to the end; every full collection in a test would walk them all again."""
    gc.collect()
    gc.freeze()
