"""What platforms accept and how they word failures: each rule with its source, every case within reach."""

import pytest

from pairing.nan.attributes import BootstrappingMethods
from pairing.nan.bootstrapping_rules import ANDROID_FRAMEWORK, IOS_26_PUBLISHER, REFERENCE_PEER
from pairing.nan.platform_failures import (
    ANDROID_CIPHER_SUITE_BITS,
    ANDROID_LIMITS_MS,
    SITUATION_OF_ERROR,
    Activity,
    NanStatus,
    Situation,
    WAError,
    platform_failure,
)
from pairing.nan.platform_rules import (
    DataPathSecurity,
    Evidence,
    NanPlatform,
    UnknownPlatformError,
    bootstrapping_rules,
    judge_bootstrapping_method,
    judge_data_path,
    judge_meeting,
    judge_service_name,
    lint_service_name,
)

M = BootstrappingMethods
IOS, ANDROID, OLD_ANDROID, HOSTAP, RAW = (
    NanPlatform.named(name) for name in ("ios-26", "android-17", "android-11", "hostap", "raw")
)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("_sat-simulation._udp", None),
        ("_example-service._tcp", None),
        ("_A._tcp", None),
        ("_abcdefghijklmno._udp", None),
        ("_abcdefghijklmnop._udp", "label-length"),
        ("_._udp", "label-length"),
        ("_with space._udp", "label-characters"),
        ("_grün._udp", "label-characters"),
        ("_under_score._udp", "label-characters"),
        ("_123._udp", "label-letter"),
        ("_-a._udp", "label-edges"),
        ("_a-._udp", "label-edges"),
        ("_a--b._udp", "label-hyphens"),
        ("com.example.pairing", "name-form"),
        ("_camera._sctp", "name-form"),
        ("_camera", "name-form"),
        ("camera._udp", "name-form"),
        ("_camera._udp.local", "name-form"),
        ("", "name-form"),
    ],
)
def test_apples_grammar_names_the_rule_that_is_broken(name: str, broken: str | None) -> None:
    verdict = judge_service_name(IOS, name)
    assert verdict.is_accepted is (broken is None)
    if broken is not None:
        assert (verdict.rule, verdict.symptom) == (broken, "the framework crashes the app")
        assert verdict.expected
        assert verdict.came


@pytest.mark.parametrize(
    ("platform", "name", "broken"),
    [
        (ANDROID, "_sat-simulation._udp", None),
        (OLD_ANDROID, "_sat-simulation._udp", "name-underscore"),
        (OLD_ANDROID, "com.example.pairing", None),
        (ANDROID, "grün", None),
        (ANDROID, "two words", "name-characters"),
        (ANDROID, "", "name-length"),
        (ANDROID, "ü" * 128, "name-length"),
        (HOSTAP, "two words", None),
        (RAW, "", "name-not-empty"),
    ],
)
def test_other_platforms_have_rules_of_their_own(platform: NanPlatform, name: str, broken: str | None) -> None:
    verdict = judge_service_name(platform, name)
    assert verdict.is_accepted is (broken is None)
    assert broken is None or verdict.rule == broken


def test_lint_gives_service_id_verdicts_and_notes() -> None:
    lint = lint_service_name("_Example-Service._tcp")
    assert (lint.service_id.hex(), lint.service_id_as_spelled.hex()) == ("c57ed9d5d167", "1cee8e8656ce")
    assert [name for name, verdict in lint.verdicts if not verdict.is_accepted] == ["android-11"]
    assert len(lint.notes) == 2
    assert lint_service_name("_camera._udp").notes == ()


def test_platforms_are_named_by_their_profiles() -> None:
    assert NanPlatform.named("apple") == NanPlatform.named("ios-27")
    assert NanPlatform.named("google") == ANDROID
    assert [NanPlatform.named(f"android-{version}").api_level for version in (11, 12, 14, 17)] == [30, 31, 34, 37]
    for name in ("symbian-3", "ios-x", ""):
        with pytest.raises(UnknownPlatformError):
            NanPlatform.named(name)


def test_each_platform_bootstraps_its_own_way() -> None:
    assert bootstrapping_rules(IOS).profile is IOS_26_PUBLISHER
    assert bootstrapping_rules(ANDROID).profile is ANDROID_FRAMEWORK
    assert bootstrapping_rules(HOSTAP).profile is REFERENCE_PEER
    assert bootstrapping_rules(OLD_ANDROID).as_publisher == M.NONE
    assert not bootstrapping_rules(ANDROID).as_publisher & M.SERVICE_MANAGED


@pytest.mark.parametrize(
    ("platform", "method", "is_publisher", "is_offered"),
    [
        (IOS, M.PIN_DISPLAY, True, True),
        (IOS, M.PIN_DISPLAY, False, False),
        (IOS, M.PIN_KEYPAD, False, True),
        (IOS, M.QR_DISPLAY, True, False),
        (ANDROID, M.QR_SCAN, True, True),
        (RAW, M.SERVICE_MANAGED, True, True),
    ],
)
def test_methods_depend_on_platform_and_role(
    platform: NanPlatform, method: BootstrappingMethods, is_publisher: bool, is_offered: bool
) -> None:
    assert judge_bootstrapping_method(platform, method, is_publisher=is_publisher).is_accepted is is_offered


@pytest.mark.parametrize("security", DataPathSecurity)
def test_an_iphone_opens_paired_data_paths_only(security: DataPathSecurity) -> None:
    verdict = judge_data_path(IOS, security)
    assert verdict.is_accepted is (security is DataPathSecurity.PAIRED)
    assert verdict.evidence is Evidence.REPORTED
    assert judge_data_path(ANDROID, security).is_accepted
    assert judge_data_path(HOSTAP, security).is_accepted
    assert judge_data_path(OLD_ANDROID, security).is_accepted is (security is not DataPathSecurity.PAIRED)


def test_an_android_meets_an_iphone_only_since_17() -> None:
    assert judge_meeting(IOS, ANDROID).is_accepted
    refused = judge_meeting(NanPlatform.named("android-16"), IOS)
    assert (refused.is_accepted, refused.came) == (False, "Android 16")
    assert judge_meeting(IOS, IOS).is_accepted
    assert judge_meeting(OLD_ANDROID, HOSTAP).is_accepted


def test_every_case_of_apples_error_can_be_produced() -> None:
    produced = {
        platform_failure(IOS, Activity.DATA_PATH, situation, is_publisher=side).case
        for situation in Situation
        for side in (True, False)
    }
    assert produced == {case.value for case in WAError}
    assert len(produced) == 15


@pytest.mark.parametrize("situation", Situation)
@pytest.mark.parametrize("activity", Activity)
def test_every_failure_has_a_word_on_android(activity: Activity, situation: Situation) -> None:
    failure = platform_failure(ANDROID, activity, situation)
    assert failure.code is not None
    assert failure.case == NanStatus(failure.code).name
    assert failure.callback.startswith("on")


def test_an_iphone_keeps_pairing_failures_to_itself() -> None:
    for activity in (Activity.BOOTSTRAPPING, Activity.PAIRING, Activity.VERIFICATION):
        assert platform_failure(IOS, activity, Situation.NOT_AUTHENTIC).case is None


def test_android_names_the_callback_of_what_failed() -> None:
    assert platform_failure(ANDROID, Activity.BOOTSTRAPPING, Situation.REJECTED).callback == "onBootstrappingFailed"
    assert platform_failure(ANDROID, Activity.DATA_PATH, Situation.IDLE).callback == "onLost"
    assert platform_failure(ANDROID, Activity.PUBLISH, Situation.SESSION_TIMEOUT).callback == "onSessionTerminated"
    assert platform_failure(RAW, Activity.PAIRING, Situation.REJECTED).case == "rejected"


def test_every_error_of_the_engines_is_a_situation() -> None:
    import pairing.errors as errors

    named = {name for name, each in vars(errors).items() if isinstance(each, type) and each.__subclasses__() == []}
    assert named <= set(SITUATION_OF_ERROR)


def test_figures_are_those_of_the_framework() -> None:
    assert ANDROID_LIMITS_MS["bootstrapping-confirm"] == ANDROID_FRAMEWORK.timeout // 1000  # type: ignore[operator]
    assert ANDROID_CIPHER_SUITE_BITS[7] == 16
