"""The `/node…` routes beyond the measured cases: preconditions, merging, odd bodies, headers."""

import json

import pytest

from devices.otbr.messages import Answer
from pairing.engine import SECOND
from pairing.thread.dataset import Dataset
from tests.support.otbr_node import LEADER_TIME, TAKEN_PORT, Client, SteppedNode
from tests.support.thread_network import DATASET

READ_ONLY = [
    "/node/ba-id",
    "/node/ext-address",
    "/node/network-name",
    "/node/ext-panid",
    "/node/rloc",
    "/node/rloc16",
    "/node/num-of-router",
    "/node/leader-data",
    "/node/coprocessor/version",
    "/api/node",
]


def fresh() -> Client:
    return Client(SteppedNode())


def with_dataset() -> Client:
    return Client(SteppedNode(DATASET))


def leader() -> Client:
    client = with_dataset()
    assert client.ask("PUT", "/node/state", '"enable"').status == 200
    client.node.advance(LEADER_TIME)
    assert value(client.ask("GET", "/node/state")) == "leader"
    return client


def commissioner() -> Client:
    client = leader()
    assert client.ask("PUT", "/node/commissioner/state", '"enable"').status == 200
    client.node.advance(SECOND)
    return client


def value(answer: Answer) -> object:
    assert answer.content_type == "application/json"
    return json.loads(answer.body)


def tlvs(client: Client, kind: str = "active") -> Dataset:
    return Dataset.from_hex(client.ask("GET", f"/node/dataset/{kind}", accept="text/plain").body.decode())


@pytest.mark.parametrize("path", READ_ONLY)
def test_options_on_read_only_routes_is_404(path: str) -> None:
    assert fresh().ask("OPTIONS", path).status == 404


@pytest.mark.parametrize("path", ["/diagnostics", "/networks", "/node/coprocessor", "/node/state/", "/Node", "//node"])
def test_paths_that_are_gone_or_not_exact_are_404(path: str) -> None:
    answer = fresh().ask("GET", path)
    assert (answer.status, value(answer)) == (404, {"title": "Not Found", "status": 404, "detail": ""})


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get"])
@pytest.mark.parametrize("path", ["/node", "/nowhere"])
def test_other_methods_are_405_with_allow_on_any_path(method: str, path: str) -> None:
    answer = fresh().ask(method, path)
    assert answer.status == 405
    assert answer.headers == (("Allow", "GET, POST, PUT, DELETE, OPTIONS"),)
    assert json.loads(answer.body)["detail"] == "method not supported"


@pytest.mark.parametrize(
    "path",
    [
        "/node/state",
        "/node/dataset/active",
        "/node/dataset/pending",
        "/node/commissioner/state",
        "/node/commissioner/joiner",
        "/node/ba-epskc/state",
        "/node/ba-epskc/key",
    ],
)
def test_options_on_writable_routes_is_an_empty_200(path: str) -> None:
    assert fresh().ask("OPTIONS", path) == Answer(200)


def test_text_after_a_json_string_is_ignored() -> None:
    client = with_dataset()
    assert client.ask("PUT", "/node/state", '"enable" and more').status == 200
    assert value(client.ask("GET", "/node/state")) == "detached"


def test_enabling_again_drops_to_detached_and_leads_seven_seconds_later() -> None:
    client = leader()
    assert client.ask("PUT", "/node/state", '"enable"').status == 200
    assert value(client.ask("GET", "/node/state")) == "detached"
    client.node.advance(7 * SECOND)
    assert value(client.ask("GET", "/node/state")) == "leader"


def test_names_before_any_dataset() -> None:
    client = fresh()
    assert value(client.ask("GET", "/node/network-name")) == "OpenThread"
    assert value(client.ask("GET", "/node/ext-panid")) == "dead00beef00cafe"
    assert value(client.ask("GET", "/node/num-of-router")) == 0
    assert "routerId" not in json.loads(client.ask("GET", "/node").body)


def test_a_new_dataset_comes_in_the_agents_order_with_a_wakeup_channel_and_updates_move_to_the_end() -> None:
    client = fresh()
    assert client.ask("PUT", "/node/dataset/active", "{}").status == 201
    assert [tlv.type for tlv in tlvs(client).tlvs] == [0x0E, 0, 0x4A, 0x35, 2, 7, 5, 3, 1, 4, 0x0C]
    assert client.ask("PUT", "/node/dataset/active", '{"channel": 12}').status == 200
    assert [tlv.type for tlv in tlvs(client).tlvs] == [0x0E, 0x4A, 0x35, 2, 7, 5, 3, 1, 4, 0x0C, 0]


def test_imported_tlvs_get_a_wakeup_channel_too_and_unknown_ones_stay() -> None:
    client = fresh()
    sent = DATASET.encode() + bytes.fromhex("f1020102")
    assert client.ask("PUT", "/node/dataset/active", sent.hex(), content_type="text/plain").status == 201
    stored = tlvs(client)
    assert 0x4A in stored
    assert stored.value(0xF1) == b"\x01\x02"
    assert stored.without(0x4A).same_tlvs(Dataset.decode(sent))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("zz", 400),
        ("0e08 0000000000010000", 400),
        ("00" * 255, 400),
        ("\u00e9", 400),
        ("0e08", 500),
        ("0e0800000000000100", 500),
        ("000300000", 500),
        ("00030000630003000014", 500),
        ("000300000f000300000f", 500),
        ("0003000063", 500),
        ("", 200),
    ],
)
def test_tlv_bodies(body: str, status: int) -> None:
    client = with_dataset()
    answer = client.ask("PUT", "/node/dataset/active", body, content_type="text/plain")
    assert answer.status == status
    assert tlvs(client) == DATASET


def test_text_plain_with_a_parameter_is_parsed_as_json() -> None:
    client = with_dataset()
    answer = client.ask("PUT", "/node/dataset/active", DATASET.hex(), content_type="text/plain; charset=utf-8")
    assert answer.status == 400


@pytest.mark.parametrize("accept", ["text/plain, */*", "TEXT/PLAIN", "", "*/*", "application/json"])
def test_anything_but_exactly_text_plain_reads_json(accept: str) -> None:
    answer = with_dataset().ask("GET", "/node/dataset/active", accept=accept)
    assert (answer.status, answer.content_type) == (200, "application/json")


def test_tlv_text_is_upper_case() -> None:
    text = with_dataset().ask("GET", "/node/dataset/active", accept="text/plain").body.decode()
    assert text == DATASET.hex().upper()


@pytest.mark.parametrize(
    "body",
    [
        '{"channel": "12", "panId": null, "networkName": 7, "networkKey": [], "securityPolicy": 3, "nope": {}}',
        '{"NetworkName": "PascalCase", "PSKc": "00"}',
        '{"activeTimestamp": null}',
        '{"channelMask": "134215680", "extPanId": false, "pskc": 1, "meshLocalPrefix": {}}',
    ],
)
def test_members_of_another_type_and_unknown_ones_are_ignored(body: str) -> None:
    client = with_dataset()
    assert client.ask("PUT", "/node/dataset/active", body).status == 200
    assert tlvs(client) == DATASET


@pytest.mark.parametrize("body", ['{"channel": 99}', '{"channel": 10}', '{"networkName": "a\\u0007b"}'])
def test_values_that_the_stack_refuses_are_500_and_change_nothing(body: str) -> None:
    client = with_dataset()
    assert client.ask("PUT", "/node/dataset/active", body).status == 500
    assert tlvs(client) == DATASET


@pytest.mark.parametrize(
    "body",
    [
        '{"activeTimestamp": [1]}',
        '{"activeTimestamp": {"ticks": "1"}}',
        '{"meshLocalPrefix": "fd00::%eth0/64"}',
        '{"pskc": "zz"}',
        '{"networkName": "\\ud800"}',
        '{"channel": NaN}',
        '{"networkName": "ééééééééé"}',
        "[" * 5000,
        '{"channel": ' + "9" * 5000 + "}",
        '"text"',
    ],
)
def test_bad_bodies_are_400_and_change_nothing(body: str) -> None:
    client = with_dataset()
    assert client.ask("PUT", "/node/dataset/active", body).status == 400
    assert tlvs(client) == DATASET


def test_a_partial_security_policy_switches_off_what_it_leaves_out() -> None:
    client = with_dataset()
    assert client.ask("PUT", "/node/dataset/active", '{"securityPolicy": {"routers": true}}').status == 200
    policy = json.loads(client.ask("GET", "/node/dataset/active").body)["securityPolicy"]
    assert (policy["rotationTime"], policy["routers"], policy["obtainNetworkKey"]) == (0, True, False)


def test_json_round_trip_of_a_whole_dataset() -> None:
    first, second = with_dataset(), Client(SteppedNode(seed=9))
    body = first.ask("GET", "/node/dataset/active").body
    assert second.ask("PUT", "/node/dataset/active", body).status == 201
    assert tlvs(second).without(0x4A).same_tlvs(DATASET)


def test_the_base_of_a_first_pending_dataset_is_a_random_network_not_the_active_one() -> None:
    client = leader()
    body = '{"activeDataset": {"channel": 20}, "delay": 60000}'
    assert client.ask("PUT", "/node/dataset/pending", body).status == 201
    pending = tlvs(client, "pending")
    assert pending.network_key != DATASET.network_key
    assert pending.ext_pan_id != DATASET.ext_pan_id
    client.node.advance(60 * SECOND)
    assert client.ask("GET", "/node/dataset/pending").status == 204
    assert tlvs(client).same_tlvs(pending.without(51, 52))
    assert client.node.journal.names[-2:] == ["DatasetChanged", "DatasetChanged"]


def test_the_delay_counts_down_in_both_forms() -> None:
    client = leader()
    client.ask("PUT", "/node/dataset/pending", '{"activeDataset": {}, "delay": 60000}')
    client.node.advance(10 * SECOND)
    assert json.loads(client.ask("GET", "/node/dataset/pending").body)["delay"] == 50_000
    assert tlvs(client, "pending").delay_timer_ms == 50_000


def test_pending_timestamp_is_shown_when_it_was_given() -> None:
    client = leader()
    body = (
        '{"activeDataset": {}, "delay": 60000, "pendingTimestamp": {"seconds": 5, "ticks": 6, "authoritative": true}}'
    )
    client.ask("PUT", "/node/dataset/pending", body)
    shown = json.loads(client.ask("GET", "/node/dataset/pending").body)
    assert shown["pendingTimestamp"] == {"seconds": 5, "ticks": 6, "authoritative": True}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"activeDataset": "0003000014", "delay": 60000}', 201),
        ('{"activeDataset": "", "delay": 60000}', 400),
        ('{"activeDataset": "0003", "delay": 60000}', 400),
        ('{"activeDataset": "xy", "delay": 60000}', 400),
        ('{"activeDataset": {}, "delay": "60000"}', 400),
        ('{"activeDataset": {}, "delay": true}', 400),
        ('{"activeDataset": {}, "delay": 60000, "pendingTimestamp": 5}', 400),
        ('{"activeDataset": {"channel": 99}, "delay": 60000}', 500),
    ],
)
def test_pending_bodies(body: str, status: int) -> None:
    client = leader()
    assert client.ask("PUT", "/node/dataset/pending", body).status == status
    assert client.ask("GET", "/node/dataset/pending").status == (200 if status == 201 else 204)


def test_if_none_match_guards_a_pending_dataset() -> None:
    client = leader()
    body = '{"activeDataset": {}, "delay": 60000}'
    assert client.ask("PUT", "/node/dataset/pending", body, if_none_match="*").status == 201
    before = tlvs(client, "pending")
    assert client.ask("PUT", "/node/dataset/pending", body, if_none_match="*").status == 412
    assert tlvs(client, "pending") == before
    assert client.ask("PUT", "/node/dataset/pending", body).status == 200


def test_datasets_can_be_deleted_the_active_one_only_while_disabled() -> None:
    client = leader()
    client.ask("PUT", "/node/dataset/pending", '{"activeDataset": {}, "delay": 60000}')
    assert client.ask("DELETE", "/node/dataset/pending").status == 200
    assert client.ask("GET", "/node/dataset/pending").status == 204
    assert client.ask("DELETE", "/node/dataset/active").status == 409
    client.ask("PUT", "/node/state", '"disable"')
    assert client.ask("DELETE", "/node/dataset/active").status == 200
    assert client.ask("GET", "/node/dataset/active").status == 204
    assert client.ask("DELETE", "/node/dataset/active").status == 200


def test_factory_reset_while_enabled_keeps_answering_under_a_new_identity() -> None:
    client = leader()
    before = json.loads(client.ask("GET", "/node").body)
    assert client.ask("DELETE", "/node") == Answer(200)
    after = json.loads(client.ask("GET", "/node").body)
    assert (after["state"], after["rloc16"], after["routerCount"]) == ("disabled", "0xfffe", 0)
    assert after["baId"] != before["baId"]
    assert after["extAddress"] != before["extAddress"]
    assert client.node.journal.names[-1] == "IdentityChanged"


def test_commissioner_needs_a_partition() -> None:
    assert fresh().ask("PUT", "/node/commissioner/state", '"enable"').status == 409
    assert fresh().ask("PUT", "/node/commissioner/state", '"disable"').status == 200


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({}, {"joinerId": "*"}),
        ({"joinerId": "*"}, {"joinerId": "*"}),
        ({"eui": "*"}, {"joinerId": "*"}),
        ({"eui": 5}, {"joinerId": "*"}),
        ({"eui": "0000000000000000"}, {"joinerId": "*"}),
        ({"joinerId": "00112233445566FF"}, {"eui": "00112233445566ff"}),
        ({"joinerId": "0xabc/12"}, {"discerner": "0xabc/12"}),
        ({"discerner": "abc/12"}, {"discerner": "0xabc/12"}),
    ],
)
def test_joiners_are_listed_by_what_they_are(members: dict[str, object], shown: dict[str, str]) -> None:
    client = commissioner()
    assert client.ask("POST", "/node/commissioner/joiner", json.dumps({"pskd": "J01NME", **members})).status == 200
    client.node.advance(SECOND)
    (listed,) = json.loads(client.ask("GET", "/node/commissioner/joiner").body)
    assert listed == {"pskd": "J01NME", "timeout": 59_000, **shown}


@pytest.mark.parametrize(
    "members",
    [
        {"eui": "0011"},
        {"eui": "0xabc/12"},
        {"discerner": "0011223344556677"},
        {"discerner": "0xabc/0"},
        {"discerner": "0xabc/4"},
        {"joinerId": "xyz"},
        {"joinerId": "0011223344556677", "eui": "0011223344556677"},
        {"pskd": 5},
        {"pskd": None},
        {"pskd": "j01nme"},
        {"pskd": "J" * 33},
    ],
)
def test_bad_joiners_are_400(members: dict[str, object]) -> None:
    client = commissioner()
    assert client.ask("POST", "/node/commissioner/joiner", json.dumps({"pskd": "J01NME", **members})).status == 400
    assert json.loads(client.ask("GET", "/node/commissioner/joiner").body) == []


def test_a_full_joiner_table_is_507() -> None:
    client = commissioner()
    for number in range(4):
        body = json.dumps({"pskd": "J01NME", "eui": f"{number + 1:016x}"})
        assert client.ask("POST", "/node/commissioner/joiner", body).status == 200
    assert client.ask("POST", "/node/commissioner/joiner", '{"pskd": "J01NME"}').status == 507
    assert client.ask("POST", "/node/commissioner/joiner", body).status == 200


def test_star_removes_only_the_wildcard_entry_and_unknown_ones_are_200() -> None:
    client = commissioner()
    client.ask("POST", "/node/commissioner/joiner", '{"pskd": "J01NME"}')
    client.ask("POST", "/node/commissioner/joiner", '{"pskd": "J01NME", "eui": "0000000000000001"}')
    assert client.ask("DELETE", "/node/commissioner/joiner", '"*"').status == 200
    assert [entry["eui"] for entry in json.loads(client.ask("GET", "/node/commissioner/joiner").body)] == [
        "0" * 15 + "1"
    ]
    assert client.ask("DELETE", "/node/commissioner/joiner", '"0xabc/12"').status == 200
    for body in ("", '""', '"00"', "7", '"0xabc/99"'):
        assert client.ask("DELETE", "/node/commissioner/joiner", body).status == 400


def test_a_bad_joiner_id_is_400_before_the_commissioner_is_looked_at() -> None:
    assert leader().ask("DELETE", "/node/commissioner/joiner", '"00"').status == 400


def test_ephemeral_key_lives_its_lifetime() -> None:
    client = fresh()
    opened = json.loads(client.ask("POST", "/node/ba-epskc/key", '{"lifetime": 30000, "port": 5555}').body)
    assert opened["port"] == 5555
    assert opened["tap"].isdigit()
    client.node.advance(30 * SECOND - 1)
    assert value(client.ask("GET", "/node/ba-epskc/key")) == {"state": "started", "port": 5555}
    client.node.advance(1)
    assert value(client.ask("GET", "/node/ba-epskc/key")) == {"state": "stopped", "port": 0}
    assert client.node.journal.names == ["EphemeralKeyActivated", "EphemeralKeyExpired"]


@pytest.mark.parametrize("body", ["", "{}", '{"lifetime": 0}', '{"port": 0, "other": []}'])
def test_ephemeral_key_defaults_are_two_minutes_and_any_port(body: str) -> None:
    client = fresh()
    assert json.loads(client.ask("POST", "/node/ba-epskc/key", body).body)["port"] > 0
    assert client.node.engine.deadline == 120 * SECOND


@pytest.mark.parametrize(
    "body", ['{"lifetime": null}', '{"lifetime": -1}', '{"port": true}', '{"lifetime": 1e999}', "7"]
)
def test_bad_ephemeral_key_parameters_are_400(body: str) -> None:
    client = fresh()
    assert client.ask("POST", "/node/ba-epskc/key", body).status == 400
    assert client.node.engine.deadline is None


def test_a_taken_ephemeral_key_port_opens_no_key() -> None:
    client = fresh()
    assert client.ask("POST", "/node/ba-epskc/key", json.dumps({"port": TAKEN_PORT})).status == 500
    assert value(client.ask("GET", "/node/ba-epskc/key")) == {"state": "stopped", "port": 0}


def test_disabling_the_feature_ends_the_key() -> None:
    client = fresh()
    client.ask("POST", "/node/ba-epskc/key")
    assert client.ask("PUT", "/node/ba-epskc/state", '"disable"').status == 200
    assert value(client.ask("GET", "/node/ba-epskc/key")) == {"state": "disabled", "port": 0}
    assert client.ask("DELETE", "/node/ba-epskc/key").status == 200


def test_a_body_over_a_mebibyte_is_413() -> None:
    assert fresh().ask("PUT", "/node/dataset/active", b" " * ((1 << 20) + 1)).status == 413
