"""The door to the stores: JSON documents without secrets, and no call that ends otherwise than in a result."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import LocalProtocolError
from pairing.thread.credentials import (
    Caller,
    Consent,
    NoSearch,
    Platform,
    ProfileOutcome,
    call,
    methods,
    result_document,
)
from tests.support.credentials import APP, ID, OTHER, SEED_DATASET, SEED_KEYS, SEED_XP, XA, Phone, router


def test_aliases_mean_the_newest():
    assert Platform.named("apple") is Platform.IOS_27
    assert Platform.named("google") is Platform.ANDROID_17
    assert Platform.named("ios-26") is Platform.IOS_26


@pytest.mark.parametrize("named", [Platform.named, ProfileOutcome.named])
def test_unknown_names_are_our_callers_mistake(named):
    with pytest.raises(LocalProtocolError, match="known are"):
        named("symbian")


def test_refusal_is_a_document_with_verdict_and_platform():
    phone = Phone(Platform.IOS_26, router())
    document = result_document(
        phone("storeCredentials", borderAgentID="9483C451DC3E", activeOperationalDataSet=SEED_DATASET)
    )

    assert document["outcome"] == "refused"
    assert list(document["verdict"]) == ["verdict", "rule", "expected", "came", "symptom", "hint"]
    assert document["platform"]["domain"] == "NSCocoaErrorDomain"
    assert document["platform"]["code"] == 4099
    assert document["platform"]["delay_ms"] == 4
    assert json.loads(json.dumps(document)) == document


def test_secrets_leave_only_when_asked_for():
    phone = Phone(Platform.IOS_26, router())
    phone("storeCredentials", borderAgentID=XA, activeOperationalDataSet=SEED_DATASET)
    result = phone("retrieveAllCredentials")
    kept, told = result_document(result), result_document(result, secrets=True)

    assert "network_key" not in kept["value"][0]
    assert kept["value"][0]["border_agent_id"] == XA.hex()
    assert told["value"][0]["network_key"] == SEED_KEYS[0].hex()
    assert told["value"][0]["active_operational_dataset"] == SEED_DATASET


def test_secrets_are_in_no_repr():
    phone = Phone(Platform.IOS_26, router())
    stored = phone("storeCredentials", borderAgentID=XA, activeOperationalDataSet=SEED_DATASET)
    text = repr((stored, stored.rows, phone("retrieveAllCredentials")))

    assert not any(key.hex() in text or repr(key) in text for key in SEED_KEYS)
    assert SEED_DATASET not in text


def test_stores_of_different_families_share_rows_without_meeting():
    iphone, android = Phone(Platform.IOS_26, router()), Phone(Platform.ANDROID_16, router())
    iphone("storeCredentials", borderAgentID=XA, activeOperationalDataSet=SEED_DATASET)
    android.rows = iphone.rows

    assert android("getAllCredentials", Caller("org.example.app")).value == ()
    android("addCredentials", borderAgent=ID, credentials=SEED_DATASET)
    assert len(android.rows) == 2
    assert all(row.preferred for row in android.rows)


VALUES = st.sampled_from([XA, ID, SEED_XP, bytes.fromhex(SEED_DATASET), SEED_DATASET]) | st.binary(max_size=20)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.fixed_dictionaries(
            dict.fromkeys(("border_agent_id", "dataset", "extended_pan_id"), VALUES)
            | {"dataset_id": st.just(SEED_XP.hex())}
        ),
        st.sampled_from([APP, OTHER]),
        st.sampled_from(Consent),
        st.sampled_from([NoSearch.NO_NETWORK, (router(),), ()]),
    ),
    max_size=8,
)


@given(st.sampled_from(Platform), STEPS)
def test_any_run_of_calls_keeps_the_stores_laws(platform, steps):
    rows = ()
    for index, arguments, caller, consent, live in steps:
        method = methods(platform)[index % len(methods(platform))]
        if method == "retrieveCredentials" and consent is Consent.DENY:
            arguments = {"border_agent_id": arguments["border_agent_id"]}  # THClient's other method of that name
        result = call(platform, method, arguments, caller=caller, rows=rows, live=live, consent=consent)
        assert result.outcome in ("done", "refused", "waiting")
        assert result.outcome == "done" or result.rows == rows
        rows = result.rows
        keys = [row.key for row in rows]
        assert len(keys) == len(set(keys))
        assert sum(row.preferred for row in rows) <= 1
        assert platform is Platform.HOME_ASSISTANT or not rows or any(row.preferred for row in rows)
