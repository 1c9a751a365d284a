"""One connection of a commissioner: its rights, its challenge and proofs, and the answer to each command.

An unauthorized command is refused before its state is looked at, except setting the dataset, where "commissioned when
the connection began" and what is wrong with the dataset come first. Source: Thread 1.4 specification, chapter 13; the
order of the checks as measured from OpenThread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pairing.engine import Entropy, Event
from pairing.errors import DecodeError
from pairing.thread.dataset import Dataset
from pairing.thread.dataset_rules import openthread_verdict
from pairing.thread.tcat.authorization import (
    Authorization,
    CommandClass,
    Requirement,
    authorization_of,
    is_allowed,
    requirements_met,
)
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.diagnostics import NodeView, diagnostic_tlvs
from pairing.thread.tcat.events import (
    TcatApplicationDataReceived,
    TcatDatasetSet,
    TcatDecommissioned,
    TcatThreadStarted,
    TcatThreadStopped,
)
from pairing.thread.tcat.profile import (
    MAX_APPLICATIONS,
    MAX_PROVISIONING_URL,
    MAX_SERVICE_NAME,
    ApplicationAnswer,
    TcatNode,
    TcatProfile,
)
from pairing.thread.tcat.proofs import CHALLENGE_LENGTH, proof_holds, tcat_proof
from pairing.thread.tcat.tlvs import TcatStatus, TcatTlv, TcatType, status_tlv

LONGEST_PING = 512


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command led to: the TLV, what happened, and the rule that it broke, if any."""

    tlv: TcatTlv
    events: tuple[Event, ...] = ()
    rule: str = ""
    long_form: bool = False


class _RefusedError(Exception):
    """A command ends in a status other than success."""

    def __init__(self, status: TcatStatus, rule: str) -> None:
        super().__init__(rule)
        self.status = status
        self.rule = rule


class TcatSession:
    """Made when a commissioner is connected; raises DecodeError where a certificate has not its role."""

    def __init__(
        self,
        profile: TcatProfile,
        node: TcatNode,
        commissioner: ThreadCertificate,
        entropy: Entropy,
        view: Callable[[], NodeView],
    ) -> None:
        self.node = node
        self.commissioner = commissioner
        self._rights: Authorization = authorization_of(commissioner, commissioner=True)
        self._own: Authorization = authorization_of(profile.certificate, commissioner=False)
        self._profile = profile
        self._entropy = entropy
        self._view = view
        self._was_commissioned = node.commissioned
        self._challenge: bytes | None = None
        self._proved: set[TcatType] = set()

    def answer(self, command: TcatTlv) -> Answer:
        """Carry out a command other than disconnect."""
        entry = _COMMANDS.get(command.type)
        try:
            if entry is None:
                raise _RefusedError(TcatStatus.UNSUPPORTED, "unknown-command")
            command_class, carry_out = entry
            self._require(command_class)
            result = carry_out(self, command)
        except _RefusedError as refusal:
            return Answer(status_tlv(refusal.status), rule=refusal.rule)
        if isinstance(result, Answer):
            return result
        return Answer(TcatTlv(TcatType.PAYLOAD, result))

    # Rights

    def _met(self, dataset: Dataset | None, *, sets_dataset: bool = False) -> Requirement:
        return requirements_met(
            self.commissioner,
            dataset,
            domain_name=self._profile.domain_name,
            pskd_proved=TcatType.PRESENT_PSKD_PROOF in self._proved,
            pskc_proved=sets_dataset or TcatType.PRESENT_PSKC_PROOF in self._proved,
        )

    def _require(self, command_class: CommandClass, dataset: Dataset | None = None) -> None:
        if command_class is CommandClass.GENERAL:
            return
        met = self._met(dataset or self.node.dataset, sets_dataset=dataset is not None)
        if not is_allowed(self._rights.of(command_class), self._own.of(command_class), met):
            raise _RefusedError(TcatStatus.UNAUTHORIZED, f"not-authorized-for-{command_class.value}")

    # General

    def _dataset(self) -> Dataset:
        if self.node.dataset is None or not self.node.commissioned:
            raise _RefusedError(TcatStatus.UNDEFINED, "not-commissioned")
        return self.node.dataset

    def _network_name(self, _: TcatTlv) -> bytes:
        return (self._dataset().network_name or "").encode()

    def _xpanid(self, _: TcatTlv) -> bytes:
        return self._dataset().ext_pan_id or b""

    def _active_dataset(self, _: TcatTlv) -> bytes:
        return self._dataset().encode()

    def _ping(self, command: TcatTlv) -> bytes:
        if len(command.value) > LONGEST_PING:
            raise _RefusedError(TcatStatus.PARSE_ERROR, "ping-too-long")
        return command.value

    def _device_id(self, _: TcatTlv) -> bytes:
        return self._profile.device_id

    def _provisioning_url(self, _: TcatTlv) -> bytes:
        url = self._profile.provisioning_url
        if url is None:
            raise _RefusedError(TcatStatus.INVALID_STATE, "no-provisioning-url")
        if not 0 < len(url.encode()) < MAX_PROVISIONING_URL:
            raise _RefusedError(TcatStatus.UNDEFINED, "empty-provisioning-url")
        return url.encode()

    # Proofs

    def _get_challenge(self, _: TcatTlv) -> bytes:
        self._challenge = self._entropy(CHALLENGE_LENGTH)
        return self._challenge

    def _key(self, kind: int) -> bytes | None:
        profile, dataset = self._profile, self.node.dataset
        if kind == TcatType.PRESENT_PSKC_PROOF:
            return None if dataset is None else dataset.pskc
        text = profile.pskd if kind == TcatType.PRESENT_PSKD_PROOF else profile.install_code
        return None if text is None else text.encode()

    def _present_proof(self, command: TcatTlv) -> Answer:
        key = self._key(command.type)
        if key is None:
            raise _RefusedError(TcatStatus.PROOF_WRONG, "no-such-secret")
        if self._challenge is None:
            raise _RefusedError(TcatStatus.PROOF_WRONG, "no-challenge-yet")
        if not proof_holds(command.value, key, self._challenge, self._profile.certificate.spki):
            raise _RefusedError(TcatStatus.PROOF_WRONG, "proof-wrong")
        self._proved.add(TcatType(command.type))
        return _done()

    def _request_pskd_proof(self, command: TcatTlv) -> bytes:
        if len(command.value) != CHALLENGE_LENGTH:
            raise _RefusedError(TcatStatus.PARSE_ERROR, "challenge-length")
        key = self._key(TcatType.PRESENT_PSKD_PROOF)
        if key is None:
            raise _RefusedError(TcatStatus.UNDEFINED, "no-such-secret")
        return tcat_proof(key, command.value, self._profile.certificate.spki)

    # Commissioning and its end

    def _set_dataset(self, command: TcatTlv) -> Answer:
        if self._was_commissioned:
            raise _RefusedError(TcatStatus.INVALID_STATE, "commissioned-already")
        verdict = openthread_verdict(command.value)
        if command.value and not verdict.accepted:
            raise _RefusedError(TcatStatus.PARSE_ERROR, verdict.rule or "malformed")
        try:
            dataset = Dataset.decode(command.value)
        except DecodeError:
            raise _RefusedError(TcatStatus.PARSE_ERROR, "malformed") from None
        if dataset.network_key is None:
            raise _RefusedError(TcatStatus.VALUE_ERROR, "no-network-key")
        self._require(CommandClass.COMMISSIONING, dataset)
        self.node = replace(self.node, dataset=dataset, commissioner_certificate=self.commissioner.der)
        return _done(TcatDatasetSet(tlvs=command.value))

    def _commissioner_certificate(self, _: TcatTlv) -> bytes:
        if self.node.commissioner_certificate is None:
            raise _RefusedError(TcatStatus.UNDEFINED, "no-commissioner-certificate")
        return self.node.commissioner_certificate

    def _diagnostics(self, command: TcatTlv) -> Answer:
        found = diagnostic_tlvs(self._view(), command.value)
        return Answer(TcatTlv(TcatType.PAYLOAD, found), long_form=True) if found else _done()

    def _thread_start(self, _: TcatTlv) -> Answer:
        if self.node.dataset is None or self.node.dataset.network_key is None:
            raise _RefusedError(TcatStatus.INVALID_STATE, "no-dataset")
        return _done(TcatThreadStarted())

    def _thread_stop(self, _: TcatTlv) -> Answer:
        self.node = replace(self.node, attached=False)
        return _done(TcatThreadStopped())

    def _decommission(self, _: TcatTlv) -> Answer:
        self._was_commissioned = False
        self.node = TcatNode()
        return _done(TcatDecommissioned())

    # Applications

    def _application_layers(self, _: TcatTlv) -> bytes:
        kinds = {"udp": TcatType.UDP_SERVICE_NAME, "tcp": TcatType.TCP_SERVICE_NAME}
        return b"".join(
            TcatTlv(kinds[each.transport], each.name.encode()[:MAX_SERVICE_NAME]).encode()
            for each in self._profile.applications[:MAX_APPLICATIONS]
        )

    def _application_data(self, command: TcatTlv) -> Answer:
        habit = self._profile.application_data.get(command.type, ApplicationAnswer.UNSUPPORTED)
        if habit is ApplicationAnswer.UNSUPPORTED:
            raise _RefusedError(TcatStatus.UNSUPPORTED, "no-application")
        name = TcatType(command.type).name.lower().replace("_", "-")
        event = TcatApplicationDataReceived(command=name, data=command.value)
        if habit is ApplicationAnswer.ECHO:
            return Answer(TcatTlv(TcatType.PAYLOAD, command.value), (event,))
        return _done(event)


def _done(*events: Event) -> Answer:
    return Answer(status_tlv(TcatStatus.SUCCESS), events)


_CarryOut = Callable[[TcatSession, TcatTlv], Answer | bytes]
_GENERAL, _COMMISSIONING = CommandClass.GENERAL, CommandClass.COMMISSIONING
_S, _T = TcatSession, TcatType
_COMMANDS: Mapping[int, tuple[CommandClass, _CarryOut]] = {
    _T.GET_NETWORK_NAME: (_GENERAL, _S._network_name),
    _T.PING: (_GENERAL, _S._ping),
    _T.GET_DEVICE_ID: (_GENERAL, _S._device_id),
    _T.GET_XPANID: (_GENERAL, _S._xpanid),
    _T.GET_PROVISIONING_URL: (_GENERAL, _S._provisioning_url),
    _T.PRESENT_PSKD_PROOF: (_GENERAL, _S._present_proof),
    _T.PRESENT_PSKC_PROOF: (_GENERAL, _S._present_proof),
    _T.PRESENT_INSTALL_CODE_PROOF: (_GENERAL, _S._present_proof),
    _T.GET_CHALLENGE: (_GENERAL, _S._get_challenge),
    _T.REQUEST_PSKD_PROOF: (_GENERAL, _S._request_pskd_proof),
    _T.SET_ACTIVE_DATASET: (_GENERAL, _S._set_dataset),  # checks its class itself, later than others do
    _T.GET_COMMISSIONER_CERTIFICATE: (_COMMISSIONING, _S._commissioner_certificate),
    _T.GET_DIAGNOSTICS: (_COMMISSIONING, _S._diagnostics),
    _T.THREAD_START: (_COMMISSIONING, _S._thread_start),
    _T.THREAD_STOP: (_COMMISSIONING, _S._thread_stop),
    _T.GET_ACTIVE_DATASET: (CommandClass.EXTRACTION, _S._active_dataset),
    _T.DECOMMISSION: (CommandClass.DECOMMISSIONING, _S._decommission),
    _T.GET_APPLICATION_LAYERS: (CommandClass.APPLICATION, _S._application_layers),
    **dict.fromkeys(
        (_T.APP_DATA_1, _T.APP_DATA_2, _T.APP_DATA_3, _T.APP_DATA_4, _T.VENDOR_DATA),
        (CommandClass.APPLICATION, _S._application_data),
    ),
}
