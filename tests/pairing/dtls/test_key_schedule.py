"""Keys that follow from a premaster secret, against recorded connections."""

import json
from pathlib import Path

import pytest

from pairing.dtls.key_schedule import DtlsKeys, derive_keys

VECTORS = Path(__file__).parents[2] / "vectors" / "thread"


def derived(name: str) -> tuple[DtlsKeys, dict[str, str]]:
    document = json.loads((VECTORS / f"{name}.json").read_text())
    seed = bytes.fromhex(document["transcript_hash_ch_to_cke"]) if document["extended_master_secret"] else None
    premaster, client, server = (
        bytes.fromhex(document[each]) for each in ("client_premaster", "client_random", "server_random")
    )
    return derive_keys(premaster, client, server, seed), document


@pytest.mark.parametrize("name", ["dtls_basic_ems", "dtls_thread_like_pskd"])
def test_recorded_premaster_gives_the_recorded_keys(name: str) -> None:
    keys, document = derived(name)
    assert keys.master_secret.hex() == document["client_master"]
    assert keys.key_block.hex() == document["key_block_40"]
    names = ("client_write_key", "server_write_key", "client_write_iv", "server_write_iv")
    assert {each: getattr(keys, each).hex() for each in names} == document["keys"]
    line = f"CLIENT_RANDOM {document['client_random']} {document['client_master']}"
    assert keys.key_log_line == line


def test_kek_is_half_the_hash_of_the_key_block() -> None:
    document = json.loads((VECTORS / "epskc_run.json").read_text())
    block = bytes.fromhex(document["key_block_40"])
    assert DtlsKeys(b"", b"", b"", block).kek.hex() == document["kek"]


def test_secrets_are_not_shown() -> None:
    keys, document = derived("dtls_thread_like_pskd")
    assert document["client_master"] not in repr(keys)
    assert keys.key_block.hex() not in repr(keys)
