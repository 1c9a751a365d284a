"""What is wrong with a border agent id or a dataset, said for each platform, with the founding report's values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.dnssd.txt import TxtRecord
from pairing.thread.credentials import LiveRecord, NoSearch, Platform, Rule, check
from tests.support.credentials import ID, SEED_AGENT, SEED_DATASET, SEED_KEYS, SEED_XP, XA, router

PHONES = [platform for platform in Platform if platform is not Platform.HOME_ASSISTANT]
APPLES = [Platform.IOS_26, Platform.IOS_27]
DATASET = bytes.fromhex(SEED_DATASET)
MAC_EUI64 = bytes.fromhex("9683c4fffe51dc3e")


def without(tlv_type):
    place, kept = 0, b""
    while place < len(DATASET):
        stop = place + 2 + DATASET[place + 1]
        kept += b"" if DATASET[place] == tlv_type else DATASET[place:stop]
        place = stop
    return kept


@pytest.mark.parametrize("platform", APPLES)
def test_founding_reports_id_is_refused_with_its_size_and_its_likely_nature(platform):
    verdict = check(platform, SEED_AGENT, SEED_DATASET)

    assert (verdict.verdict, verdict.rule) == ("refused", "border-agent-id-length")
    assert verdict.came == "6 bytes, looks like a 48-bit MAC"
    assert verdict.expected == "Apple wants the 8 bytes of `xa`"
    assert verdict.sentence == "6 bytes, looks like a 48-bit MAC; Apple wants the 8 bytes of `xa`"


def test_founding_reports_error_is_shown_but_never_blamed_on_the_id():
    symptom = check(Platform.IOS_26, SEED_AGENT, SEED_DATASET).symptom

    assert "NSCocoaErrorDomain 4099" in symptom
    assert "Couldn't communicate with a helper application" in symptom
    assert "wrong size is certain" in symptom
    assert "is unproven" in symptom


def test_hint_says_where_the_right_id_is_when_the_network_was_not_searched():
    hint = check(Platform.IOS_26, SEED_AGENT, SEED_DATASET).hint

    assert hint == "read `xa` in the `_meshcop._udp` TXT record of the router whose `xp` is 3c66f0dc9ef53f1c"


def test_hint_gives_the_right_id_read_from_the_router_of_that_network():
    live = [router("Other", xa=bytes(8), xp=bytes(8)), router("Living Room")]

    apple = check(Platform.IOS_26, SEED_AGENT, SEED_DATASET, live)
    google = check(Platform.ANDROID_17, SEED_AGENT, SEED_DATASET, live)

    assert apple.hint.startswith("use 4a29604a722abd44 (`xa` of 'Living Room')")
    assert google.hint.startswith("use 83f55b6ad0ff0a9cb6f6c4ee08292d9a (`id` of 'Living Room')")


def test_hint_names_every_router_of_that_network():
    hint = check(Platform.IOS_26, SEED_AGENT, SEED_DATASET, [router("A"), router("B", xa=b"\x01" * 8)]).hint

    assert "4a29604a722abd44 (`xa` of 'A') or 0101010101010101 (`xa` of 'B')" in hint


def test_hint_says_that_no_router_of_that_network_is_there():
    hint = check(Platform.IOS_26, SEED_AGENT, SEED_DATASET, [router(xp=bytes(8))]).hint

    assert hint.endswith("no record on the network has that `xp` and a `xa` of 8 bytes now")


@pytest.mark.parametrize(
    ("platform", "agent_id", "came"),
    [
        (Platform.IOS_27, ID, "16 bytes, looks like a 16-byte Google id"),
        (Platform.IOS_27, XA + bytes(8), "16 bytes, looks like `xa` with eight zero bytes after it"),
        (Platform.IOS_27, XA.hex().encode(), "16 bytes, looks like the hexadecimal text of 8 bytes"),
        (Platform.IOS_27, b"", "0 bytes"),
        (Platform.IOS_27, b"\x01", "1 byte"),
        (Platform.ANDROID_16, XA, "8 bytes, looks like Apple's `xa`"),
        (Platform.ANDROID_16, bytes.fromhex(SEED_AGENT), "6 bytes, looks like a 48-bit MAC"),
        (Platform.ANDROID_16, SEED_AGENT.encode(), "12 bytes, looks like the hexadecimal text of 6 bytes"),
        (Platform.ANDROID_16, ID.hex().encode(), "32 bytes, looks like the hexadecimal text of 16 bytes"),
    ],
)
def test_known_mistakes_in_the_length_of_an_id_are_named(platform, agent_id, came):
    verdict = check(platform, agent_id, DATASET)

    assert (verdict.rule, verdict.came) == (Rule.BORDER_AGENT_ID_LENGTH, came)


@pytest.mark.parametrize(
    ("platform", "agent_id"),
    [(Platform.IOS_26, XA.hex()), (Platform.IOS_26, "4A:29:60:4A:72:2A:BD:44"), (Platform.ANDROID_17, ID)],
)
def test_right_ids_are_accepted_as_text_or_bytes(platform, agent_id):
    assert check(platform, agent_id, SEED_DATASET, [router()]).rule == Rule.LIVE_RECORD_MATCHES
    assert check(platform, agent_id, SEED_DATASET).rule == Rule.NETWORK_NOT_SEARCHED


@pytest.mark.parametrize("platform", Platform)
def test_text_that_is_not_hexadecimal_is_refused_without_repeating_it(platform):
    dataset = check(platform, XA if platform in APPLES else ID, SEED_DATASET[:-1] + "x")

    assert (dataset.rule, dataset.came) == (
        "dataset-not-hex",
        "208 characters; character 208 is not a hexadecimal digit",
    )


def test_border_agent_text_that_is_not_hexadecimal_is_refused():
    verdict = check(Platform.IOS_26, "9483C451DC3", SEED_DATASET)

    assert (verdict.rule, verdict.came) == (
        "border-agent-not-hex",
        "11 characters; odd number of hexadecimal digits: 11",
    )


@pytest.mark.parametrize("platform", PHONES)
def test_unparsable_dataset_names_the_offset(platform):
    verdict = check(platform, XA if platform in APPLES else ID, DATASET[:50])

    assert verdict.rule == "dataset-unparsable"
    assert verdict.came == "50 bytes, unparsable at offset 45: NetworkKey needs 16 bytes, 5 left"


@pytest.mark.parametrize(
    ("tlv_type", "name"), [(14, "ActiveTimestamp (14)"), (5, "NetworkKey (5)"), (2, "ExtPanId (2)")]
)
def test_missing_tlv_is_named(tlv_type, name):
    verdict = check(Platform.IOS_26, XA, without(tlv_type), [router()])

    assert verdict.rule == "dataset-missing-tlv"
    assert name in verdict.came


@pytest.mark.parametrize(
    ("platform", "agent_id", "live", "rule", "came"),
    [
        (Platform.IOS_26, XA, [], "no-meshcop-record", "no record at all"),
        (
            Platform.IOS_26,
            XA,
            [router(xa=bytes(8), xp=bytes(8))],
            "no-meshcop-record",
            "1 record, none with that `xa` or that network",
        ),
        (
            Platform.IOS_26,
            XA,
            [LiveRecord("GL-S20", None)],
            "record-without-txt",
            "1 of 1 record came without TXT: 'GL-S20'",
        ),
        (
            Platform.IOS_26,
            b"\x09" * 8,
            [router()],
            "xa-mismatch",
            "`xa` 4a29604a722abd44 of 'GL-S20' on that network",
        ),
        (Platform.IOS_26, XA, [router(xa=None)], "xa-mismatch", "`xa` (absent) of 'GL-S20' on that network"),
        (
            Platform.ANDROID_16,
            b"\x09" * 16,
            [router(id=b"")],
            "id-mismatch",
            "`id` (empty) of 'GL-S20' on that network",
        ),
        (Platform.IOS_26, XA, [router(xp=b"\x07" * 8)], "xp-differs", "`xp` 0707070707070707"),
        (Platform.IOS_26, XA, [router(xp=None)], "xp-differs", "a record without `xp`"),
        (Platform.ANDROID_16, ID, [router(nn=b"new")], "nn-differs", "`nn` 'new'"),
        (Platform.IOS_26, XA, NoSearch.NO_NETWORK, "network-down", "the phone is not connected to one"),
    ],
)
def test_network_that_does_not_show_the_border_agent_is_told_apart(platform, agent_id, live, rule, came):
    verdict = check(platform, agent_id, SEED_DATASET, live)

    assert (verdict.rule, verdict.came) == (rule, came)


@pytest.mark.parametrize(
    ("platform", "agent_id", "mistake"),
    [
        (Platform.IOS_26, SEED_XP, "is the extended PAN ID"),
        (Platform.IOS_26, XA[::-1], "is a `xa` in reverse byte order"),
        (Platform.IOS_26, MAC_EUI64, "looks like an EUI-64 made from a 48-bit MAC, but `xa` is random"),
        (Platform.ANDROID_17, XA.hex().encode(), "looks like the hexadecimal text of 8 bytes"),
        (Platform.ANDROID_17, XA + bytes(8), "is `xa` with eight zero bytes after it"),
    ],
)
def test_known_mistakes_in_the_value_of_an_id_are_named(platform, agent_id, mistake):
    verdict = check(platform, agent_id, SEED_DATASET, [router()])

    assert verdict.came.endswith(f"; the id given {mistake}")


def test_a_router_on_that_network_beats_its_twin_on_another():
    live = [router("Stale", xp=bytes(8)), router("Fresh")]

    assert check(Platform.IOS_26, XA, SEED_DATASET, live).verdict == "accepted"


def test_home_assistant_needs_no_border_agent_and_asks_two_tlvs_of_a_dataset():
    two_tlvs = DATASET[:10] + DATASET[23:33]

    assert check(Platform.HOME_ASSISTANT, "", two_tlvs).verdict == "accepted"
    assert check(Platform.HOME_ASSISTANT, "", without(14)).rule == "dataset-missing-tlv"
    assert check(Platform.HOME_ASSISTANT, "", DATASET[:50]).rule == "dataset-unparsable"


ARGUMENTS = st.binary(max_size=40) | st.text(max_size=40) | st.sampled_from([SEED_DATASET, SEED_AGENT, XA, ID, DATASET])
RECORDS = st.lists(
    st.sampled_from(
        [router(), router(xa=None), router(xp=b"\x01"), LiveRecord("x", None), LiveRecord("y", TxtRecord())]
    ),
    max_size=3,
)


@given(st.sampled_from(Platform), ARGUMENTS, ARGUMENTS, st.sampled_from(NoSearch) | RECORDS)
def test_any_arguments_end_in_a_whole_verdict_without_a_secret(platform, agent_id, dataset, live):
    verdict = check(platform, agent_id, dataset, live)
    texts = (verdict.rule, verdict.expected, verdict.came, verdict.symptom, verdict.hint)

    assert verdict.verdict in ("accepted", "refused")
    assert all(texts)
    assert not any(key.hex() in text for key in SEED_KEYS for text in texts)


@given(st.integers(0, len(DATASET) - 1), st.integers(0, 255), st.sampled_from(PHONES))
def test_any_altered_dataset_ends_in_a_whole_verdict(place, value, platform):
    altered = DATASET[:place] + bytes([value]) + DATASET[place + 1 :]
    verdict = check(platform, XA if platform in APPLES else ID, altered, [router()])

    assert all((verdict.rule, verdict.expected, verdict.came, verdict.symptom, verdict.hint))
