"""The joiner of a recorded session, replayed: it gets what came over the relay, and must send the same.

Inputs are its randomness, EUI-64, PSKd, and who made it."""

from typing import Any

from pairing.dtls.key_schedule import DtlsKeys
from pairing.dtls.record import ContentType, decode_records
from pairing.engine import Outputs, Transmit
from pairing.thread.joiner import Joiner, JoinerDeviations, JoinerSettings
from pairing.thread.tlv_values import VendorStackVersion
from pairing.thread.tlvs import MeshCopTlvType
from tests.verify.dtls_capture import SERVER, Capture, opened
from tests.verify.meshcop_capture import RecordedDraws, first_own_id, outer_times, said_in, tokens_of, value_of
from tests.verify.mismatch import compare

_T = MeshCopTlvType


def replay_joiner(document: dict[str, Any], keys: DtlsKeys) -> None:
    """Replay and compare; raises Mismatch."""
    capture = Capture(document["inner_joiner_dtls"], "inner_joiner_dtls.")
    said = said_in(capture, keys)
    times = outer_times(document, capture, Capture(document))
    tokens = tokens_of(said, "c2s")
    entropy = RecordedDraws({2: [first_own_id(said, "c2s"), *tokens], 32: capture.client_draws()})
    eui64 = bytes.fromhex(document["joiner_eui64"])
    pskd = capture.password("client").decode()
    joiner = Joiner(SERVER, eui64, pskd, entropy, _settings(capture, said))
    sent: list[bytes] = []

    def take(outputs: Outputs) -> None:
        for output in outputs:
            records = decode_records(output.payload) if isinstance(output, Transmit) else ()
            protected = [each for each in records if each.epoch and each.content_type != ContentType.HANDSHAKE]
            sent.extend(opened(record, "c2s", keys) or b"" for record in protected)

    take(joiner.connect(times[0]))
    for datagram in capture.datagrams:
        if datagram.direction == "s2c":
            take(joiner.receive(datagram.octets, SERVER, times[datagram.index]))
    expected = [each.plaintext.hex() for each in said if each.direction == "c2s"]
    compare("inner_joiner_dtls.records (plaintexts of the client)", expected, [each.hex() for each in sent])


def _settings(capture: Capture, said: list[Any]) -> JoinerSettings:
    """What JOIN_FIN in the file says of the device."""
    messages = [each.message for each in said if each.direction == "c2s"]
    join_fin = next((each for each in messages if each is not None and each.path == "c/jf"), None)
    deviations = JoinerDeviations(ignore_reject=True)
    if join_fin is None:
        return JoinerSettings(dtls=capture.client_settings(), deviations=deviations)

    def text(tlv_type: int) -> str:
        return (value_of(join_fin, tlv_type) or b"").decode()

    return JoinerSettings(
        vendor_name=text(_T.VENDOR_NAME),
        vendor_model=text(_T.VENDOR_MODEL),
        vendor_sw_version=text(_T.VENDOR_SW_VERSION),
        vendor_stack_version=VendorStackVersion.decode(value_of(join_fin, _T.VENDOR_STACK_VERSION) or bytes(6)),
        vendor_data=value_of(join_fin, _T.VENDOR_DATA) or b"",
        provisioning_url=text(_T.PROVISIONING_URL),
        dtls=capture.client_settings(),
        deviations=deviations,
    )
