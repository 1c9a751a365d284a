"""What a test needs of the machine: it skips by name where a tool or a privilege is missing, and fails so in CI."""

import os
import shutil
import subprocess
from functools import cache

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


def requires_private_networks() -> None:
    """Skip the running test where the system lets nobody, or not us, put a program into a network of its own."""
    requires_tools("unshare", "nsenter", "ip")
    if not _can_unshare():
        _give_up("needs root, or user namespaces, to put a program into a network of its own")


@cache
def _can_unshare() -> bool:
    user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    words = ["unshare", *user, "--net", "ip", "link", "set", "lo", "up"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _give_up(reason: str) -> None:
    # CI installs every tool, so a skip there would hide a test that no longer runs.
    if os.environ.get("PAIRLAB_CI"):
        pytest.fail(f"{reason}, and CI has to have it")
    pytest.skip(reason)
