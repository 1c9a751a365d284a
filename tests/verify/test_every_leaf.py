"""Every format: a file in which any one leaf is altered, or any one member is gone, no longer passes.

What may differ all the same is listed by name: text for people, and inputs, of which another value is as good.
"""

import copy
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.verify.replay import Format, all_formats, replay_document

VECTORS = Path(__file__).parents[1] / "vectors"
Place = tuple[str | int, ...]
OUTCOMES = {"pairing_result", "bootstrap_completed", "ndp_connected", "ndp_disconnected"}


@dataclass(frozen=True)
class Freedom:
    """What a checker lets differ: patterns of places, in which `*` is any one step and `**` all that follow."""

    text: tuple[str, ...] = ()
    """For people, may be altered and left out."""
    altered: tuple[str, ...] = ()
    """Inputs of which another value is as good."""
    gone: tuple[str, ...] = ()
    """Members that may be left out, and cases of a list."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.text, *self.altered, *self.gone)

    def covers(self, place: Place, *, is_gone: bool) -> bool:
        """Whether a difference there is nobody's business."""
        return any(fits(place, each) for each in (*self.text, *(self.gone if is_gone else self.altered)))


FREE: Mapping[str, Freedom] = {
    "bonjour_bitmaps": Freedom(text=("format", "about"), gone=("bitmaps.*",)),
    "bonjour_brands": Freedom(text=("format", "about")),
    "bonjour_record": Freedom(
        text=("format", "name", "kind", "source", "decoded.v??.text"),  # what a vendor's own keys mean is not known
        altered=("type", "port", "server", "instance"),
        gone=("port", "server", "instance"),
    ),
    "tcat_advert_lifecycle": Freedom(text=("source",), gone=("steps.*", "steps.*.events.*")),
    "tcat_adverts": Freedom(text=("source", "note", "rows.*.when"), gone=("rows.*",)),
    "tcat_certificates": Freedom(text=("source",), gone=("certificates.*",)),
    "tcat_exchange": Freedom(
        text=("source", "scenario", "tls.**", "exchanges.*.effect"),
        # What a run did not depend on: secrets that nobody proved, answers that nobody asked for.
        altered=("device.**",),
        gone=("exchanges.*", "device.**"),
    ),
    "tcat_odd_requests": Freedom(
        text=("source", "note", "rows.*.note"),
        altered=("device.**", "rows.*.request", "rows.*.nextPing.request"),  # whatever comes, the device may wait
        gone=("rows.*", "device.**"),
    ),
    "tcat_proofs": Freedom(text=("source", "formula"), gone=("rows.*",)),
    "tcat_tls": Freedom(text=("source", "deviceChunkBytes.**"), gone=("refusals.*",)),
    "thread_commissioner": Freedom(
        text=(
            *("name", "description", "peers", "note", "border_agent.note", "recomputed_independently.**"),
            *("inner_joiner_dtls.recomputed_independently.**", "peer_behaviours.**", "active_dataset"),
        ),
        # A state that a run did not depend on, and the exact moment of an event.
        altered=("datagrams.*.t", "border_agent.*", "border_agent.events.*.before_datagram"),
        # Without a border agent it is a connection with anybody; without a URL the joiner may have any.
        gone=("datagrams.*.t", "border_agent.events", "border_agent", "commissioner_admits.provisioning_url"),
    ),
    "thread_datasets": Freedom(
        text=(
            *("vectors.*.name", "vectors.*.description"),
            *("vectors.*.openthread_text.**", "vectors.*.openthread_returns_same_bytes"),
        ),
        altered=("vectors.*.kind",),
        gone=("vectors.*",),
    ),
    "thread_datasets_malformed": Freedom(
        text=("note", "vectors.*.name", "vectors.*.description"),
        altered=("vectors.*.hex",),
        gone=("vectors.*",),
    ),
    "thread_dtls": Freedom(
        text=(
            *("name", "description", "peers", "recomputed_independently.**", "client_exit_code", "client_error.**"),
            *(
                "server_error_first.**",
                "client_password_utf8",
                "server_password_utf8",
                "records_under_server_keys.*.note",
            ),
        ),
        altered=("datagrams.*.t", "client_options.*", "server_options.*", "hello_inputs.hello_verify_version"),
        gone=("datagrams.*.t", "datagrams.*.lost", "client_options.*", "server_options.*"),
    ),
    "thread_mdns": Freedom(
        text=("description",),
        altered=("records.*.ttl", "records.*.priority_weight_port.*"),
        gone=("records.*",),
    ),
    "thread_mgmt_verdicts": Freedom(
        text=("description", "exchanges.*.case"),
        altered=(
            *("initial_active_dataset", "exchanges.*.request_tlvs", "exchanges.*.path", "exchanges.*.after_event"),
            "exchanges.*.live.*",
        ),
        gone=("exchanges.*", "exchanges.*.live", "exchanges.*.live.*"),
    ),
    "thread_pskc": Freedom(
        text=("algorithm", "vectors.*.openthread_cli_agrees"),
        gone=(
            "vectors.*",
            *(f"vectors.*.{name}{form}" for name in ("passphrase", "network_name") for form in ("", "_hex")),
        ),
    ),
    "thread_steering_data": Freedom(
        text=("rule", "vectors.*.description"),
        altered=("vectors.*.steering_data",),
        gone=("vectors.*",),
    ),
    "thread_verhoeff": Freedom(
        text=("note", "vectors.*.mutation", "vectors.*.openthread_validate"),
        altered=("vectors.*.code",),
        gone=("vectors.*",),
    ),
    "wifi_aware_beacons": Freedom(text=("source",), altered=("beacons.*.name",), gone=("beacons.*",)),
    "wifi_aware_capture": Freedom(
        text=("id", "description", "frame_format"),
        altered=("flow", "frames.*.t_ms", "parameters.*", "*.keys.own_ndi"),
        gone=("parameters.*",),
    ),
    "wifi_aware_kats": Freedom(
        text=("source", "kats.*.note"), altered=("kats.*.bloom_index",), gone=("kats.*", "kats.*.bloom_index")
    ),
}
"""By format. A list with one case less is a good list."""
UNSENT = {"ndp_wrong_passphrase_01": Freedom(altered=("responder.random_draws.1",))}
"""By file: a nonce that is drawn and never sent."""
SAMPLES = {
    "bonjour_record": ("otbr-2026-leader", "google-nest-hub-abed"),
    "tcat_exchange": ("exchange-device-cert-as-commissioner", "exchange-factory-commission-flow"),
    "thread_commissioner": ("commissioner_joiner_relay",),
    "thread_dtls": ("dtls_wrong_password", "commissioner_wrong_pskc"),
    "wifi_aware_capture": (
        *("password_protected_128_01", "verification_password_256_01", "ndp_group_keys_128_01"),
        "wrong_password_256_01",
    ),
}
"""Where one file would not show all that a format can hold; else the first."""
QUICK = 25
"""Places of a file that are tried in the fast suite; the slow one tries all of every file."""


# Places.


def places(node: Any, place: Place = ()) -> Iterator[Place]:
    """Every member and entry, at any depth."""
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, each in steps:
        yield (*place, step)
        yield from places(each, (*place, step))


def at(node: Any, place: Place) -> Any:
    """What is there."""
    for step in place:
        node = node[step]
    return node


def fits(place: Place, pattern: str) -> bool:
    """Whether a pattern means that place."""
    parts = pattern.split(".")
    if parts[-1] == "**":
        parts, place = parts[:-1], place[: len(parts) - 1]
    return len(place) == len(parts) and all(map(fnmatchcase, map(str, place), parts))


def is_news(document: Any, place: Place) -> bool:
    """Whether it is of an event of a Wi-Fi Aware device that tells no outcome, or the text of any."""
    if len(place) < 3 or place[0] == "border_agent" or place[1] != "events":
        return False
    return place[-1] == "text" or at(document, place[:3])["name"] not in OUTCOMES


def is_free_end(document: Any, place: Place) -> bool:
    """Whether it is the last frame of an exchange that might as well have ended before it."""
    if place[0] != "frames" or len(place) != 2 or place[1] != len(document["frames"]) - 1:
        return False
    return (
        document["flow"].endswith(("no_authorization", "unsolicited")) or document["frames"][-1]["kind"] == "followup"
    )


def altered(place: Place, value: Any) -> Any:
    """Another value of the same JSON type that means something else."""
    if place[-1] == "openthread_set_active":
        return "Error 7: Parse" if value == "Done" else "Done"
    if value is None:
        return "00"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return int(value) ^ 1
    return ("1" if value[:1] == "0" else "0") + value[1:]


# Survivors.


@cache
def files() -> Mapping[str, Mapping[str, Any]]:
    """The files of each format."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(VECTORS.rglob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for module in all_formats():
            if module.recognises(document):
                found.setdefault(_name(module), {})[path.stem] = document
    return found


def survivors(document: Any, free: Freedom, module: Format, most: int | None) -> set[str]:
    """The differences that pass and should not, of all or of so many places of each kind."""
    assert replay_document(document, all_formats()) is None
    every = list(places(document))
    leaves = [place for place in every if not isinstance(at(document, place), dict | list)]
    found = set()
    for is_gone, those in ((False, leaves), (True, every)):
        judged = [each for each in those if not free.covers(each, is_gone=is_gone) and not is_news(document, each)]
        chosen = judged if most is None else random.Random(1).sample(judged, min(most, len(judged)))
        for place in chosen:
            changed = copy.deepcopy(document)
            parent = at(changed, place[:-1])
            if is_gone:
                if is_free_end(document, place):
                    continue
                del parent[place[-1]]
            else:
                parent[place[-1]] = altered(place, parent[place[-1]])
            if replay_document(changed, all_formats() if is_gone else [module]) is None:
                found.add(f"{'without ' if is_gone else ''}{'.'.join(map(str, place))}")
    return found


def _name(module: Format) -> str:
    return module.__name__.rpartition(".")[2]


MODULES = {_name(module): module for module in all_formats()}
QUICK_CASES = [(name, stem) for name in FREE for stem in SAMPLES.get(name, tuple(files()[name])[:1])]
ALL_CASES = [(name, stem) for name in FREE for stem in files()[name]]


@pytest.mark.parametrize(("name", "stem"), QUICK_CASES)
def test_what_is_altered_or_gone_fails(name: str, stem: str) -> None:
    assert survivors(files()[name][stem], FREE[name], MODULES[name], QUICK) == set()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stem"), ALL_CASES)
def test_whatever_is_altered_or_gone_fails(name: str, stem: str) -> None:
    known = UNSENT.get(stem, Freedom())
    free = replace(FREE[name], altered=(*FREE[name].altered, *known.altered))
    assert survivors(files()[name][stem], free, MODULES[name], None) == set()


@pytest.mark.parametrize("name", MODULES)
def test_every_format_is_tried_and_each_freedom_is_met(name: str) -> None:
    met = {
        pattern
        for document in files()[name].values()
        for place in places(document)
        for pattern in _fitting(name, place)
    }
    assert met == set(FREE[name].patterns)


def _fitting(name: str, place: Place) -> Iterator[str]:
    return (pattern for pattern in FREE[name].patterns if fits(place, pattern))
