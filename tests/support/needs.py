"""What a test needs of the machine: it skips by name where a tool or a privilege is missing, and fails so in CI."""

import os
import shutil

import pytest


def requires_tools(*tools: str) -> None:
    """Skip the running test, naming the tools that are not installed."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        _give_up(f"needs {', '.join(missing)}")


def requires_root() -> None:
    """Skip the running test unless it may make network namespaces."""
    if os.geteuid() != 0:
        _give_up("needs root, to make network namespaces")


def _give_up(reason: str) -> None:
    # CI installs every tool, so a skip there would hide a test that no longer runs.
    if os.environ.get("PAIRLAB_CI"):
        pytest.fail(f"{reason}, and CI has to have it")
    pytest.skip(reason)
