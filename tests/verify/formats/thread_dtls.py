"""Recorded Thread commissioning connections: DTLS with EC-JPAKE, both sides replayed, and the CoAP messages inside.

`check_dtls` and `check_coap` are separate, so that what the messages mean can be checked beside them.
"""

from collections.abc import Iterator
from typing import Any

from pairing.coap.message import CoapMessage, OptionNumber, code_text
from pairing.dtls.alerts import AlertDescription
from pairing.dtls.events import HandshakeCompleted, HandshakeFailed
from pairing.dtls.flights import Transcript
from pairing.dtls.key_schedule import EXTENDED_MASTER_LABEL, SERVER_LABEL, DtlsKeys, verify_data
from pairing.dtls.messages import ClientHello, HandshakeMessage, HandshakeType, ServerHello, find_extension
from pairing.dtls.record import ContentType
from pairing.errors import AuthenticationError
from tests.verify.dtls_capture import Capture
from tests.verify.dtls_replay import Replay
from tests.verify.mismatch import Mismatch, compare, compare_members

CLIENT_PROOFS = ("X1", "X2", "X3", "X4", "Xs", "Xc")


def recognises(document: object) -> bool:
    """Whether this is a recorded DTLS connection, but for those with a Border Agent: `thread_commissioner`."""
    return is_connection(document) and isinstance(document, dict) and "border_agent" not in document


def is_connection(document: object) -> bool:
    """Whether this holds a recorded DTLS connection."""
    return isinstance(document, dict) and {"datagrams", "client_private", "hello_inputs"} <= document.keys()


def check(document: dict[str, Any]) -> None:
    """Replay both sides of each connection in the file; raises Mismatch."""
    check_dtls(document)
    check_coap(document.get("records", ()), "records")
    inner = document.get("inner_joiner_dtls")
    if inner is not None:
        _check_relayed(document, inner)
        check_dtls(inner, "inner_joiner_dtls.")
        check_coap(inner.get("records", ()), "inner_joiner_dtls.records")


def check_dtls(document: dict[str, Any], member: str = "") -> None:
    """Everything of one connection but the meaning of its application data."""
    capture = Capture(document, member)
    client, server = Replay.of_client(capture), Replay.of_server(capture)
    client.run()
    server.run()
    keys, server_keys = client.keys, server.keys
    if keys is None or server_keys is None:
        raise Mismatch(capture.path("datagrams"), "keys on both sides", None)
    _check_outcome(capture, client, server)
    _compare_given(capture, _answers(capture, client, server))
    _check_hellos(capture, client)
    capture.check_sealing(keys)
    described = capture.described(keys)
    given = [{k: v for k, v in each.items() if k not in ("coap", "note")} for each in document["records"]]
    compare_members(capture.path("records"), given, described)
    if "records_under_server_keys" in document:
        under = [each for each in capture.described(server_keys) if each["epoch"]]
        seen = [{k: v for k, v in each.items() if k != "note"} for each in document["records_under_server_keys"]]
        compare_members(capture.path("records_under_server_keys"), seen, under)


def _check_relayed(document: dict[str, Any], inner: dict[str, Any]) -> None:
    """Each datagram of the joiner's connection is in the outer record that it is said to have come in."""
    carriers = {each["datagram"]: each["plaintext"] for each in document["records"] if "plaintext" in each}
    for index, datagram in enumerate(inner["datagrams"]):
        carrier = carriers.get(datagram["outer_datagram"]) or ""
        if datagram["hex"] not in carrier:
            raise Mismatch(f"inner_joiner_dtls.datagrams[{index}].hex", datagram["hex"], carrier)


def check_coap(records: Any, member: str) -> None:
    """Each CoAP message that the file has decoded: its parts, and the octets that its parts give."""
    for index, record in enumerate(records):
        if "coap" in record:
            octets = bytes.fromhex(record["plaintext"])
            message = CoapMessage.decode(octets)
            compare(f"{member}[{index}].plaintext", record["plaintext"], message.encode().hex())
            given = {name: value for name, value in record["coap"].items() if name in coap_parts(message)}
            compare_members(f"{member}[{index}].coap", given, coap_parts(message))


def coap_parts(message: CoapMessage) -> dict[str, Any]:
    """A message as the files describe it, without what its payload means."""
    return {
        "type": message.message_type.name,
        "code": code_text(message.code),
        "mid": message.message_id,
        "token": message.token.hex(),
        "path": message.path,
        "other_options": [
            {"number": each.number, "value": each.value.hex()}
            for each in message.options_beside([OptionNumber.URI_PATH])
        ],
        "payload_hex": message.payload.hex(),
    }


def _check_outcome(capture: Capture, client: Replay, server: Replay) -> None:
    """Equal passwords connect and every record of data arrives; others fail on both sides as Thread stacks do."""
    if capture.password("client") == capture.password("server"):
        for replay, other in ((client, "s2c"), (server, "c2s")):
            ending = replay.ending
            compare(capture.path("datagrams (outcome)"), HandshakeCompleted.__name__, type(ending).__name__)
            arrived = capture.sent(other, ContentType.APPLICATION_DATA, replay.keys)
            lost = sum(each.is_lost for each in capture.datagrams if each.direction == other)
            if not lost:
                got = [each.hex() for each in replay.received]
                compare(capture.path("datagrams (application data)"), [each.hex() for each in arrived], got)
        return
    for replay in (client, server):
        ending = replay.ending
        compare(capture.path("datagrams (outcome)"), HandshakeFailed.__name__, type(ending).__name__)
        assert isinstance(ending, HandshakeFailed)
        error = ending.error
        compare(capture.path("datagrams (error)"), AuthenticationError.__name__, type(error).__name__)
        assert isinstance(error, AuthenticationError)
        compare(capture.path("datagrams (alert)"), int(AlertDescription.BAD_RECORD_MAC), int(error.wire_code or 0))


def _answers(capture: Capture, client: Replay, server: Replay) -> dict[str, Any]:
    """Every answer that a file may hold, by its name there."""
    keys, server_keys = client.keys, server.keys
    assert keys is not None
    assert server_keys is not None
    mine, theirs = client.intermediates, server.intermediates
    return {
        "client_premaster": mine["premaster"].hex(),
        "server_premaster": theirs["premaster"].hex(),
        "client_shared_point_x": mine["shared_point_x"].hex(),
        "server_shared_point_x": theirs["shared_point_x"].hex(),
        "client_master": keys.master_secret.hex(),
        "server_master": server_keys.master_secret.hex(),
        "extended_master_secret": mine["master_label"].decode() == EXTENDED_MASTER_LABEL,
        "master_label": mine["master_label"].decode(),
        "master_seed": mine["master_seed"].hex(),
        "key_block_40": keys.key_block.hex(),
        "server_key_block_40": server_keys.key_block.hex(),
        "keys": {
            "client_write_key": keys.client_write_key.hex(),
            "server_write_key": keys.server_write_key.hex(),
            "client_write_iv": keys.client_write_iv.hex(),
            "server_write_iv": keys.server_write_iv.hex(),
        },
        "kek": keys.kek.hex(),
        "kek_in_relay_tx": [keys.kek.hex()],
        "kek_matches": True,
        "transcript_hash_ch_to_cke": mine["transcript_hash_ch_to_cke"].hex(),
        "client_verify_data": mine["client_verify_data"].hex(),
        "server_verify_data": _server_verify_data(capture, keys).hex(),
        "client_private": {**capture.document["client_private"], "x2s": mine["x2s"].hex()},
        "server_private": {**capture.document["server_private"], "x4s": theirs["x4s"].hex()},
        "zkp_hash_inputs_client_view": [mine[f"zkp_hash_input_{name}"].hex() for name in CLIENT_PROOFS],
    }


def _server_verify_data(capture: Capture, keys: DtlsKeys) -> bytes:
    """What the client expects in the server's Finished, whether it came or not."""
    transcript = Transcript()
    for message in _hashed_messages(capture, keys):
        transcript.add(message)
    return verify_data(keys, SERVER_LABEL, transcript.digest)


def _hashed_messages(capture: Capture, keys: DtlsKeys) -> list[HandshakeMessage]:
    """From the ClientHello that was answered to the client's Finished."""
    client, server = capture.messages("c2s", keys), capture.messages("s2c", keys)
    flight = [each for each in server.values() if each.msg_type not in NOT_HASHED]
    by_type = {each.msg_type: each for each in client.values()}  # the last ClientHello stays
    hello, exchange, finished = (by_type[kind] for kind in CLIENT_MESSAGES)
    return [hello, *flight, exchange, finished]


NOT_HASHED = (HandshakeType.HELLO_VERIFY_REQUEST, HandshakeType.FINISHED)
CLIENT_MESSAGES = (HandshakeType.CLIENT_HELLO, HandshakeType.CLIENT_KEY_EXCHANGE, HandshakeType.FINISHED)


def _compare_given(capture: Capture, answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        if name in capture.document:
            compare_members(capture.path(name), capture.document[name], answer)
    for name in _required(capture):
        if name not in capture.document:
            raise Mismatch(capture.path(name), "a value", "no such member")


def _required(capture: Capture) -> Iterator[str]:
    """What a file has to hold, by its kind: of Mbed TLS's programs, or of Thread devices."""
    is_of_programs = "client_options" in capture.document
    yield from ALWAYS
    yield from OF_PROGRAMS if is_of_programs else ("kek",)
    if capture.password("client") != capture.password("server"):
        yield "server_key_block_40"
        if is_of_programs:
            yield "records_under_server_keys"
    if capture.member:
        yield from ("kek_in_relay_tx", "kek_matches")


ALWAYS = (
    *("client_premaster", "server_premaster", "client_master", "server_master", "extended_master_secret"),
    *("key_block_40", "keys", "client_verify_data", "server_verify_data", "client_private", "server_private"),
)
OF_PROGRAMS = (
    *("client_shared_point_x", "server_shared_point_x", "master_label", "master_seed", "server_options"),
    *("transcript_hash_ch_to_cke", "zkp_hash_inputs_client_view"),
)


def _check_hellos(capture: Capture, client: Replay) -> None:
    """The lengths of the key pairs, which is all that the lists of extensions tell of them."""
    hellos = {each.msg_type: each for each in capture.messages("s2c", client.keys).values()}
    sent = {each.msg_type: each for each in capture.messages("c2s", client.keys).values()}
    bodies = {
        "client_hello_extensions": ClientHello.decode(sent[HandshakeType.CLIENT_HELLO].body).extensions,
        "server_hello_extensions": ServerHello.decode(hellos[HandshakeType.SERVER_HELLO].body).extensions,
    }
    for name, extensions in bodies.items():
        for kind, given in capture.document[name].items():
            body = find_extension(extensions or (), int(kind, 16))
            shown = None if body is None else f"({len(body)} bytes)" if kind == "0100" else body.hex()
            compare(capture.path(f"{name}.{kind}"), given, shown)
