"""PASN exchanges out of Wi-Fi Aware captures: what each side was given, and what it must send and derive."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pairing.ieee80211.elements import Akm
from pairing.ieee80211.frames import AuthenticationBody, ManagementFrame
from pairing.pasn.key_schedule import NCS_PK_PASN_128, NCS_PK_PASN_256, PasnSuite
from pairing.pasn.messages import PasnFrame
from pairing.pasn.settings import CachedKey, Credential, Opportunistic, PasnSettings, SharedPassword
from pairing.sae.hash_to_element import derive_password_token

FOLDER = Path(__file__).parents[1] / "vectors" / "wifi-aware"
NAN_SSID = b"516F9A010000"
ROLES = ("initiator", "responder")


class RecordedEntropy:
    """Gives recorded draws in order; a draw that was not recorded, or of another length, is an error."""

    def __init__(self, draws: list[bytes]) -> None:
        self.draws = list(draws)

    def __call__(self, length: int) -> bytes:
        drawn = self.draws.pop(0)
        assert len(drawn) == length
        return drawn


@dataclass(frozen=True)
class Side:
    """One side of a recorded exchange."""

    settings: PasnSettings
    credential: Credential
    entropy: RecordedEntropy
    recorded: dict[str, Any]


def load(name: str) -> dict[str, Any]:
    """A capture file by its name."""
    return json.loads((FOLDER / f"{name}.json").read_text())  # type: ignore[no-any-return]


def auth_frames(document: dict[str, Any]) -> dict[int, bytes]:
    """The PASN frames that were sent, by number."""
    return {
        int(frame["kind"][-1]): bytes.fromhex(frame["hex"])
        for frame in document.get("frames", ())
        if frame["kind"].startswith("auth")
    }


def nan_of(frame: bytes) -> bytes:
    """The attributes of a recorded frame's NAN element: configuration, made by layers above."""
    return PasnFrame.decode(ManagementFrame.decode(frame).body).nan or b""


def status_of(frame: bytes) -> int:
    """The status of a recorded frame."""
    return AuthenticationBody.decode(ManagementFrame.decode(frame).body).status


def side(document: dict[str, Any], role: str) -> Side:
    """What the device in this role was given."""
    recorded = document[role]
    other = document[ROLES[1 - ROLES.index(role)]]
    frames = auth_frames(document)
    suite = NCS_PK_PASN_256 if document["parameters"]["cipher"] == "256" else NCS_PK_PASN_128
    settings = PasnSettings(
        own=bytes.fromhex(recorded["keys"]["own_nmi"]),
        peer=bytes.fromhex(other["keys"]["own_nmi"]),
        bssid=bytes.fromhex(recorded["keys"]["cluster_id"]),
        nan=nan_of(frames[1 if role == "initiator" else 2]),
        suites=(suite,),
    )
    return Side(settings, _credential(document, role, suite), _entropy(recorded), recorded)


def _entropy(recorded: dict[str, Any]) -> RecordedEntropy:
    draws = [recorded["pasn"][name] for name in ("ecdh_private",) if name in recorded.get("pasn", {})]
    draws += [recorded["sae"][name] for name in ("rand", "mask") if name in recorded.get("sae", {})]
    return RecordedEntropy([bytes.fromhex(draw) for draw in draws])


def _credential(document: dict[str, Any], role: str, suite: PasnSuite) -> Credential:
    parameters, recorded = document["parameters"], document[role]
    if parameters["mode"] == "pasn":
        return Opportunistic()
    if parameters["mode"] == "sae":
        password = parameters.get(f"{role}_password", parameters.get("password"))
        return SharedPassword(derive_password_token(suite.group, NAN_SSID, password.encode()))
    own = recorded["nira"][1]
    frame_1 = PasnFrame.decode(ManagementFrame.decode(auth_frames(document)[1]).body)
    pmkid = bytes.fromhex(own["nonce"] + own["tag"])
    return CachedKey(Akm(frame_1.rsne.akms[0]), bytes.fromhex(recorded["cached"]["npk"]), pmkid)
