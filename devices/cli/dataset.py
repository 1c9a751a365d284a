"""`pairlab dataset`: show, judge and make Thread operational datasets.

The rules are `pairing.thread`'s. What a user typed is shown whole, keys too; that is what `show` is for.
"""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from devices.cli import output
from devices.errors import EmulatorError, UsageError

if TYPE_CHECKING:
    from pairing.thread.dataset import Dataset, DatasetKind

app = typer.Typer(help="Show, check and make Thread operational datasets.", no_args_is_help=True)

HexArgument = Annotated[str, typer.Argument(metavar="HEX|-", help="The TLVs as hex digits; - reads them from stdin.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]
PendingOption = Annotated[bool, typer.Option("--pending", help="Judge it as a Pending Dataset.")]


def read_hex(text: str) -> bytes:
    """The bytes of an argument: white space, line ends and a leading 0x pass; `-` is stdin. Raises DecodeError."""
    from pairing.thread.dataset import bytes_from_hex

    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    digits = "".join(text.split())
    return bytes_from_hex(digits[2:] if digits[:2] in ("0x", "0X") else digits)


@app.command()
def show(text: HexArgument, json: JsonOption = False) -> None:
    """Print every field of a dataset, keys too."""
    from pairing.thread.dataset import Dataset

    dataset = Dataset.decode(read_hex(text))
    if json:
        output.emit({"length": dataset.length, "hex": dataset.hex(), "fields": fields(dataset), "tlvs": tlvs(dataset)})
    else:
        output.rows(dataset.for_display())


@app.command()
def check(
    text: HexArgument,
    strict: Annotated[bool, typer.Option("--strict", help="What the specification forbids is a refusal too.")] = False,
    pending: PendingOption = False,
    json: JsonOption = False,
) -> None:
    """Would a Thread device take this dataset? OpenThread's verdict, then what the specification says beyond it."""
    verdict = judge(text, strict=strict, kind="pending" if pending else "active")
    if json:
        output.emit(verdict)
    else:
        _print_verdict(verdict)
    if verdict["verdict"] == "refused":
        raise typer.Exit(EmulatorError.exit_code)


def judge(text: str, *, strict: bool, kind: "DatasetKind") -> dict[str, Any]:
    """The verdict on hex text, with every strict finding beside it."""
    from pairing.errors import DecodeError
    from pairing.thread.dataset_rules import openthread_verdict, strict_findings

    try:
        data = read_hex(text)
    except DecodeError as problem:
        return {
            "verdict": "refused",
            "rule": "not-hex",
            "expected": "two hexadecimal digits a byte",
            "came": problem.reason,
            "offset": problem.offset,
            "findings": [],
        }
    verdict = openthread_verdict(data, kind)
    findings = [finding._asdict() for finding in strict_findings(data, kind)]
    reason = verdict._asdict()
    accepted = reason.pop("accepted")
    if strict and accepted and findings:
        accepted, reason = False, findings[0]
    return {"verdict": "accepted" if accepted else "refused", **reason, "findings": findings}


def _print_verdict(verdict: dict[str, Any]) -> None:
    refused = verdict["verdict"] == "refused"
    if refused:
        output.rows(
            [
                ("verdict", "refused"),
                ("rule", verdict["rule"]),
                ("expected", verdict["expected"]),
                ("came", f"{verdict['came']} (at offset {verdict['offset']})"),
            ]
        )
    else:
        output.rows([("verdict", "accepted")])
    decisive = (verdict["rule"], verdict["offset"]) if refused else None
    for finding in verdict["findings"]:
        if (finding["rule"], finding["offset"]) != decisive:
            output.say(
                f"warning: {finding['rule']}: expected {finding['expected']}, came {finding['came']} "
                f"(at offset {finding['offset']})"
            )


@app.command()
def new(
    name: Annotated[str | None, typer.Option(help="Network name, 1 to 16 bytes.")] = None,
    channel: Annotated[str | None, typer.Option(help="11 to 26.")] = None,
    pan_id: Annotated[str | None, typer.Option(help="A number, such as 0x250b.")] = None,
    ext_pan_id: Annotated[str | None, typer.Option(help="16 hex digits.")] = None,
    network_key: Annotated[str | None, typer.Option(help="32 hex digits.")] = None,
    pskc: Annotated[str | None, typer.Option(help="32 hex digits.")] = None,
    passphrase: Annotated[str | None, typer.Option(help="Derive the PSKc from this commissioner passphrase.")] = None,
    mesh_local_prefix: Annotated[str | None, typer.Option(help="Such as fdb3:60c7:2874:da99::/64.")] = None,
    active_timestamp: Annotated[str | None, typer.Option(help="Seconds; by default 1.")] = None,
    channel_mask: Annotated[str | None, typer.Option(help="Such as 0x07fff800, or the wire form in hex.")] = None,
    security_policy: Annotated[str | None, typer.Option(help="The wire form, such as 02a0f7f8.")] = None,
    wakeup_channel: Annotated[str | None, typer.Option(help="11 to 26, or none to leave it out.")] = None,
    pending_timestamp: Annotated[str | None, typer.Option(help="Seconds; makes a Pending Dataset.")] = None,
    delay_timer_ms: Annotated[str | None, typer.Option(help="Milliseconds until a Pending Dataset applies.")] = None,
    more_tlvs: Annotated[str | None, typer.Option(help="Further TLVs in hex, appended.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draw what is missing from this seed: same seed, same keys.")] = None,
    json: JsonOption = False,
) -> None:
    """Make a complete, valid dataset: what is given is taken, the rest is drawn. Prints hex only."""
    given: dict[str, object] = {
        "network_name": name,
        "channel": channel,
        "pan_id": pan_id,
        "ext_pan_id": ext_pan_id,
        "network_key": network_key,
        "pskc": pskc,
        "passphrase": passphrase,
        "mesh_local_prefix": mesh_local_prefix,
        "active_timestamp": active_timestamp,
        "channel_mask": channel_mask,
        "security_policy": security_policy,
        "wakeup_channel": False if wakeup_channel == "none" else wakeup_channel,
        "pending_timestamp": pending_timestamp,
        "delay_timer_ms": delay_timer_ms,
        "more_tlvs": more_tlvs,
    }
    dataset = make(given, seed)
    if json:
        output.emit({"dataset": dataset.hex(), "seed": seed})
    else:
        output.say(dataset.hex())


def make(given: dict[str, object], seed: int | None) -> "Dataset":
    """A dataset of these fields. Without a seed the rest comes from the operating system, fit for a real network."""
    import os

    from pairing.thread.dataset_forms import DatasetFieldError
    from pairing.thread.dataset_generator import from_fields

    if seed is None:
        entropy = os.urandom
    else:
        from devices.sim.chance import Chance

        entropy = Chance(seed).stream("dataset").randbytes
    try:
        return from_fields(given, entropy)
    except DatasetFieldError as problem:
        option = {"network_name": "name"}.get(problem.field, problem.field).replace("_", "-")
        reason = str(problem).removeprefix(f"{problem.field}: ")
        raise UsageError(f"--{option}: {reason}" if problem.field in given else reason) from None


def fields(dataset: "Dataset") -> dict[str, Any]:
    """The fields that are present, under the names and in the forms that a home file takes; keys included."""
    from pairing.thread.dataset import prefix_text

    policy = dataset.security_policy
    values: dict[str, Any] = {
        "network_name": dataset.network_name,
        "channel": dataset.channel and dataset.channel.channel,
        "wakeup_channel": dataset.wakeup_channel and dataset.wakeup_channel.channel,
        "pan_id": None if dataset.pan_id is None else f"0x{dataset.pan_id:04x}",
        "ext_pan_id": dataset.ext_pan_id and dataset.ext_pan_id.hex(),
        "mesh_local_prefix": dataset.mesh_local_prefix and prefix_text(dataset.mesh_local_prefix),
        "network_key": dataset.network_key and dataset.network_key.hex(),
        "pskc": dataset.pskc and dataset.pskc.hex(),
        "active_timestamp": dataset.active_timestamp and dataset.active_timestamp._asdict(),
        "pending_timestamp": dataset.pending_timestamp and dataset.pending_timestamp._asdict(),
        "delay_timer_ms": dataset.delay_timer_ms,
        "channel_mask": dataset.channel_mask and list(dataset.channel_mask.channels()),
        "security_policy": policy and policy.encode().hex(),
        "more_tlvs": b"".join(tlv.encode() for tlv in dataset.unknown).hex() or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def tlvs(dataset: "Dataset") -> list[dict[str, Any]]:
    """Every TLV in order."""
    return [
        {"type": tlv.type, "name": tlv.name, "length": len(tlv.value), "value": tlv.value.hex()} for tlv in dataset.tlvs
    ]
