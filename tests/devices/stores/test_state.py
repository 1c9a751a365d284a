"""The state directory: one process at a time, and what was saved is there in the next run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devices.errors import StateLockedError, StoreError
from devices.stores.credentials import CredentialStore
from devices.stores.state import DATABASE_NAME, StateDirectory
from pairing.thread.credentials import Row, StoreFamily

ROOT = Path(__file__).parents[3]
ROW = Row(
    family=StoreFamily.GOOGLE, owner="app", border_agent_id=bytes(16), extended_pan_id=bytes(8), dataset=b"\x03\x01n"
)
HOLD = """
import sys
from pathlib import Path
from devices.stores.credentials import CredentialStore
from devices.stores.state import StateDirectory
state = StateDirectory(Path(sys.argv[1]))
state.save("br", {"enabled": True})
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state"


def test_state_is_there_in_the_next_run(path):
    with StateDirectory(path) as state:
        assert state.load("br") is None
        state.save("br", {"enabled": False, "network": {"rloc16": 0xC800}})
        state.save("br", {"enabled": True, "network": {"rloc16": 0xC800}})
        with state.credential_rows("phone").transaction() as transaction:
            transaction.write((ROW,))

    with StateDirectory(path) as state:
        assert state.load("br") == {"enabled": True, "network": {"rloc16": 0xC800}}
        with state.credential_rows("phone").transaction() as transaction:
            assert transaction.rows == (ROW,)


def test_file_made_for_credentials_alone_takes_state_too(path):
    with CredentialStore(path / DATABASE_NAME) as store, store.transaction("phone") as transaction:
        transaction.write((ROW,))

    with StateDirectory(path) as state:
        state.save("br", {"enabled": True})
        with state.credential_rows("phone").transaction() as transaction:
            assert transaction.rows == (ROW,)


def test_second_user_is_told_who_has_the_directory(path):
    with StateDirectory(path), pytest.raises(StateLockedError, match=f"in use by process {os.getpid()}"):
        StateDirectory(path)


def test_locked_directory_ends_a_command_with_3():
    assert StateLockedError.exit_code == 3


def test_directory_is_free_again_after_close(path):
    StateDirectory(path).close()

    with StateDirectory(path) as state:
        assert state.load("br") is None


def test_killed_holder_leaves_the_directory_free_and_its_state_saved(path):
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StateLockedError, match=f"in use by process {holder.pid}"):
            StateDirectory(path)
        holder.kill()

    with StateDirectory(path) as state:
        assert state.load("br") == {"enabled": True}


def test_directory_and_files_are_private(path):
    with StateDirectory(path) as state:
        state.save("br", {})
        modes = {each.stat().st_mode & 0o777 for each in path.iterdir()}

    assert modes == {0o600}
    assert path.stat().st_mode & 0o777 == 0o700


def test_file_in_the_place_of_the_directory_is_named(tmp_path):
    (tmp_path / "state").write_text("notes")

    with pytest.raises(StoreError, match="cannot be used"):
        StateDirectory(tmp_path / "state")


def test_damaged_file_is_named_and_does_not_keep_the_lock(path):
    path.mkdir()
    (path / DATABASE_NAME).write_bytes(b"notes" * 100)
    for _ in range(2):
        with pytest.raises(StoreError, match="is damaged"):
            StateDirectory(path)

    assert (path / DATABASE_NAME).read_bytes() == b"notes" * 100


@pytest.mark.parametrize("damage", ["{", "[]"])
def test_damaged_state_of_one_accessory_is_named(path, damage):
    with StateDirectory(path) as state:
        state.save("br", {})
        with state._database.transaction() as connection:
            connection.execute("UPDATE accessory SET state = ?", (damage,))

        with pytest.raises(StoreError, match="state of 'br' is damaged"):
            state.load("br")
