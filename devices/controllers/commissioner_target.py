"""Whom a Commissioner means, and with which key: a border router of the home, or any address with what is known of it.

Of a border router of its own home a Commissioner knows what the installer would: where it is, and the PSKc.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from devices.actor import Actor
from devices.controllers.commissioner_results import Refusal, RefusedError
from devices.errors import UsageError
from devices.spec import closest
from pairing.engine import Endpoint
from pairing.errors import DecodeError, EncodeError
from pairing.thread.dataset import bytes_from_hex
from pairing.thread.network import Network
from pairing.thread.pskc import derive_pskc

MESHCOP_ENDPOINT = "meshcop"
"""The name of a border router's endpoint at which its Border Agent listens."""
_ROUTER = "thread-border-router"
_MAX_PSKC = 16
_CODE_LENGTHS = range(6, 33)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What was said about whom to commission; empty: not said."""

    target: str = ""
    address: str = ""
    pskc: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    network_name: str = ""
    ext_pan_id: str = ""
    code: str = field(default="", repr=False)

    @property
    def is_said(self) -> bool:
        """Whether anything was."""
        return self != Access()

    def over(self, file: "Access") -> "Access":
        """This, and what the home's file says where this does not: another address or target has another key."""
        is_elsewhere = (self.address or self.target) and (self.address, self.target) != (file.address, file.target)
        base = Access() if is_elsewhere else file
        if self.code or self.pskc or self.passphrase:
            base = replace(base, code="", pskc="", passphrase="")
        given = {name: value for name in Access.__slots__ if (value := getattr(self, name))}
        return replace(base, **given)


@dataclass(frozen=True, slots=True)
class Whom:
    """One Border Agent and the password for it."""

    address: Endpoint
    password: bytes = field(repr=False)
    is_code: bool = False
    is_foreign: bool = False
    """Not one of the home's border routers: its keys are nobody's toy."""


def find(access: Access, others: Iterable[Actor]) -> Whom:
    """The Border Agent and the password. Raises UsageError, or RefusedError where the border router does not listen."""
    if access.address:
        return Whom(parse_address(access.address), _password(access, None), bool(access.code), is_foreign=True)
    router = _router(access.target, [each for each in others if _is_router(each)])
    network = _network_of(router)
    place = dict(getattr(router, "endpoints", {})).get(MESHCOP_ENDPOINT)
    key = None if network is None else network.ephemeral_key.key
    if place is None or (access.code and key is None):
        raise RefusedError(_not_listening(router, is_code=bool(access.code)))
    address = parse_address(place)
    if key is not None and access.code:
        address = address._replace(port=key.port)
    return Whom(address, _password(access, network), bool(access.code))


def parse_address(text: str) -> Endpoint:
    """`192.0.2.1:49153`, `[2001:db8::1]:49153` or `name.local:49153`. Raises UsageError."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(f"an address is HOST:PORT, such as 192.0.2.1:49153 or [2001:db8::1]:49153; not {text!r}")
    return Endpoint(host, int(port))


def _network_of(actor: Actor) -> Network | None:
    network = getattr(actor, "network", None)
    return network if isinstance(network, Network) else None


def _is_router(actor: Actor) -> bool:
    return getattr(actor, "kind", "") == _ROUTER or MESHCOP_ENDPOINT in getattr(actor, "endpoints", {})


def _router(target: str, routers: list[Actor]) -> Actor:
    if not target and len(routers) == 1:
        return routers[0]
    names = [each.id for each in routers]
    if not target:
        known = f"this home has {', '.join(names)}" if names else "this home has none; give address = HOST:PORT"
        raise UsageError(f"which border router? {known}")
    for each in routers:
        if each.id == target:
            return each
    raise UsageError(f"no Thread border router {target!r} in this home{closest(target, names)}")


def _not_listening(router: Actor, *, is_code: bool) -> Refusal:
    state = str(getattr(router, "state", "off"))
    if is_code:
        return Refusal(
            rule="no-code-active",
            expected=f"{router.id} with a code open",
            came="no code is open there",
            hint=f"have it show one: `share-code` of {router.id}",
        )
    return Refusal(
        rule="not-listening",
        expected=f"{router.id} with Thread on, and a PSKc",
        came=f"it is {state}, and its Border Agent does not listen",
        hint=f"`enable` of {router.id}, and wait until it is attached",
    )


def _password(access: Access, network: Network | None) -> bytes:
    """The key of the DTLS connection. Raises UsageError."""
    if access.code:
        return _code(access.code)
    if access.pskc:
        return _pskc(access.pskc)
    dataset = None if network is None else network.active_dataset
    if access.passphrase:
        name = access.network_name or (dataset.network_name if dataset else None)
        xpan = _octets(access.ext_pan_id) if access.ext_pan_id else (dataset.ext_pan_id if dataset else None)
        if name is None or xpan is None:
            raise UsageError("a passphrase makes a PSKc only with network_name and ext_pan_id")
        try:
            return derive_pskc(access.passphrase, name, xpan)
        except EncodeError as problem:
            raise UsageError(f"passphrase: {problem}") from None
    if dataset is None or dataset.pskc is None:
        raise UsageError("which key? give pskc, or passphrase with network_name and ext_pan_id, or a sharing code")
    return dataset.pskc


def _code(text: str) -> bytes:
    code = text.replace(" ", "").replace("-", "")
    if len(code) not in _CODE_LENGTHS or not code.isascii():
        raise UsageError("code: nine digits are expected (6 to 32 characters at all)")
    return code.encode()


def _pskc(text: str) -> bytes:
    try:
        pskc = bytes_from_hex(text)
    except DecodeError as problem:
        raise UsageError(f"pskc: 32 hex digits are expected: {problem.reason}") from None
    if not 0 < len(pskc) <= _MAX_PSKC:
        raise UsageError(f"pskc: 32 hex digits are expected, {2 * len(pskc)} came")
    if not any(pskc):
        raise UsageError("pskc: all zeros is no key; a network that has it lets no Commissioner in")
    return pskc


def _octets(text: str) -> bytes:
    try:
        return bytes_from_hex(text.replace(":", ""))
    except DecodeError as problem:
        raise UsageError(f"ext_pan_id: 16 hex digits are expected: {problem.reason}") from None
