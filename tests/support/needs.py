"""What a test needs of the machine: it skips by name where a tool or a privilege is missing."""

import os
import shutil

import pytest


def requires_tools(*tools: str) -> None:
    """Skip the running test, naming the tools that are not installed."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


def requires_root() -> None:
    """Skip the running test unless it may make network namespaces."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to make network namespaces")
