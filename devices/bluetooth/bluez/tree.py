"""Objects on the bus: interfaces with properties and methods, and the signals that tell of them.

One task writes, since dbus-fast closes a connection on which two messages are half sent. What belongs to a client
(discovery, agents, adverts, subscriptions) is dropped when its name goes. Clients have objects, too: they are asked,
and watched for what they tell of themselves.
Source: D-Bus Specification 0.43, "Standard Interfaces".
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

from dbus_fast import BusType, Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus

_PROPERTIES = "org.freedesktop.DBus.Properties"
_MANAGER = "org.freedesktop.DBus.ObjectManager"
_INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
_PEER = "org.freedesktop.DBus.Peer"
_BUS, _BUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
_SEND_BUFFER = 4 << 20
_GOODBYE_S = 1
_PATIENCE_S = 10
"""How long a client may take over its answer."""
ERRORS = "org.bluez.Error"


class BusError(Exception):
    """An error that is answered: `org.bluez.Error.Failed` and its text."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name if "." in name else f"{ERRORS}.{name}"
        self.text = text


def option(options: Mapping[str, Variant], name: str, signature: str, default: Any) -> Any:
    """An entry of a dictionary that a client gave, or the default. Raises BusError where it is of another type."""
    given = options.get(name)
    if given is None:
        return default
    if given.signature != signature:
        raise BusError("InvalidArguments", f"{name} has the signature {signature!r}, not {given.signature!r}")
    return given.value


@dataclass(frozen=True, slots=True)
class Call:
    """One method call."""

    sender: str
    path: str
    body: Sequence[Any]
    message: Message


Handle = Callable[[Call], Awaitable[Sequence[Any]]]
Write = Callable[[Any], Any]
"""Takes the value that a client sets; returns what is kept instead, or None."""
Changed = Callable[[str, Mapping[str, Variant]], None]
"""Takes an interface of a client's object and those of its properties that have changed."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method with its signatures."""

    takes: str
    gives: str
    handle: Handle


@dataclass(slots=True)
class Interface:
    """One interface of one object. `writers` are the properties that clients may set."""

    name: str
    properties: dict[str, Variant] = field(default_factory=dict)
    methods: Mapping[str, Method] = field(default_factory=dict)
    writers: Mapping[str, Write] = field(default_factory=dict)


class Tree:
    """All objects of one connection that owns one well-known name."""

    def __init__(self, bus: MessageBus, name: str) -> None:
        self.bus = bus
        self._name = name
        self._objects: dict[str, dict[str, Interface]] = {}
        self._outbox: asyncio.Queue[tuple[Message, tuple[int, ...]]] = asyncio.Queue()
        self._writer = asyncio.ensure_future(self._write())
        self._tasks: dict[asyncio.Future[None], str] = {}
        self._replies: dict[int, tuple[str, asyncio.Future[Message]]] = {}
        self._watched: dict[tuple[str, str], list[Changed]] = {}
        self.on_client_gone: list[Callable[[str], None]] = []
        self.on_objects_removed: list[Callable[[str, str, Sequence[str]], None]] = []
        """Called with a client, a path and interfaces that are no longer there."""

    @classmethod
    async def open(cls, address: str, name: str) -> "Tree":
        """Connect, and own the name."""
        bus = await MessageBus(bus_address=address, bus_type=BusType.SYSTEM, negotiate_unix_fd=True).connect()
        if bus._sock is not None:
            bus._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        tree = cls(bus, name)
        bus.add_message_handler(tree._on_message)
        await bus.call(
            Message(
                destination=_BUS,
                path=_BUS_PATH,
                interface=_BUS,
                member="AddMatch",
                signature="s",
                body=["type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"],
            )
        )
        await bus.request_name(name)
        return tree

    async def close(self) -> None:
        """Say what is still to be said, and leave the bus."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._outbox.join(), _GOODBYE_S)
        for task in (*self._tasks, self._writer):
            task.cancel()
        await asyncio.gather(*self._tasks, self._writer, return_exceptions=True)
        self.bus.disconnect()

    # Objects

    def add(self, path: str, *interfaces: Interface) -> None:
        """A new object, and the signal that tells of it."""
        self._objects[path] = {each.name: each for each in interfaces}
        shown = {each.name: dict(each.properties) for each in interfaces}
        self._signal("/", _MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, shown])

    def remove(self, path: str) -> None:
        """The object is gone, and the signal that tells so."""
        gone = self._objects.pop(path, None)
        if gone is not None:
            self._signal("/", _MANAGER, "InterfacesRemoved", "oas", [path, list(gone)])

    def paths(self) -> list[str]:
        """The objects there are."""
        return list(self._objects)

    def get(self, path: str, interface: str, name: str) -> Any:
        """A property's value; None where there is none."""
        variant = self._objects.get(path, {}).get(interface, Interface("")).properties.get(name)
        return None if variant is None else variant.value

    def put(self, path: str, interface: str, values: Mapping[str, Variant], *, always: Sequence[str] = ()) -> None:
        """Set properties; those that changed are told, and those named `always` in any case."""
        found = self._objects.get(path, {}).get(interface)
        if found is None:
            return
        changed = {
            name: value for name, value in values.items() if name in always or found.properties.get(name) != value
        }
        found.properties.update(changed)
        if changed:
            self._signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, changed, []])

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        self._outbox.put_nowait((Message.new_signal(path, interface, member, signature, body), ()))

    # Messages

    async def ask(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
        *,
        patience_s: float = _PATIENCE_S,
    ) -> Message:
        """Call a client's object: its reply. Raises BusError, also where none comes in time."""
        message = Message(
            destination=destination, path=path, interface=interface, member=member, signature=signature, body=list(body)
        )
        message.serial = self.bus.next_serial()
        reply: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._replies[message.serial] = destination, reply
        self._outbox.put_nowait((message, ()))
        try:
            answer = await asyncio.wait_for(reply, patience_s)
        except TimeoutError:
            text = f"{member} of {path} was not answered in {patience_s:g} s"
            raise BusError("org.freedesktop.DBus.Error.NoReply", text) from None
        finally:
            self._replies.pop(message.serial, None)
        if answer.message_type is MessageType.ERROR:
            raise BusError(answer.error_name or "Failed", str(answer.body[0]) if answer.body else "")
        return answer

    async def call(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: Sequence[Any] = (),
        *,
        gives: str | None = None,
        patience_s: float = _PATIENCE_S,
    ) -> Any:
        """Call a client's object: the first value of its reply, which has the signature `gives`. Raises BusError."""
        reply = await self.ask(destination, path, interface, member, signature, body, patience_s=patience_s)
        _close(reply.unix_fds)
        if gives is not None and reply.signature != gives:
            raise BusError("InvalidArguments", f"{member} of {path} answered {reply.signature!r}, expected {gives!r}")
        return reply.body[0] if reply.body else None

    def tell(
        self, destination: str, path: str, interface: str, member: str, signature: str = "", body: Sequence[Any] = ()
    ) -> None:
        """Call a client's object without waiting for an answer."""
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            flags=MessageFlag.NO_REPLY_EXPECTED,
            signature=signature,
            body=list(body),
        )
        self._outbox.put_nowait((message, ()))

    def watch(self, owner: str, path: str, changed: Changed) -> None:
        """Call `changed` when a client tells that properties of its object have changed."""
        if not any(each == owner for each, _ in self._watched):
            self._match("AddMatch", owner)
        self._watched.setdefault((owner, path), []).append(changed)

    def unwatch(self, owner: str, path: str, changed: Changed) -> None:
        """Call it no longer."""
        watching = self._watched.get((owner, path), [])
        if changed in watching:
            watching.remove(changed)
        if watching or self._watched.pop((owner, path), None) is None:
            return
        if not any(each == owner for each, _ in self._watched):
            self._match("RemoveMatch", owner)

    def _match(self, member: str, owner: str) -> None:
        for interface in (_PROPERTIES, _MANAGER):
            rule = f"type='signal',sender='{owner}',interface='{interface}'"
            self.tell(_BUS, _BUS_PATH, _BUS, member, "s", [rule])

    async def _write(self) -> None:
        while True:
            message, fds = await self._outbox.get()
            await self.bus.send(message)
            for each in fds:
                # Ours; the client has its own by now.
                socket.close(each)
            self._outbox.task_done()

    def _on_message(self, message: Message) -> bool | None:
        if message.message_type in (MessageType.METHOD_RETURN, MessageType.ERROR):
            self._on_reply(message)
            return None
        _close(message.unix_fds)  # nothing here takes any
        if message.message_type is MessageType.SIGNAL:
            self._on_signal(message)
            return None
        task = asyncio.ensure_future(self._answer(message))
        self._tasks[task] = message.sender or ""
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return True

    def _on_reply(self, message: Message) -> None:
        asked, reply = self._replies.get(message.reply_serial or 0, ("", None))
        # The bus answers for a client that has gone.
        if reply is None or reply.done() or message.sender not in (asked, _BUS):
            _close(message.unix_fds)
        else:
            reply.set_result(message)

    def _on_signal(self, message: Message) -> None:
        what = message.interface, message.member, message.signature
        owner, path = message.sender or "", message.path or ""
        if what == (_BUS, "NameOwnerChanged", "sss") and owner == _BUS:
            name, _, now = message.body
            if name.startswith(":") and not now:
                self._client_gone(name)
        elif what == (_PROPERTIES, "PropertiesChanged", "sa{sv}as"):
            for changed in tuple(self._watched.get((owner, path), ())):
                changed(message.body[0], message.body[1])
        elif what == (_MANAGER, "InterfacesRemoved", "oas"):
            for removed in tuple(self.on_objects_removed):
                removed(owner, *message.body)

    def _client_gone(self, name: str) -> None:
        for task, sender in tuple(self._tasks.items()):
            if sender == name:
                task.cancel()
        for tell in tuple(self.on_client_gone):
            tell(name)

    async def _answer(self, message: Message) -> None:
        try:
            method, handle = self._find(message)
            values = await handle(Call(message.sender or "", message.path or "", message.body, message))
            reply = Message.new_method_return(message, method.gives)
            fds = tuple(each for each, kind in zip(values, method.gives, strict=False) if kind == "h")
            # A reply carries its descriptors beside it and their places in it.
            reply.body = (
                [fds.index(each) if kind == "h" else each for each, kind in zip(values, method.gives, strict=False)]
                if fds
                else list(values)
            )
            reply.unix_fds = list(fds)
        except BusError as error:
            reply, fds = Message.new_error(message, error.name, error.text), ()
        except Exception as defect:  # ours, and the client must not wait for ever because of it
            reply, fds = Message.new_error(message, f"{ERRORS}.Failed", f"internal: {type(defect).__name__}"), ()
        if not message.flags.value & 1:
            self._outbox.put_nowait((reply, fds))

    def _find(self, message: Message) -> tuple[Method, Handle]:
        standard = {
            (_PROPERTIES, "Get"): Method("ss", "v", self._get),
            (_PROPERTIES, "GetAll"): Method("s", "a{sv}", self._get_all),
            (_PROPERTIES, "Set"): Method("ssv", "", self._set),
            (_MANAGER, "GetManagedObjects"): Method("", "a{oa{sa{sv}}}", self._managed),
            (_INTROSPECTABLE, "Introspect"): Method("", "s", self._introspect),
            (_PEER, "Ping"): Method("", "", self._ping),
        }
        known = standard.get((message.interface or "", message.member or ""))
        if known is not None:
            return _checked(known, message)
        interfaces = self._objects.get(message.path or "")
        if interfaces is None:
            raise BusError(
                "org.freedesktop.DBus.Error.UnknownObject", f"Method {message.member!r} of no object {message.path!r}"
            )
        for each in interfaces.values():
            method = each.methods.get(message.member or "")
            if method is not None and message.interface in (None, each.name):
                return _checked(method, message)
        raise BusError(
            "org.freedesktop.DBus.Error.UnknownMethod",
            f"Method {message.member!r} with signature {message.signature!r} on {message.interface!r} doesn't exist",
        )

    # Standard interfaces

    def _interface(self, call: Call) -> Interface:
        interfaces = self._objects.get(call.path)
        if interfaces is None:
            raise BusError("org.freedesktop.DBus.Error.UnknownObject", f"no object {call.path}")
        found = interfaces.get(call.body[0])
        if found is None:
            raise BusError("org.freedesktop.DBus.Error.UnknownInterface", f"no interface {call.body[0]}")
        return found

    async def _get(self, call: Call) -> Sequence[Any]:
        value = self._interface(call).properties.get(call.body[1])
        if value is None:
            raise BusError("org.freedesktop.DBus.Error.UnknownProperty", f"no property {call.body[1]}")
        return [value]

    async def _get_all(self, call: Call) -> Sequence[Any]:
        return [dict(self._interface(call).properties)]

    async def _set(self, call: Call) -> Sequence[Any]:
        interface, (_, name, value) = self._interface(call), call.body
        write = interface.writers.get(name)
        if write is None:
            raise BusError("org.freedesktop.DBus.Error.PropertyReadOnly", f"{name} cannot be set")
        if value.signature != interface.properties[name].signature:
            raise BusError("InvalidArguments", f"{name} has the signature {interface.properties[name].signature!r}")
        kept = write(value.value)
        self.put(call.path, interface.name, {name: value if kept is None else Variant(value.signature, kept)})
        return []

    async def _managed(self, call: Call) -> Sequence[Any]:
        return [
            {
                path: {each.name: dict(each.properties) for each in interfaces.values()}
                for path, interfaces in self._objects.items()
            }
        ]

    async def _ping(self, call: Call) -> Sequence[Any]:
        return []

    async def _introspect(self, call: Call) -> Sequence[Any]:
        prefix = call.path.rstrip("/") + "/"
        children = dict.fromkeys(
            path.removeprefix(prefix).partition("/")[0] for path in self._objects if path.startswith(prefix)
        )
        interfaces = self._objects.get(call.path, {})
        if not interfaces and not children:
            raise BusError("org.freedesktop.DBus.Error.UnknownObject", f"no object {call.path}")
        lines = [*_STANDARD_XML, *(line for each in interfaces.values() for line in _xml(each))]
        lines += [f"  <node name={quoteattr(child)}/>" for child in children]
        return ["\n".join(["<node>", *lines, "</node>"])]


def _close(fds: Sequence[int]) -> None:
    for each in fds:
        os.close(each)


def _checked(method: Method, message: Message) -> tuple[Method, Handle]:
    if (message.signature or "") != method.takes:
        raise BusError("org.freedesktop.DBus.Error.InvalidArgs", f"{message.member} takes {method.takes!r}")
    return method, method.handle


_STANDARD_XML = (
    f'  <interface name="{_INTROSPECTABLE}"><method name="Introspect"><arg type="s" direction="out"/></method>'
    "</interface>",
    f'  <interface name="{_MANAGER}"><method name="GetManagedObjects"><arg type="a{{oa{{sa{{sv}}}}}}" direction="out"/>'
    '</method><signal name="InterfacesAdded"><arg type="o"/><arg type="a{sa{sv}}"/></signal>'
    '<signal name="InterfacesRemoved"><arg type="o"/><arg type="as"/></signal></interface>',
    f'  <interface name="{_PROPERTIES}"><method name="Get"><arg type="s" direction="in"/><arg type="s" direction="in"/>'
    '<arg type="v" direction="out"/></method><method name="Set"><arg type="s" direction="in"/>'
    '<arg type="s" direction="in"/><arg type="v" direction="in"/></method><method name="GetAll">'
    '<arg type="s" direction="in"/><arg type="a{sv}" direction="out"/></method><signal name="PropertiesChanged">'
    '<arg type="s"/><arg type="a{sv}"/><arg type="as"/></signal></interface>',
)


def _xml(interface: Interface) -> list[str]:
    lines = [f"  <interface name={quoteattr(interface.name)}>"]
    for name, method in interface.methods.items():
        arguments = "".join(
            f'<arg type={quoteattr(each)} direction="{way}"/>'
            for way, signature in (("in", method.takes), ("out", method.gives))
            for each in _split(signature)
        )
        lines.append(f"    <method name={quoteattr(name)}>{arguments}</method>")
    for name, value in interface.properties.items():
        access = "readwrite" if name in interface.writers else "read"
        lines.append(f'    <property name={quoteattr(name)} type={quoteattr(value.signature)} access="{access}"/>')
    return [*lines, "  </interface>"]


def _split(signature: str) -> list[str]:
    """Complete types one by one."""
    from dbus_fast import SignatureTree

    return [each.signature for each in SignatureTree(signature).types]
