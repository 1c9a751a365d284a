"""`pairlab phone`: the Wi-Fi Aware side of an emulated phone from a shell, against a running home.

Every command tells the phone a verb through the home's control API and prints how it ended; exit code 1 is a refusal.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from devices.cli import output
from devices.cli.control_client import DEFAULT_URL, URL_VARIABLE, ControlClient
from devices.errors import EmulatorError, UsageError

app = typer.Typer(help="A phone of a running home: find, pair with and open Wi-Fi Aware devices.", no_args_is_help=True)
devices_app = typer.Typer(help="The paired devices of the phone's app.", invoke_without_command=True)
app.add_typer(devices_app, name="devices")

UrlOption = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help=f"The home's control API. (default: {URL_VARIABLE}, {DEFAULT_URL})"),
]
PhoneOption = Annotated[str | None, typer.Option("--phone", metavar="ID", help="Which phone. (default: the first)")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]
ServiceOption = Annotated[
    str,
    typer.Option(
        "--service", metavar="NAME", help="The service, such as _camera._udp. (default: what the home publishes)"
    ),
]
WithinOption = Annotated[
    float | None, typer.Option("--within", min=0, max=3600, metavar="S", help="How many seconds to look for it.")
]
TargetArgument = Annotated[
    str,
    typer.Argument(
        metavar="[DEVICE]", help="An accessory's id, a name, a model, a service ID or a paired device's id."
    ),
]


class _Phone:
    """One phone of the running home, by its verbs."""

    def __init__(self, url: str | None, phone: str | None) -> None:
        self.client = ControlClient(url)
        self.id = phone or self.client.first_phone()

    def do(self, verb: str, **arguments: Any) -> Any:
        """Tell it a verb; what is None or empty is left out."""
        body = {name: value for name, value in arguments.items() if value not in (None, "")}
        return self.client.post("v1", "phones", self.id, "actions", verb, body=body)["value"]

    def knows(self, target: str) -> bool:
        """Whether a word names an accessory of the home or a paired device, in view or not."""
        words = {str(each[what]) for each in self.client.get("v1", "accessories") for what in ("id", "name")}
        for device in self.do("devices")["value"] or ():
            words |= {str(device["id"]), str(device["name"] or "")}
        return not target or target.casefold() in {each.casefold() for each in words}

    def options(self) -> str:
        """What has to be typed again to mean this phone."""
        return "" if self.id == self.client.first_phone() else f" --phone {self.id}"


@app.command()
def browse(
    service: Annotated[
        str, typer.Argument(metavar="[SERVICE]", help="Such as _camera._udp; without, whatever is there.")
    ] = "*",
    seconds: Annotated[float, typer.Option(min=0, max=600, help="How long to look.")] = 2.0,
    url: UrlOption = None,
    phone: PhoneOption = None,
    json: JsonOption = False,
) -> None:
    """Which devices publish a service, and which of them can be paired with now."""
    chosen = _Phone(url, phone)
    found = _finished(chosen.do("browse", service=service, within=f"{seconds:g}s"), json=json)
    if json:
        return
    if not found:
        output.warn(f"nobody publishes {'anything' if service == '*' else service} within {seconds:g} s")
    for number, device in enumerate(found):
        if number:
            output.say()
        output.say(_name(device))
        output.rows(_found_lines(device, chosen), indent="  ")


@app.command()
def pick(
    target: TargetArgument = "",
    service: ServiceOption = "",
    name: Annotated[str, typer.Option(help="Its pairing name.")] = "",
    model: Annotated[str, typer.Option(help="Its model.")] = "",
    service_id: Annotated[str, typer.Option(metavar="HEX", help="Its service ID.")] = "",
    within: WithinOption = None,
    url: UrlOption = None,
    phone: PhoneOption = None,
    json: JsonOption = False,
) -> None:
    """Choose a device that is open for pairing; the next `pair` without a device takes it."""
    chosen = _Phone(url, phone)
    picked = chosen.do(
        "pick",
        target=target,
        service=service,
        name=name,
        model=model,
        service_id=service_id,
        within=_duration(within),
    )
    device = _finished(picked, json=json, phone=chosen, target=target)
    if not json:
        output.say(f"picked {_name(device)}; next: pairlab phone pair{_code_hint(device)}{chosen.options()}")


@app.command()
def pair(
    target: TargetArgument = "",
    code: Annotated[
        str | None,
        typer.Option(
            metavar="CODE|-", help="What the device shows; - reads it from stdin. (default: as the phone's `code` says)"
        ),
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="pin, passphrase, qr, nfc or opportunistic. (default: the first that both have)")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call it.")] = "",
    service: ServiceOption = "",
    within: WithinOption = None,
    url: UrlOption = None,
    phone: PhoneOption = None,
    json: JsonOption = False,
) -> None:
    """Pair with a device and wait for the end."""
    chosen = _Phone(url, phone)
    typed = _code(code, chosen, target, method)
    ended = chosen.do(
        "pair",
        target=target,
        code=typed,
        method=method,
        name=name,
        service=service,
        within=_duration(within),
        wait=True,
    )
    value = _finished(ended, json=json, phone=chosen, target=target)
    if json:
        return
    device = value["device"]
    whom = value["accessory"] or value["peer"]
    if device is None:
        output.say(f"paired with {whom} for now; one of the two does not remember pairings")
    else:
        output.say(f"paired with {device['name'] or whom}, device {device['id']}")
    output.say(f"next: pairlab phone open {whom}{chosen.options()}")


@app.command()
def verify(
    target: TargetArgument = "",
    service: ServiceOption = "",
    within: WithinOption = None,
    url: UrlOption = None,
    phone: PhoneOption = None,
    json: JsonOption = False,
) -> None:
    """Bring a pairing into force again, under fresh keys."""
    chosen = _Phone(url, phone)
    ended = chosen.do("verify", target=target, service=service, within=_duration(within), wait=True)
    value = _finished(ended, json=json, phone=chosen, target=target)
    if not json:
        output.say(f"verified {value['device']['name'] or value['peer']}")


@app.command(name="open")
def open_(
    target: TargetArgument = "",
    security: Annotated[
        str, typer.Option(help="paired, open, passphrase or pmk; what a platform refuses, it says.")
    ] = "paired",
    passphrase: Annotated[str | None, typer.Option(help="For --security passphrase.")] = None,
    pmk: Annotated[str | None, typer.Option(metavar="HEX", help="For --security pmk: 32 octets.")] = None,
    service: ServiceOption = "",
    within: WithinOption = None,
    url: UrlOption = None,
    phone: PhoneOption = None,
    json: JsonOption = False,
) -> None:
    """Open a data path to a device, and print where it is reached over it."""
    chosen = _Phone(url, phone)
    opened = chosen.do(
        "open",
        target=target,
        security=security,
        passphrase=passphrase,
        pmk=pmk,
        service=service,
        within=_duration(within),
    )
    value = _finished(opened, json=json, phone=chosen, target=target)
    if json:
        return
    output.rows([("session", value["session"]), ("security", value["security"]), *value["endpoints"].items()])
    if not value["endpoints"]:
        output.warn("nothing of it can be reached from here: the device is foreign, or serves nothing")
    elif "http" in value["endpoints"]:
        output.say(f"next: curl {value['endpoints']['http']}")


@app.command()
def close(
    target: Annotated[str, typer.Argument(metavar="[SESSION|DEVICE]", help="Default: the newest.")] = "",
    url: UrlOption = None,
    phone: PhoneOption = None,
) -> None:
    """End a data path; its endpoints refuse everyone from then on."""
    _Phone(url, phone).do("close", target=target)
    output.say("closed")


@app.command()
def cancel(target: TargetArgument = "", url: UrlOption = None, phone: PhoneOption = None) -> None:
    """Give up a pairing that is under way."""
    _Phone(url, phone).do("cancel", target=target)
    output.say("cancelled")


@devices_app.callback()
def devices(context: typer.Context, url: UrlOption = None, phone: PhoneOption = None, json: JsonOption = False) -> None:
    """The paired devices of the phone's app; without a command, list them."""
    if context.invoked_subcommand is None:
        _list(_Phone(url, phone), json=json)


@devices_app.command(name="list")
def list_(url: UrlOption = None, phone: PhoneOption = None, json: JsonOption = False) -> None:
    """The paired devices."""
    _list(_Phone(url, phone), json=json)


@devices_app.command()
def rename(
    device: Annotated[str, typer.Argument(help="Its id or name.")],
    name: Annotated[str, typer.Argument(help="What to call it.")],
    url: UrlOption = None,
    phone: PhoneOption = None,
    json: JsonOption = False,
) -> None:
    """Call a paired device otherwise."""
    chosen = _Phone(url, phone)
    _finished(chosen.do("devices", action="rename", device=device, name=name), json=json)
    if not json:
        output.say(f"{device} is called {name} now")


@devices_app.command()
def remove(
    device: Annotated[str, typer.Argument(help="Its id or name.")],
    url: UrlOption = None,
    phone: PhoneOption = None,
    json: JsonOption = False,
) -> None:
    """Forget a paired device, as in the phone's settings; its data paths end."""
    chosen = _Phone(url, phone)
    _finished(chosen.do("devices", action="remove", device=device), json=json)
    if not json:
        output.say(f"removed {device}")


def _list(phone: _Phone, *, json: bool) -> None:
    found = _finished(phone.do("devices"), json=json)
    if json:
        return
    if not found:
        output.warn(f"no paired devices; next: pairlab phone browse{phone.options()}")
    for number, device in enumerate(found):
        if number:
            output.say()
        output.say(device["name"] or device["id"])
        info = device["pairing_info"] or {}
        known = [("id", device["id"]), ("service", device["service"] or "")]
        output.rows([*known, *((what.replace("_", " "), text) for what, text in info.items() if text)], indent="  ")


def _finished(document: Mapping[str, Any], *, json: bool, phone: _Phone | None = None, target: str = "") -> Any:
    """The value of a verb's document; a refusal is printed and ends the command: wrong usage if nobody is called so."""
    if json:
        output.emit(document)
    if document["outcome"] != "refused":
        return document["value"]
    if not json:
        output.rows(_refusal_lines(document))
    if phone is not None and document["verdict"]["rule"] == "in-view" and not phone.knows(target):
        raise UsageError(f"nobody is called {target!r}; next: pairlab phone browse{phone.options()}")
    raise typer.Exit(EmulatorError.exit_code)


def _refusal_lines(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    verdict, platform = document["verdict"], document["platform"]
    yield "refused", verdict["rule"]
    for member in ("expected", "came", "symptom", "hint"):
        if verdict[member]:
            yield member, verdict[member]
    if platform["case"] is not None:
        code = "" if platform["code"] is None else f" ({platform['code']})"
        yield "the app sees", f"{platform['domain']} {platform['case']}{code}"


def _found_lines(device: Mapping[str, Any], phone: _Phone) -> Iterator[tuple[str, str]]:
    yield "service", f"{device['service']} ({device['service_id']})"
    yield "address", device["peer"]
    info = device["pairing_info"] or {}
    made = " ".join(filter(None, (info.get("vendor_name"), info.get("model_name"))))
    if made:
        yield "model", made
    whom = device["accessory"] or device["peer"]
    if device["paired_device"] is not None:
        yield "paired", f"device {device['paired_device']}; next: pairlab phone open {whom}{phone.options()}"
    elif device["pairing_open"]:
        methods = ", ".join(device["methods"])
        yield "pairing", f"open ({methods}); next: pairlab phone pair {whom}{_code_hint(device)}{phone.options()}"
    else:
        yield "pairing", "closed"


def _code_hint(device: Mapping[str, Any]) -> str:
    return "" if "opportunistic" in device["methods"] else " --code CODE"


def _name(device: Mapping[str, Any]) -> str:
    info = device["pairing_info"] or {}
    return str(info.get("pairing_name") or device["accessory"] or device["peer"])


def _code(given: str | None, phone: _Phone, target: str, method: str | None) -> str | None:
    """The code that is typed; None leaves it to the phone's user, who is asked for it where he types nothing."""
    if given == "-":
        given = sys.stdin.readline().strip()
    if given == "":
        raise UsageError("the code is empty")
    if given is not None or method == "opportunistic":
        return given
    if phone.client.get("v1", "phones", phone.id)["code"] != "none":
        return None
    if not sys.stdin.isatty():
        raise UsageError('this phone\'s user types no code by itself (code = "none"): give --code')
    return str(typer.prompt(f"The code that {target or 'the device'} shows"))


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:g}s"
