"""Recorded commissioning: DTLS as in `thread_dtls`, every message described, and all parties replayed: Commissioner,
Border Agent with its Leader, and the joiner behind the relay."""

from typing import Any

from pairing.dtls.key_schedule import DtlsKeys
from tests.verify.dtls_capture import Capture
from tests.verify.dtls_replay import Replay
from tests.verify.formats import thread_dtls
from tests.verify.meshcop_client import CommissionerReplay
from tests.verify.meshcop_joiner import replay_joiner
from tests.verify.meshcop_messages import check_described
from tests.verify.meshcop_server import BorderAgentReplay
from tests.verify.mismatch import Mismatch, compare


def recognises(document: object) -> bool:
    """Whether this is a recorded connection to a Border Agent whose state is given."""
    return thread_dtls.is_connection(document) and isinstance(document, dict) and "border_agent" in document


def check(document: dict[str, Any]) -> None:
    """Replay every party; raises Mismatch."""
    thread_dtls.check(document)
    _check_described(document["records"], "records")
    keys = _keys(Capture(document))
    client = CommissionerReplay(document, keys)
    client.run()
    BorderAgentReplay(document, keys).run()
    inner = document.get("inner_joiner_dtls")
    if inner is None:
        return
    compare("joiner_pskd", document["joiner_pskd"], bytes.fromhex(inner["joiner_password_hex"]).decode())
    _check_described(inner["records"], "inner_joiner_dtls.records")
    inner_keys = _keys(Capture(inner, "inner_joiner_dtls."))
    replay_joiner(document, inner_keys)
    compare("inner_joiner_dtls.kek_in_relay_tx", inner["kek_in_relay_tx"], client.keks)
    matches = all(kek == inner_keys.kek.hex() for kek in client.keks)
    compare("inner_joiner_dtls.kek_matches", inner["kek_matches"], matches)


def _check_described(records: list[dict[str, Any]], member: str) -> None:
    for index, record in enumerate(records):
        if record["content_type"] == "application_data":
            if "coap" not in record:
                raise Mismatch(f"{member}[{index}].coap", "a CoAP message", None)
            check_described(record, f"{member}[{index}]")


def _keys(capture: Capture) -> DtlsKeys:
    replay = Replay.of_client(capture)
    replay.run()
    if replay.keys is None:
        raise Mismatch(capture.path("datagrams"), "keys", None)
    return replay.keys
