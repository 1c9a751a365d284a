"""Random and bent requests at every route: each ends in one answer with a named status, and the node stays sound.

Seeded, in process. The fast suite sends some hundred bodies to each route, the slow one ten thousand.
"""

import json
import random

import pytest

from devices.otbr.messages import METHODS, Answer, parse_query
from pairing.engine import SECOND
from pairing.thread.dataset_rules import openthread_verdict
from tests.support.otbr_node import LEADER_TIME, Client, SteppedNode
from tests.support.thread_network import DATASET

JSON_API = "application/vnd.api+json"
UUID = "00000000-0000-4000-8000-000000000000"

ROUTES = [
    ("PUT", "/node/state"),
    ("PUT", "/node/dataset/active"),
    ("PUT", "/node/dataset/pending"),
    ("DELETE", "/node/dataset/active"),
    ("DELETE", "/node/dataset/pending"),
    ("PUT", "/node/commissioner/state"),
    ("POST", "/node/commissioner/joiner"),
    ("DELETE", "/node/commissioner/joiner"),
    ("PUT", "/node/ba-epskc/state"),
    ("POST", "/node/ba-epskc/key"),
    ("DELETE", "/node/ba-epskc/key"),
    ("DELETE", "/node"),
    ("POST", "/api/actions"),
    ("DELETE", "/api/actions"),
    ("GET", "/api/actions"),
    ("GET", "/api/devices"),
    ("GET", "/api/diagnostics"),
    ("GET", "/api/node"),
    ("GET", f"/api/actions/{UUID}"),
    ("DELETE", "/api/devices/0000000000000000"),
    ("GET", "/node"),
    ("GET", "/node/dataset/active"),
    ("GET", "/node/dataset/pending"),
    ("GET", "/node/leader-data"),
    ("GET", "/.well-known/thread/br-rest"),
    ("OPTIONS", "/api/devices"),
    ("GET", "/nowhere"),
    ("PATCH", "/node"),
]

EXPECTED = {200, 201, 204, 400, 404, 405, 406, 409, 412, 413, 415, 422, 500, 507}
INTERNAL = {"/node/leader-data", "/node/dataset/active", "/node/dataset/pending", "/node/ba-epskc/key"}
"""Where 500 is what the agent itself says of what its stack refuses."""

WORDS = [
    "enable",
    "disable",
    "*",
    "0011223344556677",
    "0xabc/12",
    "J01NME",
    DATASET.hex(),
    "é\u0000",
    "\ud800",
    "",
    "a" * 300,
]
NAMES = [
    *[
        "activeDataset",
        "delay",
        "pendingTimestamp",
        "activeTimestamp",
        "seconds",
        "ticks",
        "authoritative",
        "networkKey",
        "networkName",
    ],
    *[
        "extPanId",
        "meshLocalPrefix",
        "panId",
        "channel",
        "channelMask",
        "pskc",
        "securityPolicy",
        "rotationTime",
        "routers",
        "pskd",
        "eui",
    ],
    *[
        "discerner",
        "joinerId",
        "timeout",
        "lifetime",
        "port",
        "data",
        "type",
        "attributes",
        "destination",
        "destinationType",
        "types",
        "count",
    ],
    *["period", "scanDuration", "maxAge", "maxRetries", "deviceCount"],
]
TYPES = [
    "addThreadDeviceTask",
    "getEnergyScanTask",
    "getNetworkDiagnosticTask",
    "resetNetworkDiagCounterTask",
    "updateDeviceCollectionTask",
]
NUMBERS = [0, 1, -1, 11, 60, 99, 2**16, 2**31, 2**48, 2**64, -(2**63), 1.5, 1e308, -1e308, 10**400]


GOOD: list[dict[str, object]] = [
    {"pskd": "J01NME", "eui": "0011223344556677", "timeout": 60},
    {"pskd": "J01NME", "discerner": "0xabc/12"},
    {"lifetime": 30000, "port": 0},
    {
        "networkName": "Bent",
        "channel": 15,
        "panId": 1,
        "networkKey": "00" * 16,
        "pskc": "11" * 16,
        "extPanId": "22" * 8,
    },
    {"activeTimestamp": {"seconds": 2, "ticks": 1}, "securityPolicy": {"rotationTime": 5}, "channelMask": 134215680},
    {
        "activeDataset": {"channel": 20, "meshLocalPrefix": "fd11::/64"},
        "delay": 60000,
        "pendingTimestamp": {"seconds": 1},
    },
    {"activeDataset": DATASET.hex(), "delay": 1000},
]


def some_value(chance: random.Random, depth: int = 0) -> object:
    """A JSON value made of what the API knows, wrongly put together."""
    kind = chance.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return chance.choice([None, True, False])
    if kind in (1, 2):
        return chance.choice(NUMBERS)
    if kind in (3, 4, 5):
        return chance.choice([*WORDS, *TYPES, chance.randbytes(chance.choice([2, 8, 16])).hex()])
    if kind == 6:
        return [some_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(NAMES): some_value(chance, depth + 1) for _ in range(chance.randrange(6))}


def some_tasks(chance: random.Random) -> dict[str, object]:
    """A document that nearly is one of tasks."""
    attributes = {name: some_value(chance, 3) for name in chance.sample(NAMES, 12)}
    good = {"destination": "f" * 16, "types": ["macCounters"], "timeout": 5, "count": 2, "period": 5, "scanDuration": 5}
    task = {"type": chance.choice(TYPES), "attributes": {**attributes, **(good if chance.random() < 0.6 else {})}}
    return {"data": [task] * chance.randrange(3)}


def bent_document(chance: random.Random) -> dict[str, object]:
    """A document that a route takes, with one member made something else, perhaps."""
    document: dict[str, object] = dict(chance.choice(GOOD))
    if chance.random() < 0.8:
        document[chance.choice(sorted(document))] = some_value(chance)
    return document


def some_body(chance: random.Random) -> bytes:
    """Nothing, noise, JSON of the right words, bent JSON, or hexadecimal."""
    kind = chance.randrange(8)
    if kind == 0:
        return chance.randbytes(chance.randrange(80))
    if kind == 1:
        return chance.randbytes(chance.randrange(160)).hex().encode()
    if kind == 2:
        return DATASET.hex().encode()[: chance.randrange(300)]
    if kind == 3:
        return chance.choice(
            [b"", b"[" * 3000, b"{" * 300, b'"', b"\xef\xbb\xbf{}", b"1" * 5000, b"NaN", b"-", b"\x00"]
        )
    document = some_tasks(chance) if kind == 4 else bent_document(chance) if kind == 7 else some_value(chance)
    text = bytearray(json.dumps(document, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass"))
    if kind == 5 and text:
        text[chance.randrange(len(text))] = chance.randrange(256)
    if kind == 6:
        del text[chance.randrange(len(text) + 1) :]
    return bytes(text)


def some_headers(chance: random.Random) -> dict[str, str]:
    """Media types, right and wrong, and now and then a header that does not belong."""
    headers: dict[str, str] = {}
    if chance.random() < 0.9:
        headers["content_type"] = chance.choice([JSON_API, "application/json", "text/plain", "text/plain; a=b", ""])
    if chance.random() < 0.9:
        headers["accept"] = chance.choice(["*/*", JSON_API, "application/json", "text/plain", "a, b"])
    if chance.random() < 0.2:
        headers["if_none_match"] = chance.choice(["*", '"x"'])
    if chance.random() < 0.1:
        headers["x"] = chance.choice(["~", "%", "%zz", "\u00ff", "%41"])
    return headers


def some_query(chance: random.Random) -> str:
    """Mostly none; else sparse fields and nonsense."""
    if chance.random() < 0.7:
        return ""
    return "?" + chance.choice(
        ["fields[threadBorderRouter]=role", "fields[", "fields[]=", "&&&", "a=%ff", "fields[x]=a.b.c,,", "=" * 20, "%"]
    )


def make_client(chance: random.Random) -> Client:
    """A router in one of its states."""
    client = Client(SteppedNode(DATASET if chance.random() < 0.7 else None, seed=chance.randrange(1000)))
    if chance.random() < 0.6:
        client.ask("PUT", "/node/state", '"enable"')
        client.node.advance(LEADER_TIME)
        if chance.random() < 0.5:
            client.ask("PUT", "/node/commissioner/state", '"enable"')
            client.node.advance(SECOND)
    return client


def assert_sound(answer: Answer, path: str) -> None:
    assert answer.status in EXPECTED
    assert answer.status != 500 or path in INTERNAL
    assert bool(answer.body) is bool(answer.content_type)
    if answer.status >= 300:
        error = json.loads(answer.body)
        assert error.keys() == {"title", "status", "detail"}
        assert error["status"] == answer.status
    elif answer.content_type.endswith("json"):
        json.loads(answer.body)


def assert_node_is_sound(client: Client) -> None:
    network = client.node.engine.network
    for dataset in (network.active_dataset, network.pending_dataset(client.node.now())):
        assert dataset is None or openthread_verdict(dataset.encode()).accepted
    assert client.ask("GET", "/node").status == 200
    assert client.ask("GET", "/api/actions", accept="*/*").status == 200
    for kind in ("active", "pending"):
        assert client.ask("GET", f"/node/dataset/{kind}").status in (200, 204)
    client.node.advance(chosen_pause(client))


def chosen_pause(client: Client) -> int:
    """Up to the next deadline, a minute at most: what was accepted must also run."""
    deadline = client.node.engine.deadline
    return 60 * SECOND if deadline is None else max(0, min(60 * SECOND, deadline - client.node.now()))


def bombard(method: str, path: str, count: int) -> None:
    chance = random.Random(f"{method} {path}")
    client = make_client(chance)
    for number in range(count):
        if number % 100 == 99:
            assert_node_is_sound(client)
            client = make_client(chance)
        body, headers = some_body(chance), some_headers(chance)
        assert_sound(client.ask(method, path + some_query(chance), body, **headers), path)
    assert_node_is_sound(client)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_random_requests_get_named_answers(method: str, path: str) -> None:
    bombard(method, path, 300)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_ten_thousand_random_requests_get_named_answers(method: str, path: str) -> None:
    bombard(method, path, 10_000)


def test_random_methods_and_paths_get_named_answers() -> None:
    chance = random.Random(7)
    client = make_client(chance)
    paths = [path for _, path in ROUTES]
    for _ in range(2000):
        path = list(chance.choice(paths))
        for _ in range(chance.randrange(3)):
            path[chance.randrange(len(path)) :] = chance.choice(["", "/", "\u00e9", "%2f", "..", "?", "\x00"])
            path.append("/")
        target = "".join(path)
        method = chance.choice([*METHODS, "HEAD", "X", ""])
        answer = client.ask(method, target, some_body(chance), **some_headers(chance))
        assert_sound(answer, target.partition("?")[0])


@pytest.mark.parametrize(
    "query", ["", "&", "=", "a", "a=b=c", "%", "%ff", "\u00e9", "fields[a]=b&fields[a]=c", "&" * 500]
)
def test_any_query_string_parses(query: str) -> None:
    assert all(len(parameter) == 2 for parameter in parse_query(query))
