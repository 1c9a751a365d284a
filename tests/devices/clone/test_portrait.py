"""A clone says on Bonjour what the real border router says: records captured from real ones, run as homes."""

import json
from pathlib import Path
from typing import Any

import pytest

from devices.clone.home_file import home_text
from devices.clone.portrait import Portrait, home_of, without_secrets
from devices.errors import UsageError
from devices.home import Home
from devices.sim.chance import Chance
from devices.spec import load_home
from pairing.dnssd.txt import TxtRecord
from pairing.thread.dataset import Dataset
from pairing.thread.tlvs import SECRET_TYPES
from tests.support.command_line import POST_9

VECTORS = Path(__file__).parents[2] / "vectors" / "bonjour"
RECORDS = {path.stem: json.loads(path.read_text()) for path in sorted(VECTORS.glob("*.json"))}
ROUTERS = [name for name, record in RECORDS.items() if record.get("clients") and "txt" in record]
# A router that is attached without showing its extended PAN ID cannot be: its clone has no dataset and stays detached.
IMPOSSIBLE = {"ha-0bbf-no-xp"}
KEY, PSKC = "4094dce45388fd3d3426e992cbf0697b", "6c9f919a4da9b213764fc83f84938108"


def entropy(count: int) -> bytes:
    return Chance(1).stream("clone").randbytes(count)


def portrait(vector: str) -> Portrait:
    record = RECORDS[vector]
    return Portrait(name=record["instance"], txt=TxtRecord.decode(bytes.fromhex(record["txt"])))


def by_key(record: TxtRecord) -> dict[str, bytes | None]:
    return {key.decode("latin-1").lower(): value for key, value in record.items()}


def said(tables: dict[str, Any]) -> dict[str, bytes | None]:
    """TXT of the first accessory once it has come up."""
    with Home(tables, virtual=True) as home:
        home.advance("5s")
        return by_key(TxtRecord.decode(home["br"].service_info.text))


@pytest.mark.parametrize("vector", [name for name in ROUTERS if name not in IMPOSSIBLE])
def test_a_clone_says_what_the_real_router_says(vector: str) -> None:
    original = portrait(vector)
    assert original.txt is not None
    assert said(home_of(original, secrets=False, entropy=entropy)) == by_key(original.txt)


@pytest.mark.parametrize("vector", ROUTERS)
def test_the_written_file_is_a_home_file_with_the_same_tables(vector: str, tmp_path: Path) -> None:
    tables = home_of(portrait(vector), secrets=False, entropy=entropy)
    path = tmp_path / "clone.toml"
    path.write_text(home_text(tables, "a test"))
    home = load_home(path)
    assert home.model_dump(exclude_unset=True)["accessory"] == tables["accessory"]


def test_a_router_like_ours_needs_only_what_is_drawn_to_be_written_down() -> None:
    tables = home_of(portrait("otbr-2026-leader"), secrets=False, entropy=entropy)
    assert set(tables["accessory"][0]["txt"]) == {"pt", "sq"}


def test_secrets_are_drawn_anew_and_everything_else_is_kept() -> None:
    original = Dataset.from_hex(POST_9)
    harmless = without_secrets(original, entropy)
    assert [tlv.type for tlv in harmless.tlvs] == [tlv.type for tlv in original.tlvs]
    changed = {a.type for a, b in zip(original.tlvs, harmless.tlvs, strict=True) if a != b}
    assert changed == {4, 5}
    assert changed <= SECRET_TYPES


def test_without_secrets_no_key_of_the_original_is_in_the_file() -> None:
    tables = home_of(Portrait(dataset=Dataset.from_hex(POST_9)), secrets=False, entropy=entropy)
    text = home_text(tables, "a test")
    assert KEY not in text
    assert PSKC not in text
    assert "real_secrets" not in tables
    assert "reach" not in tables


def test_with_secrets_the_file_is_bound_to_loopback() -> None:
    tables = home_of(Portrait(dataset=Dataset.from_hex(POST_9)), secrets=True, entropy=entropy)
    assert tables["accessory"][0]["dataset"] == POST_9
    assert (tables["reach"], tables["real_secrets"]) == ("loopback", True)
    with pytest.raises(UsageError, match="real_secrets"), Home(tables, reach="all"):
        pass


def test_a_factory_fresh_router_stays_one() -> None:
    tables = home_of(Portrait(has_dataset=False, ext_address=bytes(range(8))), secrets=False, entropy=entropy)
    assert tables["accessory"][0]["dataset"] == "none"


def test_a_record_of_nonsense_still_gives_a_home() -> None:
    txt = TxtRecord(
        (
            (b"xp", b"short"),
            (b"nn", b"a network name that is far too long"),
            (b"vn", b"\xff\xfe"),
            (b"sb", b""),
            (b"xa", None),
            (b"weird key", b"\x00\n"),
        )
    )
    tables = home_of(Portrait(name="Bad", txt=txt), secrets=False, entropy=entropy)
    heard = said(tables)
    assert heard["vn"] == b"\xff\xfe"
    assert heard["weird key"] == b"\x00\n"
