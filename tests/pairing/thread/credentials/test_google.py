"""ThreadNetworkClient's calls: scope by app, status codes, consent, and the preferred network's integers."""

import pytest

from pairing.thread.credentials import Consent, NoSearch, Platform, ProfileOutcome, StoreFamily, delete_in_settings
from tests.support.credentials import APP, ID, OTHER, SEED_DATASET, SEED_XP, XA, Phone, router

XP_2 = b"\x22" * 8
DATASET_2 = bytes.fromhex(SEED_DATASET).replace(SEED_XP, XP_2)


@pytest.fixture(params=[Platform.ANDROID_16, Platform.ANDROID_17])
def android(request):
    return Phone(request.param, router())


def add(phone, caller=APP, agent=ID, dataset=SEED_DATASET, **options):
    return phone("addCredentials", caller, borderAgent=agent, credentials=dataset, **options)


def test_added_credential_is_read_back_by_every_call(android):
    assert (add(android).outcome, android.rows[0].owner) == ("done", "org.example.app")
    credential = android("getCredentialsByBorderAgent", borderAgent=ID).value

    assert credential.active_operational_dataset.hex() == SEED_DATASET
    assert android("getAllCredentials").value == (credential,)
    assert android("getCredentialsByExtendedPanId", extendedPanId=SEED_XP).value == credential
    assert android("getPreferredCredentials").value == credential
    assert android("getAllActiveCredentials").value == (credential,)
    assert android("removeCredentials", borderAgent=ID).verdict.verdict == "deleted"
    assert android.rows == ()


def test_entry_of_another_app_is_permission_denied(android):
    add(android)
    results = [
        add(android, OTHER),
        android("removeCredentials", OTHER, borderAgent=ID),
        android("getCredentialsByBorderAgent", OTHER, borderAgent=ID),
    ]

    assert [(result.platform.code, result.platform.case) for result in results] == [(44000, "PERMISSION_DENIED")] * 3
    assert android("getAllCredentials", OTHER).value == ()
    assert len(android.rows) == 1


@pytest.mark.parametrize(
    ("outcome", "code"), [("not-connected", 44001), ("not-supported", 44002), ("storage-full", 44003)]
)
def test_documented_status_codes_can_be_had_on_demand(android, outcome, code):
    assert add(android, profile_outcome=ProfileOutcome.named(outcome)).platform.code == code


def test_phone_without_a_network_answers_with_its_status_code(android):
    android.live = NoSearch.NO_NETWORK

    assert add(android).platform.code == 44001


def test_id_of_apples_size_never_reaches_the_service(android):
    result = add(android, agent=XA)

    assert (result.verdict.rule, result.platform.case) == ("border-agent-id-length", "IllegalArgumentException")
    assert result.verdict.sentence == "8 bytes, looks like Apple's `xa`; Google wants the 16 bytes of `id`"


def test_preferred_network_is_compared_as_a_network(android):
    def compared(dataset):
        return android("isPreferredCredentials", credentials=dataset).value

    assert compared(SEED_DATASET) == -1
    add(android)
    assert compared(SEED_DATASET) == 1
    assert compared(bytes.fromhex(SEED_DATASET)[:-1] + b"\xff") == 1
    assert compared(DATASET_2) == 0


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("getCredentialsByExtendedPanId", {"extendedPanId": SEED_XP}),
        ("getPreferredCredentials", {}),
        ("getAllActiveCredentials", {}),
    ],
)
def test_declined_consent_is_a_cancelled_activity(android, method, arguments):
    add(android)
    result = android(method, consent=Consent.DENY, **arguments)

    assert (result.verdict.rule, result.platform.case) == ("consent-denied", "RESULT_CANCELED")


def test_nothing_stored_is_a_result_without_credentials(android):
    assert android("getCredentialsByBorderAgent", borderAgent=ID).platform.case == "no-result"
    assert android("getPreferredCredentials").verdict.rule == "no-preferred"


def test_active_credentials_are_those_of_networks_seen_now(android):
    add(android)
    android.live = (router(xp=XP_2),)

    assert android("getAllActiveCredentials").value == ()


def test_entry_deleted_in_the_settings_can_be_added_again(android):
    add(android)
    android.rows = delete_in_settings(android.rows, StoreFamily.GOOGLE, ID)

    assert android.rows == ()
    assert add(android).outcome == "done"
