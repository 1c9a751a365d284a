"""Home files are written whole, for their owner alone, and never over another unasked."""

import stat
from pathlib import Path

import pytest

from devices.clone.home_file import home_text, write_home
from devices.errors import UsageError


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "clone.toml"
    write_home("a", path, force=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "a"


def test_an_existing_file_is_left_alone_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "clone.toml"
    path.write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        write_home("other", path, force=False)
    assert path.read_text() == "mine"
    write_home("other", path, force=True)
    assert path.read_text() == "other"


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "clone.toml"
    write_home("a", path, force=False)
    write_home("b", path, force=True)
    assert list(tmp_path.iterdir()) == [path]


def test_a_source_with_line_ends_stays_a_comment() -> None:
    assert home_text({"name": "x"}, "http://a\nname = 1").splitlines()[0].endswith("http://a name = 1 by pairlab.")
