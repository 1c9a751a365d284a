"""The PRF of TLS 1.2 against what another implementation derived."""

import json
from pathlib import Path

from pairing.crypto.kdf import Hash, tls_prf

DOCUMENT = json.loads((Path(__file__).parents[2] / "vectors" / "thread" / "dtls_basic_ems.json").read_text())


def test_recorded_premaster_gives_the_recorded_master_secret_and_key_block() -> None:
    seed = bytes.fromhex(DOCUMENT["master_seed"])
    master = tls_prf(Hash.SHA256, bytes.fromhex(DOCUMENT["client_premaster"]), DOCUMENT["master_label"], seed, 48)
    assert master.hex() == DOCUMENT["client_master"]
    randoms = bytes.fromhex(DOCUMENT["server_random"] + DOCUMENT["client_random"])
    assert tls_prf(Hash.SHA256, master, "key expansion", randoms, 40).hex() == DOCUMENT["key_block_40"]


def test_shorter_output_is_the_start_of_a_longer_one() -> None:
    longest = tls_prf(Hash.SHA256, b"secret", "label", b"seed", 100)
    assert [tls_prf(Hash.SHA256, b"secret", "label", b"seed", length) for length in (0, 12, 32, 33)] == [
        longest[:length] for length in (0, 12, 32, 33)
    ]
