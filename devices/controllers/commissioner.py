"""A Commissioner of a home: petitions, reads and changes datasets, lets joiners in, at a border router of the home or
at any Border Agent whose address and key it is given.

What a Border Agent or Leader refuses is a result with a verdict. A connection is made when one is needed and kept until
`resign`; the engine keeps it alive. Thread specification, chapter 8; protocol page: MeshCoP.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from devices.actor import Site, verb
from devices.controllers.commissioner_change import refusal_of, tlvs_of_fields, tlvs_of_hex, unexplained
from devices.controllers.commissioner_results import Refusal, RefusedError, done, refused
from devices.controllers.commissioner_session import CommissionerSession
from devices.controllers.commissioner_target import Access, Whom, find
from devices.controllers.commissioner_tcat import TcatVerbs
from devices.controllers.credential_fetching import CodeUse
from devices.controllers.datagram_path import RETRIES, open_path
from devices.errors import ActionRefusedError, UsageError
from devices.events import StateChanged
from devices.spec import CommissionerSpec, Duration, duration_us
from pairing.engine import Entropy, Event
from pairing.errors import DecodeError, EncodeError
from pairing.thread.commissioner import Commissioner, CommissionerLies, CommissionerSettings
from pairing.thread.dataset import Dataset
from pairing.thread.joiner import parse_qr_payload
from pairing.thread.joiner_sessions import JoinerLies, JoinerServerSettings
from pairing.thread.joiner_table import JoinerId
from pairing.thread.meshcop_events import CommissionerDatasetReceived
from pairing.thread.tlvs import Tlv

Kind = Literal["active", "pending"]
_MEDIUM = "lan"


class HomeCommissioner(TcatVerbs):
    """One commissioner, with one connection at a time."""

    role = "commissioner"

    def __init__(self, site: Site, spec: CommissionerSpec) -> None:
        super().__init__(site, spec.id, spec.name)
        self._spec = spec
        self._file = Access(
            target=spec.target,
            address=spec.address,
            pskc=spec.pskc,
            passphrase=spec.passphrase,
            network_name=spec.network_name,
            ext_pan_id=spec.ext_pan_id,
            code=spec.code,
        )
        self._patience = duration_us(spec.patience)
        self._entropy = self.chance.randbytes
        self._ports = site.chance.stream(f"commissioner/{self.id}/ports")
        self._session: CommissionerSession | None = None
        self._whom: Whom | None = None
        self._is_on = True
        self._connecting = asyncio.Lock()

    # What one can see

    @property
    def state(self) -> str:
        """`idle`, the engine's state, or `off`."""
        if not self._is_on:
            return "off"
        return "idle" if self._session is None else self._session.engine.state.value

    @property
    def kind(self) -> str:
        """For the table."""
        return "commissioner"

    @property
    def commissioner_id(self) -> str:
        """What it calls itself in petitions."""
        return self._spec.commissioner_id or self.name

    @property
    def facts(self) -> Mapping[str, Any]:
        """Whom it is connected to, its session, and who may join through it."""
        session = self._session
        engine = None if session is None else session.engine
        return {
            "commissioner_id": self.commissioner_id,
            "border_agent": session.peer if session is not None and session.is_connected else None,
            "session_id": None if engine is None else engine.session_id,
            "joiners": []
            if engine is None
            else [{"joiner": str(each.joiner), "progress": each.progress.value} for each in engine.joiners],
        }

    async def stop(self, *, quietly: bool = False) -> None:
        """Resign, close and be gone; `quietly` without a word."""
        session, self._session, self._whom = self._session, None, None
        if session is not None:
            await session.end(quietly=quietly)

    # Connections

    async def _connected(self, access: Access) -> CommissionerSession:
        """The connection that is meant: the one there is, or another. Raises RefusedError, UsageError."""
        async with self._connecting:  # two who want a connection share one
            return await self._connection(access)

    async def _connection(self, access: Access) -> CommissionerSession:
        if not self._is_on:
            raise ActionRefusedError(f"{self.id} is switched off")
        session = self._session
        is_usable = session is not None and session.is_connected
        if session is not None and is_usable and not access.is_said:
            return session
        whom = find(access.over(self._file), self.site.others())
        if session is not None and is_usable and whom == self._whom:
            return session
        await self.stop()
        return await self._connect(whom)

    async def _connect(self, whom: Whom) -> CommissionerSession:
        engine = Commissioner(whom.address, whom.password, self._entropy_for(whom), self._settings())
        session = CommissionerSession(engine, whom.address, self.site.clock, self._patience, self._tell)
        session.is_code = whom.is_code
        path = await open_path(
            self.site,
            self.id,
            whom.address,
            ports=self._ports,
            receive=session.deliver,
            refused=session.hear_refusal,
        )
        session.use(path)
        self._session, self._whom = session, whom
        try:
            await session.connect()
        except BaseException:
            if self._session is session:
                await self.stop()
            raise
        return session

    def _entropy_for(self, whom: Whom) -> Entropy:
        # Keys towards a network that is not ours come from the operating system, whatever the seed.
        return os.urandom if whom.is_foreign and self.site.real else self._entropy

    def _settings(self) -> CommissionerSettings:
        lies = frozenset(self._spec.lies)
        joiner_lies = JoinerLies(reject_joiners="reject-joiners" in lies, kek_on_reject="kek-on-reject" in lies)
        return CommissionerSettings(
            commissioner_id=self.commissioner_id,
            keep_alive=duration_us(self._spec.keep_alive),
            joiner_udp_port=self._spec.joiner_udp_port,
            dtls=RETRIES,
            joiners=JoinerServerSettings(provisioning_url=self._spec.provisioning_url, lies=joiner_lies),
            lies=CommissionerLies(no_keep_alive="no-keep-alive" in lies, no_session_id="no-session-id" in lies),
        )

    def _tell(self, event: Event) -> None:
        self.emit(event, _MEDIUM)

    def _active(self, what: str) -> CommissionerSession:
        session = self._session
        if session is None or not session.is_active:
            raise ActionRefusedError(f"{self.id}: {what} needs the active Commissioner, this is {self.state}: petition")
        return session

    async def _document(self, work: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
        try:
            return done(await work())
        except RefusedError as problem:
            return refused(problem.refusal)

    # Verbs

    @verb("petition")
    async def _do_petition(
        self,
        target: str = "",
        address: str = "",
        pskc: str = "",
        passphrase: str = "",
        network_name: str = "",
        ext_pan_id: str = "",
        code: str = "",
    ) -> dict[str, Any]:
        """Connect where that is needed, and become the active Commissioner; it stays so until it resigns."""
        access = _access(target, address, pskc, passphrase, network_name, ext_pan_id, code)

        async def work() -> dict[str, Any]:
            session = await self._connected(access)
            if session.is_active:
                raise ActionRefusedError(f"{self.id} is the active Commissioner already, session {self._session_id}")
            accepted = await session.petition()
            return {
                "border_agent": session.peer,
                "commissioner_id": accepted.commissioner_id,
                "session_id": accepted.session_id,
            }

        return await self._document(work)

    @verb("get")
    async def _do_get(
        self,
        kind: Literal["active", "pending", "commissioner"] = "active",
        target: str = "",
        address: str = "",
        pskc: str = "",
        passphrase: str = "",
        network_name: str = "",
        ext_pan_id: str = "",
        code: str = "",
    ) -> dict[str, Any]:
        """Read a dataset, before or after a petition; the commissioner dataset only after one."""
        access = _access(target, address, pskc, passphrase, network_name, ext_pan_id, code)

        async def work() -> dict[str, Any]:
            if kind == "commissioner":
                return _commissioner_document(await self._active("the commissioner dataset").get_commissioner())
            session = await self._connected(access)
            return {"kind": kind, "border_agent": session.peer, **_dataset_document(await session.get(kind))}

        return await self._document(work)

    @verb("set")
    async def _do_set(
        self, kind: Kind = "active", dataset: str = "", fields: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Change a dataset: TLVs in hex as they are, or fields as in a home file, whose timestamps come by themselves.

        A refusal says which rule was broken, as far as the datasets in force tell.
        """
        if bool(dataset) == bool(fields):
            raise UsageError("set: give dataset (TLVs in hex), or fields")
        session = self._active("set")

        async def work() -> dict[str, Any]:
            tlvs = tlvs_of_hex(dataset) if dataset else await self._tlvs(session, kind, fields or {})
            session_id = session.engine.session_id
            if not await session.set(kind, tlvs):
                raise RefusedError(await self._why(session, kind, tlvs, session_id))
            return {"kind": kind, "border_agent": session.peer}

        return await self._document(work)

    async def _tlvs(self, session: CommissionerSession, kind: Kind, fields: Mapping[str, Any]) -> tuple[Tlv, ...]:
        active = _readable(await session.get("active"))
        pending = _readable(await session.get("pending")) if kind == "pending" else None
        return tlvs_of_fields(kind, fields, active, pending)

    async def _why(
        self, session: CommissionerSession, kind: Kind, tlvs: tuple[Tlv, ...], session_id: int | None
    ) -> Refusal:
        """Ask what is in force, and look for the rule that the change breaks."""
        told = None if "no-session-id" in self._spec.lies else session_id
        active, pending = await session.get("active"), await session.get("pending")
        found = refusal_of(kind, tlvs, active, pending, told)
        if found is not None:
            return found
        return unexplained(session_lost=not await session.keep_alive())

    @verb("enable-joiner")
    async def _do_enable_joiner(
        self, joiner: str = "", pskd: str = "", qr: str = "", lifetime: Duration = "2m"
    ) -> dict[str, Any]:
        """Let a joiner in: an EUI-64, `any`, a discerner (0xabc/12), or a QR payload. What follows are events."""
        who, secret = _joiner(joiner, pskd, qr)
        session = self._active("enable-joiner")

        async def work() -> dict[str, Any]:
            if not await self._steered(session.enable_joiner(who, secret, duration_us(lifetime))):
                raise RefusedError(await self._why_not_steered(session))
            return {"joiner": str(who), "lifetime": lifetime}

        return await self._document(work)

    @verb("disable-joiner")
    async def _do_disable_joiner(self, joiner: str = "any") -> dict[str, Any]:
        """Take a joiner out again."""
        who = _who(joiner)
        session = self._active("disable-joiner")

        async def work() -> None:
            if not await session.disable_joiner(who):
                raise RefusedError(await self._why_not_steered(session))

        return await self._document(work)

    async def _steered(self, work: Awaitable[bool]) -> bool:
        try:
            return await work
        except EncodeError as problem:
            raise UsageError(str(problem)) from None

    async def _why_not_steered(self, session: CommissionerSession) -> Refusal:
        return unexplained(session_lost=not await session.keep_alive())

    @verb("resign")
    async def _do_resign(self, close: bool = True) -> dict[str, Any]:
        """Give up being the active Commissioner, and end the connection unless `close` is false."""
        session = self._active("resign")

        async def work() -> None:
            await session.resign()
            if close:
                await self.stop()

        return await self._document(work)

    @verb("close")
    async def _do_close(self) -> None:
        """End the connection without resigning: the Leader frees the place when its keep-alives stay out."""
        session = self._session
        if session is None:
            raise ActionRefusedError(f"{self.id} has no connection")
        self._session = self._whom = None
        await session.end(resigns=False)

    @verb("fetch")
    async def _do_fetch(self, code: str, target: str = "", address: str = "") -> dict[str, Any]:
        """Use a sharing code once: the network's datasets, without a petition."""
        access = Access(code=code, target=target, address=address)

        async def work() -> dict[str, Any]:
            whom = find(access.over(self._file), self.site.others())
            use = CodeUse(self.site, self.id, whom.password, self._entropy_for(whom), self._ports, self._tell)
            fetched = await use.fetch(whom.address, self._patience)
            pending = fetched.pending.hex()
            return {**_dataset_document(fetched.active), **({"pending_dataset": pending} if pending else {})}

        return await self._document(work)

    @verb("power-off")
    async def _do_power_off(self) -> None:
        """Gone without a word: the Border Agent learns it by its own watchdog."""
        if self._is_on:
            self._is_on = False
            await self.stop(quietly=True)
            self.emit(StateChanged(state=self.state, reason="power-off"))

    @verb("power-on")
    async def _do_power_on(self) -> None:
        """Back, without a connection."""
        if not self._is_on:
            self._is_on = True
            self.emit(StateChanged(state=self.state, reason="power-on"))

    @property
    def _session_id(self) -> int | None:
        return None if self._session is None else self._session.engine.session_id


def _access(
    target: str, address: str, pskc: str, passphrase: str, network_name: str, ext_pan_id: str, code: str
) -> Access:
    return Access(
        target=target,
        address=address,
        pskc=pskc,
        passphrase=passphrase,
        network_name=network_name,
        ext_pan_id=ext_pan_id,
        code=code,
    )


def _joiner(joiner: str, pskd: str, qr: str) -> tuple[JoinerId, str]:
    """Whom to let in, and the PSKd. Raises UsageError."""
    if qr:
        try:
            eui64, secret = parse_qr_payload(qr)
        except DecodeError as problem:
            raise UsageError(f"qr: {problem.reason}") from None
        return JoinerId(eui64=eui64), secret
    if not pskd:
        raise UsageError("enable-joiner needs the joiner's PSKd, or its QR payload")
    return _who(joiner), pskd


def _who(joiner: str) -> JoinerId:
    try:
        return JoinerId.parse("*" if joiner in ("any", "*") else joiner.replace(":", ""))
    except DecodeError as problem:
        raise UsageError(f"joiner: {problem.reason}; or any") from None


def _readable(tlvs: bytes) -> Dataset | None:
    try:
        return Dataset.decode(tlvs) if tlvs else None
    except DecodeError:
        return None


def _dataset_document(tlvs: bytes) -> dict[str, Any]:
    dataset = _readable(tlvs)
    return {
        "network_name": None if dataset is None else dataset.network_name,
        "ext_pan_id": dataset.ext_pan_id.hex() if dataset is not None and dataset.ext_pan_id else None,
        "dataset": tlvs.hex(),
    }


def _commissioner_document(event: CommissionerDatasetReceived) -> dict[str, Any]:
    steering = event.steering_data
    return {
        "kind": "commissioner",
        "session_id": event.session_id,
        "border_agent_locator": event.border_agent_locator,
        "steering_data": None if steering is None else steering.hex(),
        "joiner_udp_port": event.joiner_udp_port,
    }
