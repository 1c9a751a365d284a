"""What a responder thinks of a data path request before its owner is asked: which security it asks for, or why not.

Source: Wi-Fi Aware specification 4.0, section 7.3; reasons as the reference peer and phones give them.
"""

from dataclasses import dataclass

from pairing.keys import NanPairingKeys
from pairing.nan.attributes import CipherSuite, CipherSuiteInfo, NdpControl, ReasonCode, SdeaControl
from pairing.nan.data_path_keys import gtk_suite
from pairing.nan.data_path_rules import DataPathLies, DataPathSettings
from pairing.nan.data_path_terms import NdpAttribute
from pairing.nan.frames import NanActionFrame
from pairing.nan.platform_rules import DataPathSecurity
from pairing.nan.sessions import Publish

PASSPHRASE_SUITES = (CipherSuite.NCS_SK_128, CipherSuite.NCS_SK_256)
PAIRED_SUITES = (CipherSuite.NCS_PK_PASN_128, CipherSuite.NCS_PK_PASN_256)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for."""

    security: DataPathSecurity
    suite: int = 0
    is_authenticated: bool = False
    with_gtk: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a request is refused."""

    reason: int
    rule: str
    expected: str
    came: str


def read_request(frame: NanActionFrame, ndp: NdpAttribute, keys: NanPairingKeys | None) -> Asked:
    """The security that a request asks for; `keys` are those of the pairing in force with the peer."""
    suites = frame.find(CipherSuiteInfo)
    if not ndp.control & NdpControl.SECURITY_PRESENT or suites is None:
        return Asked(DataPathSecurity.OPEN)
    offered = [offer.suite for offer in suites.suites]
    pairwise = next((suite for suite in offered if suite in (*PASSPHRASE_SUITES, *PAIRED_SUITES)), 0)
    with_gtk = gtk_suite(pairwise) in offered
    if pairwise in PAIRED_SUITES:
        is_authenticated = keys is not None and keys.is_authenticated
        return Asked(DataPathSecurity.PAIRED, pairwise, is_authenticated, with_gtk)
    if not pairwise:
        return Asked(DataPathSecurity.OPEN)
    return Asked(DataPathSecurity.PASSPHRASE, pairwise, True, with_gtk)


def judge_request(
    asked: Asked,
    publish: Publish,
    keys: NanPairingKeys | None,
    settings: DataPathSettings,
    lies: DataPathLies,
    running: int,
) -> Refused | None:
    """Why the request is refused; None if the owner is to be asked."""
    if lies.reject_reason is not None:
        return Refused(lies.reject_reason, "lie", "the truth", "rejected on purpose")
    if running >= settings.max_data_paths:
        came = f"one more than {settings.max_data_paths} data paths"
        return Refused(ReasonCode.RESOURCE_LIMITATION, "number of data paths", "a free one", came)
    kind, policy = asked.security, ReasonCode.SECURITY_POLICY
    if kind not in settings.accepts:
        allowed = ", ".join(sorted(each.value for each in settings.accepts))
        return Refused(policy, "data-path-security", allowed, kind.value)
    if kind is DataPathSecurity.OPEN and publish.sdea_control & SdeaControl.SECURITY_REQUIRED:
        return Refused(policy, "service", "security, as the publisher says", "an open data path")
    if kind is DataPathSecurity.PAIRED and (keys is None or keys.suite != asked.suite):
        came = "a peer that is not paired" if keys is None else f"suite {asked.suite}"
        expected = "a pairing in force" if keys is None else f"suite {keys.suite} of the pairing"
        return Refused(ReasonCode.INVALID_PARAMETERS, "pairing", expected, came)
    if keys is not None and kind is not DataPathSecurity.PAIRED:
        return Refused(policy, "pairing", f"suite {keys.suite} of the pairing in force", kind.value)
    return None
