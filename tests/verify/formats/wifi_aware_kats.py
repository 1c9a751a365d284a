"""Known answers of Wi-Fi Aware: service ids, SAE's hash-to-element, key derivations, key wrap, response filters."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pairing.crypto.kdf import Hash
from pairing.ieee80211.elements import Akm, CipherSuite
from pairing.ieee80211.key_data import wrap_key_data
from pairing.nan import key_schedule as nan_keys
from pairing.nan.attributes import Attribute, ServiceDescriptor
from pairing.nan.frames import ServiceDiscoveryFrame, decode_nan_frame
from pairing.nan.service_frames import subscribe_frame
from pairing.nan.service_id import service_id
from pairing.nan.service_response_filter import ServiceResponseFilter
from pairing.nan.sessions import LocalDevice, Subscribe
from pairing.pasn.key_schedule import SUITES, compute_mic, derive_ptk, mic_input
from pairing.sae.engine import SaeEngine
from pairing.sae.hash_to_element import derive_password_token
from tests.verify.mismatch import compare

Entry = dict[str, Any]
Answers = dict[str, str]


def recognises(document: object) -> bool:
    """Whether this is a list of known answers."""
    kats = document.get("kats") if isinstance(document, dict) else None
    return isinstance(kats, list) and any(isinstance(entry, dict) and "kat" in entry for entry in kats)


def check(document: dict[str, Any]) -> None:
    """Compute every answer; raises Mismatch at the first that differs."""
    for index, entry in enumerate(document["kats"]):
        for name, answer in KATS[entry["kat"]](entry).items():
            compare(f"kats[{index}].{name}", entry[name], answer)


def _octets(entry: Entry, *names: str) -> list[bytes]:
    return [bytes.fromhex(entry[name]) for name in names]


def _service_id(entry: Entry) -> Answers:
    return {"service_id": service_id(entry["service_name"]).hex()}


def _nira_tag(entry: Entry) -> Answers:
    nik, nmi, nonce = _octets(entry, "nik", "nmi", "nonce")
    return {"tag": nan_keys.nira_tag(nik, nmi, nonce).hex(), "npkid": nan_keys.npkid(nik, nmi, nonce).hex()}


def _sae_h2e_pt(entry: Entry) -> Answers:
    token = derive_password_token(entry["group"], entry["ssid"].encode(), entry["password"].encode())
    draws = iter(_octets(entry, "rand", "mask"))
    engine = SaeEngine(token, *_octets(entry, "mac_a", "mac_b"), lambda length: next(draws))
    commit = engine.commit()
    values = engine.intermediates
    names = ("pwd_seed", "pwd_value_1", "u1", "pwd_value_2", "u2", "p1", "p2", "pt", "val_hash", "val")
    size = token.curve.size
    return {name: values[name].hex() for name in names} | {
        "pwe_x": values["pwe"][:size].hex(),
        "pwe_y": values["pwe"][size:].hex(),
        "commit_body": commit.encode()[6:].hex(),  # without algorithm, transaction and status
    }


def _nd_pmk_from_passphrase(entry: Entry) -> Answers:
    service, publisher = _octets(entry, "service_id", "publisher_nmi")
    suite, passphrase = entry["cipher_suite_id"], entry["passphrase"].encode()
    return {"nd_pmk": nan_keys.nd_pmk_from_passphrase(suite, passphrase, service, publisher).hex()}


def _nd_pmkid(entry: Entry) -> Answers:
    given = _octets(entry, "nd_pmk", "initiator_nmi", "responder_nmi", "service_id")
    return {"nd_pmkid": nan_keys.nd_pmkid(entry["cipher_suite_id"], *given).hex()}


def _nd_pmkid_published(entry: Entry) -> Answers:
    given = _octets(entry, "nd_pmk", "responder_nmi", "service_id")
    return {"nd_pmkid": nan_keys.nd_pmkid_published(entry["cipher_suite_id"], *given).hex()}


def _nd_ptk(entry: Entry) -> Answers:
    names = ("nd_pmk", "initiator_ndi", "responder_ndi", "initiator_nonce", "responder_nonce")
    keys = nan_keys.nd_ptk(entry["cipher_suite_id"], *_octets(entry, *names))
    return {"kck": keys.kck.hex(), "kek": keys.kek.hex(), "tk": keys.tk.hex()}


def _from_nm_kdk(entry: Entry) -> Answers:
    suite, given = entry["cipher_suite_id"], _octets(entry, "nm_kdk", "initiator_nmi", "responder_nmi")
    return {
        "npk_opportunistic": nan_keys.npk_opportunistic(suite, *given).hex(),
        "nm_kek": nan_keys.nm_kek(suite, *given).hex(),
        "nd_pmk": nan_keys.nd_pmk(suite, *given).hex(),
    }


def _selector(text: str) -> int:
    """`00-0f-ac:21` as a number, OUI first; the type is decimal."""
    oui, _, kind = text.partition(":")
    return int(oui.replace("-", ""), 16) << 8 | int(kind)


def _pasn_ptk(entry: Entry) -> Answers:
    akm, cipher = Akm(_selector(entry["akm"])), CipherSuite(_selector(entry["cipher"]))
    (suite,) = (each for each in SUITES.values() if each.cipher is cipher)
    pmk, initiator, responder, shared = _octets(entry, "pmk", "initiator_nmi", "responder_nmi", "dh_shared_secret")
    ptk = derive_ptk(suite, akm, pmk, initiator, responder, shared)
    covered = mic_input(*_octets(entry, "mic_addr1", "mic_addr2", "mic_data", "mic_frame"))
    compare("hash", Hash(entry["hash"]).value, suite.pasn_hash(akm).value)
    mic = compute_mic(suite.pasn_hash(akm), ptk.kck, covered)
    return {"kck": ptk.kck.hex(), "tk": ptk.tk.hex(), "kdk": ptk.kdk.hex(), "mic": mic.hex()}


def _key_data_wrap(entry: Entry) -> Answers:
    return {"wrapped": wrap_key_data(*_octets(entry, "kek", "key_data")).hex()}


def _ndp_auth_token_and_mic(entry: Entry) -> Answers:
    suite, (body, kck) = entry["cipher_suite_id"], _octets(entry, "frame_body", "kck")
    return {
        "auth_token": nan_keys.authentication_token(suite, body).hex(),
        "mic": nan_keys.data_path_mic(suite, kck, body).hex(),
    }


def _subscribe_srf(entry: Entry) -> Answers:
    nmi, cluster, one, other, filter_ = _octets(entry, "nmi", "cluster_id", "srf_mac_1", "srf_mac_2", "matching_filter")
    is_include = bool(entry["include"])
    if entry["bloom_len"]:
        index = entry["bloom_index"]
        response = ServiceResponseFilter.of_bloom((one, other), entry["bloom_len"], index, include=is_include)
    else:
        response = ServiceResponseFilter.of_addresses((one, other), include=is_include)
    subscribe = Subscribe(
        name=entry["service_name"], instance_id=1, matching_filter=filter_ or None, response_filter=response
    )
    frame = subscribe_frame(LocalDevice(nmi=nmi, cluster_id=cluster), subscribe)
    frame = replace(frame, attributes=(*frame.attributes, *_bodies_beside_the_descriptor(entry["frame"])))
    return {"frame": frame.encode().hex()}


def _bodies_beside_the_descriptor(frame: str) -> tuple[Attribute, ...]:
    """Device capability and availability are configuration, which only the frame tells."""
    decoded = decode_nan_frame(bytes.fromhex(frame))
    assert isinstance(decoded, ServiceDiscoveryFrame)
    return tuple(each for each in decoded.attributes if not isinstance(each, ServiceDescriptor))


KATS: dict[str, Callable[[Entry], Answers]] = {
    "service_id": _service_id,
    "nira_tag": _nira_tag,
    "sae_h2e_pt": _sae_h2e_pt,
    "nd_pmk_from_passphrase": _nd_pmk_from_passphrase,
    "nd_pmkid": _nd_pmkid,
    "nd_pmkid_published": _nd_pmkid_published,
    "nd_ptk": _nd_ptk,
    "from_nm_kdk": _from_nm_kdk,
    "pasn_ptk": _pasn_ptk,
    "key_data_wrap": _key_data_wrap,
    "ndp_auth_token_and_mic": _ndp_auth_token_and_mic,
    "subscribe_srf": _subscribe_srf,
}
