"""THClient's calls: scope by team, prompts, search, and the states that real phones were seen in."""

import pytest

from pairing.errors import LocalProtocolError
from pairing.thread.credentials import Consent, NoSearch, Platform, ProfileOutcome, StoreFamily, delete_in_settings
from pairing.thread.fields import Timestamp
from tests.support.credentials import APP, DAY, ID, OTHER, SEED_AGENT, SEED_DATASET, SEED_XP, XA, Phone, router

XA_2 = b"\x02" * 8
XP_2 = b"\x22" * 8
DATASET_2 = bytes.fromhex(SEED_DATASET).replace(SEED_XP, XP_2)
NEWER = bytes.fromhex(SEED_DATASET).replace(Timestamp(1).encode(), Timestamp(2).encode())
SECOND = router("Second", xa=XA_2, xp=XP_2, id=b"\x02" * 16)
PROMPTING = {
    "retrieveCredentials": {"extendedPANID": SEED_XP},
    "retrievePreferredCredentials": {},
}


@pytest.fixture
def iphone():
    return Phone(Platform.IOS_26, router(), SECOND)


def store(phone, caller=APP, agent=XA, dataset=SEED_DATASET, **options):
    return phone("storeCredentials", caller, borderAgentID=agent, activeOperationalDataSet=dataset, **options)


def test_stored_credential_is_read_back_by_every_call(iphone):
    stored = store(iphone)

    assert (stored.outcome, stored.verdict.rule, stored.prompted) == ("done", "live-record-matches", False)
    credential = iphone("retrieveCredentials", borderAgentID=XA).value
    assert credential.active_operational_dataset.hex() == SEED_DATASET
    assert (credential.network_name, credential.channel, credential.pan_id) == ("GL-S20-new001", 16, 0x250B)
    assert credential.extended_pan_id == SEED_XP
    assert credential.network_key.hex() == "4094dce45388fd3d3426e992cbf0697b"
    assert iphone("retrieveAllCredentials").value == (credential,)
    assert iphone("retrieveAllActiveCredentials").value == (credential,)
    assert iphone("retrieveCredentials", extendedPANID=SEED_XP).value == credential
    assert iphone("retrievePreferredCredentials").value == credential
    assert iphone("checkPreferredNetwork", activeOperationalDataset=SEED_DATASET).value is True
    assert iphone("isPreferredNetworkAvailable").value is True


def test_swift_labels_and_snake_case_name_the_same_arguments(iphone):
    stored = iphone("storeCredentials", forBorderAgent=XA.hex(), active_operational_data_set=SEED_DATASET)

    assert stored.outcome == "done"
    assert iphone("retrieveCredentials", forExtendedPANID=SEED_XP.hex()).outcome == "done"


def test_founding_reports_call_is_refused_and_stores_nothing(iphone):
    result = store(iphone, agent=SEED_AGENT)

    assert (result.outcome, result.rows) == ("refused", ())
    assert (result.platform.domain, result.platform.code) == ("NSCocoaErrorDomain", 4099)
    assert result.verdict.hint.startswith("use 4a29604a722abd44")


def test_storing_again_changes_the_entry_and_keeps_its_creation_date(iphone):
    store(iphone)
    store(iphone, dataset=NEWER)

    (row,) = iphone.rows
    assert row.dataset == NEWER
    assert (row.created, row.modified) == (DAY, 2 * DAY)


def test_entries_belong_to_the_team(iphone):
    store(iphone)

    assert iphone("retrieveAllCredentials", OTHER).value == ()
    assert iphone("retrieveCredentials", OTHER, borderAgentID=XA).verdict.rule == "other-owner"
    assert iphone("deleteCredentials", OTHER, borderAgentID=XA).verdict.rule == "other-owner"
    assert iphone("retrieveCredentials", OTHER, extendedPANID=SEED_XP).outcome == "done"
    assert len(iphone.rows) == 1


def test_another_team_keeps_its_own_entry_for_the_same_border_agent(iphone):
    store(iphone)
    store(iphone, OTHER, dataset=NEWER)
    iphone("deleteCredentials", OTHER, borderAgentID=XA)

    (row,) = iphone.rows
    assert (row.owner, row.dataset.hex()) == ("TEAM1", SEED_DATASET)


def test_lookup_by_extended_pan_id_gives_the_newest_active_timestamp(iphone):
    iphone.live = (router(), router("Twin", xa=XA_2))
    store(iphone, dataset=NEWER)
    store(iphone, OTHER, agent=XA_2)

    assert iphone("retrieveCredentials", extendedPANID=SEED_XP).value.active_operational_dataset == NEWER


def test_first_network_is_preferred_and_the_oldest_left_follows_it(iphone):
    store(iphone)
    store(iphone, agent=XA_2, dataset=DATASET_2)

    assert iphone("retrievePreferredCredentials").value.border_agent_id == XA
    iphone("deleteCredentials", borderAgentID=XA)
    assert iphone("retrievePreferredCredentials").value.border_agent_id == XA_2
    iphone("deleteCredentials", borderAgentID=XA_2)
    assert iphone("retrievePreferredCredentials").verdict.rule == "no-preferred"
    assert iphone("checkPreferredNetwork", activeOperationalDataset=SEED_DATASET).value is False
    assert iphone("isPreferredNetworkAvailable").value is False


def test_active_entries_are_those_whose_router_is_seen_now(iphone):
    store(iphone)
    store(iphone, agent=XA_2, dataset=DATASET_2)
    iphone.live = (SECOND,)

    assert [entry.border_agent_id for entry in iphone("retrieveAllActiveCredentials").value] == [XA_2]
    assert len(iphone("retrieveAllCredentials").value) == 2
    assert iphone("isPreferredNetworkAvailable").value is False


def test_calls_that_search_end_differently_without_a_network(iphone):
    store(iphone)
    iphone.live = NoSearch.NO_NETWORK

    assert store(iphone).platform.message == '"Device is not connected to the network"'
    assert iphone("retrieveAllActiveCredentials").verdict.rule == "network-down"
    assert iphone("isPreferredNetworkAvailable").value is False
    assert iphone("retrieveAllCredentials").outcome == "done"


def test_call_that_must_search_cannot_be_made_without_looking(iphone):
    iphone.live = NoSearch.SKIPPED

    with pytest.raises(LocalProtocolError, match="give live records"):
        iphone("retrieveAllActiveCredentials")


@pytest.mark.parametrize(("method", "arguments"), PROMPTING.items())
@pytest.mark.parametrize(
    ("consent", "outcome", "rule"),
    [
        (Consent.DENY, "refused", "consent-denied"),
        (Consent.ASK, "waiting", "consent-asked"),
        (Consent.NEVER, "waiting", "consent-unanswered"),
    ],
)
def test_entries_of_other_teams_need_the_users_consent(iphone, method, arguments, consent, outcome, rule):
    store(iphone)
    result = iphone(method, consent=consent, **arguments)

    assert (result.outcome, result.verdict.rule, result.prompted, result.value) == (outcome, rule, True, None)


def test_own_entries_are_given_without_a_prompt(iphone):
    calls = [store(iphone, consent=Consent.DENY)]
    calls += [iphone(name, consent=Consent.DENY) for name in ("retrieveAllCredentials", "retrieveAllActiveCredentials")]
    calls.append(iphone("retrieveCredentials", consent=Consent.DENY, borderAgentID=XA))
    calls.append(iphone("checkPreferredNetwork", consent=Consent.DENY, activeOperationalDataset=SEED_DATASET))
    calls.append(iphone("isPreferredNetworkAvailable", consent=Consent.DENY))

    assert [(result.outcome, result.prompted) for result in calls] == [("done", False)] * 6


def test_search_takes_its_time_only_in_vain(iphone):
    assert store(iphone).platform.delay_ms == 49
    iphone.live = (router(xp=b"\x07" * 8),)
    assert store(iphone).platform.delay_ms == 49
    iphone.live = ()
    assert store(iphone).platform.delay_ms == 5000
    assert store(iphone, search_budget_ms=200).platform.delay_ms == 200


def test_entry_deleted_in_the_settings_is_gone_and_cannot_be_stored_again(iphone):
    store(iphone)
    store(iphone, agent=XA_2, dataset=DATASET_2)
    iphone.rows = delete_in_settings(iphone.rows, StoreFamily.APPLE, XA)
    result = store(iphone)

    assert result.platform.message == '"Can not store frozen credentials"'
    assert iphone("retrieveCredentials", borderAgentID=XA).verdict.rule == "no-credential"
    assert iphone("retrievePreferredCredentials").value.border_agent_id == XA_2


@pytest.mark.parametrize(
    ("outcome", "method", "rule", "code"),
    [
        ("apple-xpc", "storeCredentials", "helper-unreachable", 4099),
        ("apple-xpc", "retrievePreferredCredentials", "helper-unreachable", 4099),
        ("preferred-only", "storeCredentials", "helper-unreachable", 4099),
        ("preferred-only", "retrieveAllCredentials", "helper-unreachable", 4099),
        ("no-mdns-match", "storeCredentials", "no-meshcop-record", None),
        ("timed-out", "storeCredentials", "timed-out", None),
        ("frozen", "storeCredentials", "frozen", None),
        ("not-connected", "storeCredentials", "network-down", None),
        ("consent-denied", "retrievePreferredCredentials", "consent-denied", None),
    ],
)
def test_profile_outcome_decides_its_calls(iphone, outcome, method, rule, code):
    store(iphone)
    rows = iphone.rows
    arguments = {"borderAgentID": XA, "activeOperationalDataSet": NEWER} if method == "storeCredentials" else {}
    result = iphone(method, profile_outcome=ProfileOutcome.named(outcome), **arguments)

    assert (result.outcome, result.verdict.rule, result.platform.code) == ("refused", rule, code)
    assert result.rows == rows
    assert result.value is None


def test_founding_reports_state_is_preferred_only(iphone):
    store(iphone)
    outcome = ProfileOutcome.PREFERRED_ONLY

    assert iphone("retrievePreferredCredentials", profile_outcome=outcome).outcome == "done"
    refused = store(iphone, profile_outcome=outcome)
    assert refused.platform.delay_ms == 4
    assert refused.verdict.hint == "remove the outcome; the call would then end stored (live-record-matches)"


def test_apples_helper_error_quotes_what_the_phone_shows(iphone):
    result = iphone("retrieveAllCredentials", profile_outcome=ProfileOutcome.APPLE_XPC)

    assert result.verdict.symptom == 'NSCocoaErrorDomain 4099 "Couldn\'t communicate with a helper application"'


def test_outcome_of_another_platform_is_our_callers_mistake(iphone):
    with pytest.raises(LocalProtocolError, match="has no outcome 'storage-full'"):
        store(iphone, profile_outcome=ProfileOutcome.STORAGE_FULL)


def test_nearby_networks_are_new_in_27():
    older, newer = Phone(Platform.IOS_26, router()), Phone(Platform.IOS_27, router())
    for phone in (older, newer):
        store(phone, OTHER)
    method = "retrieveActiveCredentialsForNearbyNetworks"

    assert older(method).verdict.rule == "not-on-this-version"
    assert len(newer(method).value) == 1
    assert newer(method, consent=Consent.DENY).verdict.rule == "consent-denied"


def test_extended_pan_id_of_another_length_is_refused(iphone):
    assert iphone("retrieveCredentials", extendedPANID=ID).verdict.rule == "extended-pan-id-length"
    assert iphone("retrieveCredentials", extendedPANID="zz").verdict.rule == "extended-pan-id-not-hex"


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("addCredentials", {}, "ios-26 has no 'addCredentials'"),
        ("storeCredentials", {"borderAgentID": XA}, "needs the dataset"),
        ("deleteCredentials", {"borderAgentID": 7}, "is a int, expected bytes"),
    ],
)
def test_misuse_is_our_callers_mistake(iphone, method, arguments, message):
    with pytest.raises(LocalProtocolError, match=message):
        iphone(method, **arguments)
