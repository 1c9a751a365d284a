"""Home Assistant's dataset store: the outcome of adding, preferences, and python-otbr-api's parser as the judge."""

from importlib.metadata import version

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from python_otbr_api import tlv_parser

from pairing.errors import DecodeError
from pairing.thread.credentials import Platform
from pairing.thread.credentials.home_assistant import parse_tlvs, prefer_only_network
from pairing.thread.dataset import Dataset
from pairing.thread.fields import Timestamp
from pairing.thread.tlvs import Tlv
from tests.support.credentials import DAY, SEED_DATASET, SEED_XP, XA, Phone

SEED = Dataset.from_hex(SEED_DATASET)
ADDRESS = XA.hex()


@pytest.fixture
def store():
    return Phone(Platform.HOME_ASSISTANT)


def changed(*, seconds=1, ticks=0, policy="02a0f7f8", **tlvs):
    updates = [Tlv(14, Timestamp(seconds, ticks).encode()), Tlv(12, bytes.fromhex(policy))]
    updates += [Tlv(int(name.removeprefix("tlv_")), value) for name, value in tlvs.items()]
    return SEED.with_tlvs(updates).hex()


def add(store, tlv=SEED_DATASET, **options):
    return store("add_dataset_tlv", source="otbr", tlv=tlv, **options)


def stored(store):
    return [row.dataset.hex() for row in store.rows]


def test_new_network_is_a_new_entry(store):
    other = SEED.with_tlvs([Tlv(2, b"\x22" * 8)]).hex()

    assert add(store).verdict.rule == "new-network"
    assert add(store, other).verdict.rule == "new-network"
    assert stored(store) == [SEED_DATASET, other]


def test_same_tlvs_in_another_order_are_stored_and_change_nothing(store):
    add(store)
    rows = store.rows
    reordered = Dataset.from_tlvs(reversed(SEED.tlvs)).hex()
    result = add(store, reordered)

    assert (result.verdict.verdict, result.verdict.rule) == ("stored", "same-dataset")
    assert store.rows == rows


@pytest.mark.parametrize(
    ("tlv", "verdict", "rule"),
    [
        (changed(seconds=2), "stored", "newer-timestamp"),
        (changed(ticks=1), "stored", "newer-timestamp"),
        (changed(seconds=0, ticks=5), "discarded", "older-timestamp"),
        (changed(tlv_3=b"other"), "discarded", "same-timestamp-differs"),
        (changed(policy="02a0f7f9"), "discarded", "same-timestamp-differs"),
        (changed(tlv_74=b"\x00\x00\x15"), "stored", "same-timestamp-equivalent"),
        (changed(policy="02a0fff8"), "stored", "same-timestamp-equivalent"),
        (changed(tlv_74=b"\x00\x00\x15", tlv_3=b"other"), "discarded", "same-timestamp-differs"),
    ],
)
def test_outcome_for_a_known_network_depends_on_its_timestamp(store, tlv, verdict, rule):
    add(store)
    (before,) = store.rows
    result = add(store, tlv)

    assert (result.outcome, result.verdict.verdict, result.verdict.rule) == ("done", verdict, rule)
    (after,) = store.rows
    assert after.dataset.hex() == (tlv if verdict == "stored" else SEED_DATASET)
    assert after.created == before.created == DAY


def test_entry_keeps_its_source_and_preference_when_it_is_replaced(store):
    add(store)
    store("set_preferred_dataset", dataset_id=SEED_XP.hex())
    store("add_dataset_tlv", source="google", tlv=changed(seconds=9))

    (row,) = store.rows
    assert (row.source, row.preferred, row.dataset.hex()) == ("otbr", True, changed(seconds=9))


@pytest.mark.parametrize(
    ("tlv", "rule", "code"),
    [
        (SEED_DATASET[:60], "dataset-unparsable", "invalid_format"),
        (SEED.without(14).hex(), "dataset-missing-tlv", "home_assistant_error"),
        (SEED.without(2).hex(), "dataset-missing-tlv", "home_assistant_error"),
        ("zz", "dataset-not-hex", None),
    ],
)
def test_what_is_no_dataset_is_refused(store, tlv, rule, code):
    result = add(store, tlv)

    assert (result.outcome, result.verdict.rule, result.platform.code) == ("refused", rule, code)
    assert store.rows == ()


def test_preferred_border_agent_is_set_once_and_refreshed_only_by_itself(store):
    def agent():
        return store.rows[0].border_agent_id.hex(), store.rows[0].extended_address.hex()

    add(store, preferred_border_agent_id="aa", preferred_extended_address="01")
    assert agent() == ("aa", "01")
    add(store, preferred_border_agent_id="bb", preferred_extended_address="02")
    assert agent() == ("aa", "01")
    add(store, preferred_border_agent_id="aa", preferred_extended_address="03")
    assert agent() == ("aa", "03")
    store("set_preferred_border_agent", dataset_id=SEED_XP.hex(), border_agent_id="cc", extended_address="04")
    assert agent() == ("cc", "04")


def test_entry_without_border_agent_takes_the_first_that_reports(store):
    add(store)
    add(store, changed(seconds=2), preferred_border_agent_id="aa", preferred_extended_address="01")

    assert store.rows[0].border_agent_id.hex() == "aa"


def test_border_agent_without_extended_address_is_an_error(store):
    assert add(store, preferred_border_agent_id="aa").verdict.rule == "border-agent-without-address"
    assert add(store, preferred_extended_address="no").verdict.rule == "border-agent-not-hex"


def test_preferred_dataset_cannot_be_deleted(store):
    add(store)
    store("set_preferred_dataset", dataset_id=SEED_XP.hex())

    assert store("delete_dataset", dataset_id=SEED_XP.hex()).platform.code == "not_allowed"
    assert len(store.rows) == 1


def test_entry_is_found_listed_and_deleted_by_its_id(store):
    add(store)
    dataset_id = SEED_XP.hex()

    assert store("get_dataset_tlv", dataset_id=dataset_id).value.active_operational_dataset == SEED.encode()
    assert [entry.network_name for entry in store("list_datasets").value] == ["GL-S20-new001"]
    assert store("delete_dataset", dataset_id=dataset_id).verdict.verdict == "deleted"
    assert store("get_dataset_tlv", dataset_id=dataset_id).platform.code == "not_found"


@pytest.mark.parametrize(
    ("seen", "preferred"),
    [([XA], True), ([XA, XA], True), ([XA, bytes(8)], False), ([bytes(8)], False), ([], False)],
)
def test_only_network_becomes_preferred_if_its_router_was_seen_alone(store, seen, preferred):
    add(store, preferred_border_agent_id="aa", preferred_extended_address=ADDRESS)

    (row,) = prefer_only_network(store.rows, SEED_XP.hex(), seen)
    assert row.preferred is preferred


def test_choice_made_or_entry_deleted_meanwhile_is_respected(store):
    add(store, SEED.with_tlvs([Tlv(2, b"\x22" * 8)]).hex())
    add(store, preferred_border_agent_id="aa", preferred_extended_address=ADDRESS)
    store("set_preferred_dataset", dataset_id="22" * 8)

    assert prefer_only_network(store.rows, SEED_XP.hex(), [XA]) == store.rows
    assert prefer_only_network((), SEED_XP.hex(), [XA]) == ()


TLVS = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 3, 5, 14, 51, 52, 53, 74, 240, 241]), st.binary(max_size=10)), max_size=5
)


def library_takes(data):
    try:
        return {int(tag): item.data for tag, item in tlv_parser.parse_tlv(data.hex()).items()}
    except tlv_parser.TLVError:
        return None


@pytest.mark.skipif(
    tuple(map(int, version("python-otbr-api").split(".")[:2])) < (3, 1),
    reason="this python-otbr-api parses TLVs by older rules than release 2026.11's",
)
@given(
    st.binary(max_size=40) | TLVS.map(lambda tlvs: b"".join(bytes([kind, len(value)]) + value for kind, value in tlvs))
)
@example(bytes.fromhex(SEED_DATASET))
@example(bytes.fromhex("0003000000"))
@example(bytes.fromhex("3403000000"))
def test_tlvs_are_taken_or_refused_as_the_library_does(data):
    try:
        ours = parse_tlvs(data)
    except DecodeError:
        ours = None

    assert ours == library_takes(data)
