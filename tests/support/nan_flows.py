"""Every Wi-Fi Aware exchange that our devices have, as a transcript: what an outside reader is shown of us."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import Any

from devices.home import Home
from devices.transcripts.reader import Frame, Happened, read_transcript
from pairing.engine import SECOND, Event
from pairing.nan.attributes import BootstrappingMethods, CipherSuiteInfo, SdeaControl
from pairing.nan.bootstrapping_rules import BootstrappingProfile
from pairing.nan.cluster import ClusterSettings
from pairing.nan.data_path_rules import DataPathSettings
from pairing.nan.pairing_events import PairingCompleted, PairingVerified
from pairing.nan.timing import DiscoveryWindows
from tests.support.camera_and_viewer import camera, home_of, open_path, viewer
from tests.support.camera_and_viewer import pair as pair_viewer
from tests.support.nan_air import (
    CAMERA,
    CAMERA_NDI,
    NOT_CACHING,
    PHONE,
    PHONE_NDI,
    Wire,
    camera_service,
    phone_service,
    settings,
)
from tests.support.nan_transcript import RecordedHome, transcript_of

PHRASE = "over the air"
_M = BootstrappingMethods
ONE_BIT = tuple(method for method in _M if method)
_ASKED: dict[str, object] = {"bootstrapping": BootstrappingProfile(is_user_asked=True, timeout=5 * SECOND)}
_SEALED: dict[str, object] = {"is_encrypting": True}


@dataclass(frozen=True)
class Flow:
    """One exchange: what was recorded, and the keys (NM-TK) that protected frames to paired peers."""

    transcript: bytes = field(repr=False)
    keys: frozenset[bytes] = field(default=frozenset(), repr=False)

    @property
    def frames(self) -> list[Frame]:
        """Its frames on the air."""
        records = read_transcript(BytesIO(self.transcript))
        return [each for each in records if isinstance(each, Frame) and each.medium == "air"]

    @property
    def happened(self) -> frozenset[str]:
        """The types of its events."""
        records = read_transcript(BytesIO(self.transcript))
        return frozenset(each.event["type"] for each in records if isinstance(each, Happened))


def _keys(events: Iterable[Event]) -> frozenset[bytes]:
    return frozenset(each.keys.nm_tk for each in events if isinstance(each, PairingCompleted | PairingVerified))


def _recorded(made: RecordedHome) -> Flow:
    return Flow(made.transcript, _keys(made.phone.events))


def _lived(home: Home) -> Flow:
    """What happened in a home that still runs."""
    return Flow(home.transcript, _keys(each.event for each in home.events.all()))


# Discovery.


def _cluster() -> Flow:
    wire, windows = Wire(), DiscoveryWindows()
    there, here = (
        wire.add(settings(nmi, ndi, windows=windows, cluster=ClusterSettings(nmi=nmi, warm_up=SECOND)))
        for nmi, ndi in ((CAMERA, CAMERA_NDI), (PHONE, PHONE_NDI))
    )
    wire.do(there, there.device.start_cluster(0))
    wire.run_until(SECOND)
    wire.do(here, here.device.start_cluster(wire.now))
    wire.do(there, there.device.publish(camera_service(is_unsolicited=True), wire.now))
    wire.do(here, here.device.subscribe(phone_service(query_period=SECOND), wire.now))
    wire.run_until(wire.now + 3 * SECOND)
    return Flow(transcript_of(wire.sent, {}))


def _unsolicited() -> Flow:
    return _recorded(RecordedHome(camera_session={"is_unsolicited": True}).rest(5))


def _follow_up() -> Flow:
    made = RecordedHome()
    made.wire.do(made.phone, made.phone.device.follow_up(3, CAMERA, 5, b"hello", made.wire.now))
    return _recorded(made.rest(1))


# Bootstrapping.


def _bootstrapping(method: BootstrappingMethods) -> Flow:
    made = RecordedHome()
    made.people.password = None if method in (_M.OPPORTUNISTIC, _M.HANDSHAKE_SKIPPED) else "314159"
    return _recorded(made.bootstrap(method))


def _asked(*, accepts: bool | None) -> Flow:
    made = RecordedHome(camera=_ASKED)
    made.people.accepts = False
    device = made.camera.device
    made.wire.do(made.phone, made.phone.device.bootstrap(CAMERA, _M.PIN_KEYPAD, made.wire.now))
    made.rest(1)
    if accepts is not None:
        answer = device.accept_bootstrapping if accepts else device.reject_bootstrapping
        made.wire.do(made.camera, answer(PHONE, made.wire.now))
    return _recorded(made.rest(20))


def _unknown_method() -> Flow:
    return _recorded(RecordedHome(camera_session={"methods": _M.PIN_DISPLAY}).bootstrap(_M.QR_SCAN))


# Pairing.


def _paired(suite: int, password: str | None, *, sealed: bool = False, **given: Any) -> RecordedHome:
    side = _SEALED if sealed else {}
    return RecordedHome(password=password, phone=side, camera=side, **given).pair(suite)


def _pairing(suite: int, password: str | None, **given: Any) -> Flow:
    return _recorded(_paired(suite, password, **given))


def _wrong_password() -> Flow:
    return _recorded(RecordedHome(typed="000000").pair(7))


def _declined() -> Flow:
    made = RecordedHome()
    made.people.accepts = False
    made.pair(7)
    return _recorded(made)


def _rejected() -> Flow:
    made = RecordedHome()
    made.people.accepts = False
    made.wire.do(made.phone, made.phone.device.pair(CAMERA, made.wire.now, password="314159", suite=8))
    made.rest(1)
    made.wire.do(made.camera, made.camera.device.reject_pairing(PHONE, made.wire.now))
    return _recorded(made.rest(20))


def _verification(suite: int, password: str | None) -> Flow:
    return _recorded(_paired(suite, password, sealed=True).verify())


# Data paths.


def _closed(made: RecordedHome) -> Flow:
    made.wire.do(made.phone, made.phone.device.close_data_path(1, made.wire.now))
    return _recorded(made.rest(5))


def _paired_path(suite: int) -> Flow:
    return _closed(_paired(suite, "314159", sealed=True).open())


def _open_path() -> Flow:
    return _closed(RecordedHome().open())


def _passphrase_path(suite: int, capabilities: int = 0, *, wrong: bool = False) -> Flow:
    table = {"data_path": DataPathSettings(security_capabilities=capabilities)}
    control = SdeaControl.DATA_PATH_REQUIRED | SdeaControl.SECURITY_REQUIRED
    service = {
        "cipher_suites": CipherSuiteInfo.of(5, suite, capabilities=capabilities),
        "sdea_control": control | (SdeaControl.GTK_REQUIRED if capabilities else SdeaControl.NONE),
    }
    made = RecordedHome(phone=table, camera=table, camera_session=service, publishing={"passphrase": PHRASE})
    made.open(passphrase="another one" if wrong else PHRASE, suite=suite)
    return _recorded(made) if wrong else _closed(made)


def _path_rejected(*, is_blank: bool, passphrase: str | None = None) -> Flow:
    publishing = {} if passphrase is None else {"passphrase": passphrase}
    service: dict[str, object] = {} if passphrase is None else {"cipher_suites": CipherSuiteInfo.of(5, 1)}
    refusal = DataPathSettings(is_refusal_blank=is_blank)
    made = RecordedHome(camera={"data_path": refusal}, camera_session=service, publishing=publishing)
    made.people.accepts = False
    made.wire.do(made.phone, made.phone.device.open_data_path(CAMERA, made.wire.now, passphrase=passphrase))
    made.rest(1)
    made.wire.do(made.camera, made.camera.device.reject_data_path(1, made.wire.now))
    return _recorded(made.rest(5))


# A home with real accessories: schedules, radio elements, and lies.


def _home() -> Flow:
    with home_of(camera(), viewer()) as home:
        pair_viewer(home)
        open_path(home)
        home.advance("2s")
        home["camera"].do("restart").result()
        home.advance("5s")
        return _lived(home)


def _lie(kind: str, **parameters: Any) -> Flow:
    with home_of(camera(), viewer()) as home, home.fault(kind, target="camera", **parameters):
        pair_viewer(home)
        home.advance("12s")
        return _lived(home)


def _path_lie(kind: str, **parameters: Any) -> Flow:
    with home_of(camera(), viewer(verification=False)) as home:
        pair_viewer(home)
        with home.fault(kind, target="camera", **parameters):
            home["viewer"].do("open-data-path").result()
            home.advance("12s")
        return _lived(home)


FLOWS: Mapping[str, Callable[[], Flow]] = {
    "cluster": _cluster,
    "unsolicited": _unsolicited,
    "follow-up": _follow_up,
    **{f"bootstrapping {method.name}": partial(_bootstrapping, method) for method in ONE_BIT},
    "bootstrapping accepted after comeback": partial(_asked, accepts=True),
    "bootstrapping rejected after comeback": partial(_asked, accepts=False),
    "bootstrapping never answered": partial(_asked, accepts=None),
    "bootstrapping rejected": _unknown_method,
    **{f"password suite {suite}": partial(_pairing, suite, "314159") for suite in (7, 8)},
    **{f"password protected suite {suite}": partial(_pairing, suite, "314159", sealed=True) for suite in (7, 8)},
    **{f"opportunistic suite {suite}": partial(_pairing, suite, None) for suite in (7, 8)},
    "without NIK exchange": partial(_pairing, 7, "314159", camera_session={"device_capability_extension": NOT_CACHING}),
    "wrong password": _wrong_password,
    "pairing unanswered": _declined,
    "pairing rejected": _rejected,
    **{f"verification password suite {suite}": partial(_verification, suite, "314159") for suite in (7, 8)},
    **{f"verification opportunistic suite {suite}": partial(_verification, suite, None) for suite in (7, 8)},
    "data path open": _open_path,
    **{f"data path passphrase suite {suite}": partial(_passphrase_path, suite) for suite in (1, 2)},
    "data path group keys suite 1": partial(_passphrase_path, 1, 0b00010),
    "data path group keys suite 2": partial(_passphrase_path, 2, 0b10100),
    "data path wrong passphrase": partial(_passphrase_path, 1, wrong=True),
    **{f"data path paired suite {suite}": partial(_paired_path, suite) for suite in (7, 8)},
    "data path rejected": partial(_path_rejected, is_blank=False),
    **{
        f"data path passphrase rejected {'blank' if is_blank else 'in full'}": partial(
            _path_rejected, is_blank=is_blank, passphrase=PHRASE
        )
        for is_blank in (False, True)
    },
    "home": _home,
    "lie wrong-group": partial(_lie, "wrong-group", group=21),
    "lie no-nan-element": partial(_lie, "no-nan-element"),
    "lie comeback": partial(_lie, "comeback", count=2),
    "lie wrong-mic": partial(_lie, "wrong-mic"),
    "lie wrong-confirm": partial(_lie, "wrong-confirm"),
    "lie reject-status": partial(_lie, "reject-status", status=53),
    "lie silence": partial(_lie, "silence", frame=2),
    "lie silent-nik": partial(_lie, "silent-nik"),
    "lie wrong-nik-key": partial(_lie, "wrong-nik-key"),
    "lie odd-bitmap-period": partial(_lie, "odd-bitmap-period", period=5),
    **{
        f"lie wrong-mic data-path {message}": partial(_path_lie, "wrong-mic", exchange="data-path", message=message)
        for message in (2, 4)
    },
    "lie silence data-path": partial(_path_lie, "silence", exchange="data-path", frame=4),
    "lie reject-data-path": partial(_path_lie, "reject-data-path", reason=2),
}
"""What each is called -> how it is made."""
