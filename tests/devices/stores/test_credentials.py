"""The credential file: private, transactional, refused when it is not ours, and safe from a killed writer."""

import random
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.errors import HostError, StoreError
from devices.stores.credentials import CredentialStore
from pairing.thread.credentials import Row, StoreFamily
from tests.support.credential_writer import HOLDER
from tests.support.credentials import SEED_DATASET, agent_of

ROOT = Path(__file__).parents[3]
DATASET = bytes.fromhex(SEED_DATASET)
ROW = Row(
    family=StoreFamily.APPLE,
    owner="TEAM1",
    border_agent_id=agent_of(1),
    extended_pan_id=bytes(8),
    dataset=DATASET,
    created=1,
    modified=2,
    preferred=True,
)
BLOBS = st.binary(max_size=20)
ROWS = st.lists(
    st.builds(
        Row,
        family=st.sampled_from(StoreFamily),
        owner=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        border_agent_id=BLOBS,
        extended_pan_id=BLOBS,
        dataset=BLOBS,
        created=st.integers(0, 2**53),
        modified=st.integers(0, 2**53),
        preferred=st.booleans(),
        frozen=st.booleans(),
        source=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        extended_address=BLOBS,
    ),
    unique_by=lambda row: row.key,
    max_size=6,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "phones" / "credentials.sqlite"


def write(store, *rows, holder=HOLDER):
    with store.transaction(holder) as transaction:
        transaction.write(rows)


def test_file_and_its_side_files_are_private(path):
    with CredentialStore(path) as store:
        write(store, ROW)
        modes = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}

    assert set(modes.values()) == {0o600}
    assert f"{path.name}-wal" in modes
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_file_that_others_could_read_is_made_private(path):
    CredentialStore(path).close()
    path.chmod(0o644)
    CredentialStore(path).close()

    assert path.stat().st_mode & 0o777 == 0o600


def test_commits_wait_for_the_disk(path):
    with CredentialStore(path) as store, store._database.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(first=ROWS, second=ROWS)
def test_any_rows_are_read_back_as_written(tmp_path, first, second):
    with CredentialStore(tmp_path / "any.sqlite") as store:
        write(store)  # the file is that of the example before, and a row that stays keeps its place
        write(store, *first)
        assert store.rows(HOLDER) == tuple(first)
        write(store, *second)
        assert {row.key: row for row in store.rows(HOLDER)} == {row.key: row for row in second}


def test_rows_keep_their_order_when_one_changes(path):
    rows = [replace(ROW, border_agent_id=agent_of(number)) for number in range(3)]
    changed = replace(rows[0], modified=9)
    with CredentialStore(path) as store:
        write(store, *rows)
        write(store, changed, *rows[1:])

        assert store.rows(HOLDER) == (changed, *rows[1:])


def test_holders_do_not_see_each_other(path):
    with CredentialStore(path) as store:
        write(store, ROW, holder="one")
        write(store, holder="two")

        assert store.rows("one") == (ROW,)
        assert store.rows("two") == ()


def forget_and_fail(store):
    with store.transaction(HOLDER) as transaction:
        transaction.write(())
        raise LookupError


def test_exception_inside_a_transaction_changes_nothing(path):
    with CredentialStore(path) as store:
        write(store, ROW)
        with pytest.raises(LookupError):
            forget_and_fail(store)

        assert store.rows(HOLDER) == (ROW,)
        write(store)
        assert store.rows(HOLDER) == ()


def test_second_opener_that_does_not_get_its_turn_is_told(path):
    with CredentialStore(path) as one, CredentialStore(path, wait_s=0) as other, one.transaction(HOLDER):
        with pytest.raises(StoreError, match="is in use by another process"), other.transaction(HOLDER):
            pass
        assert other.rows(HOLDER) == ()


def test_second_opener_waits_for_its_turn(path):
    with CredentialStore(path) as one, CredentialStore(path, wait_s=60) as other:
        with one.transaction(HOLDER) as transaction:
            writer = threading.Thread(target=write, args=(other, ROW), kwargs={"holder": "other"})
            writer.start()
            transaction.write((ROW,))
        writer.join()

        assert one.rows("other") == (ROW,)


def test_one_store_serves_two_threads(path):
    with CredentialStore(path) as store:
        threads = [threading.Thread(target=write, args=(store, ROW), kwargs={"holder": str(n)}) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [store.rows(str(n)) for n in range(4)] == [(ROW,)] * 4


@pytest.mark.parametrize(
    "content", [b"not a database, but somebody's notes\n" * 100, b"SQLite format 3\x00" + bytes(600)]
)
def test_file_that_is_no_database_is_refused_and_left_as_it_is(path, content):
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(StoreError, match="is damaged"):
        CredentialStore(path)
    assert path.read_bytes() == content


def test_damaged_page_is_refused_and_left_as_it_is(path):
    with CredentialStore(path) as store:
        write(store, *(replace(ROW, border_agent_id=agent_of(number)) for number in range(100)))
    data = bytearray(path.read_bytes())
    data[4096:12288] = bytes(range(256)) * 32
    path.write_bytes(data)

    with pytest.raises(StoreError, match="is damaged"):
        CredentialStore(path)
    assert path.read_bytes() == data


def test_database_of_something_else_is_refused_and_left_as_it_is(path):
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="a database of something else"):
        CredentialStore(path)
    assert path.read_bytes() == before


def test_file_of_a_newer_format_is_refused(path):
    CredentialStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StoreError, match="has format 99"):
        CredentialStore(path)


def test_path_that_cannot_be_a_file_is_named(tmp_path):
    with pytest.raises(StoreError, match="cannot be used: Is a directory"):
        CredentialStore(tmp_path)


def test_closed_store_says_so_and_closing_twice_does_nothing(path):
    store = CredentialStore(path)
    store.close()
    store.close()

    with pytest.raises(StoreError, match="closed"):
        store.rows(HOLDER)


def test_trouble_with_a_store_is_the_hosts():
    assert issubclass(StoreError, HostError)
    assert StoreError.exit_code == 3


def test_killed_writer_loses_no_acknowledged_credential(path):
    chance = random.Random(20)
    acknowledged = set()
    for round_number in range(5):
        first = round_number * 200
        command = [sys.executable, "-m", "tests.support.credential_writer", str(path), str(first), "200"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(chance.randrange(1, 60)):
                acknowledged.add(int(writer.stdout.readline()))
            writer.send_signal(signal.SIGKILL)
            acknowledged.update(int(line) for line in writer.stdout if line.endswith("\n"))
        assert writer.returncode == -signal.SIGKILL

        with CredentialStore(path) as store:
            rows = {row.border_agent_id: row for row in store.rows(HOLDER)}
        assert {agent_of(number) for number in acknowledged} <= rows.keys()
        assert all(row.dataset == DATASET for row in rows.values())
        assert sum(row.preferred for row in rows.values()) == 1
