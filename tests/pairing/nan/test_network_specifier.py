"""What Android's network specifier may say; the rules are those of its builder's source."""

import pytest

from pairing.errors import LocalProtocolError
from pairing.nan.attributes import CipherSuite
from pairing.nan.network_specifier import (
    DataPathSecurityConfig,
    NetworkSpecifier,
    judge_specifier,
    suite_of_android_bit,
)
from pairing.nan.platform_rules import DataPathSecurity

PASSPHRASE, PMK, PMKID = "eight characters", b"k" * 32, b"i" * 16
SHARED = DataPathSecurityConfig(suite=CipherSuite.NCS_SK_256, passphrase=PASSPHRASE)
PUBLIC = DataPathSecurityConfig(suite=CipherSuite.NCS_PK_2WDH_128, pmk=PMK, pmkid=PMKID)


@pytest.mark.parametrize(
    ("specifier", "security", "suite"),
    [
        (NetworkSpecifier(), DataPathSecurity.OPEN, 0),
        (NetworkSpecifier(is_paired=True), DataPathSecurity.PAIRED, 0),
        (NetworkSpecifier(passphrase=PASSPHRASE), DataPathSecurity.PASSPHRASE, CipherSuite.NCS_SK_128),
        (NetworkSpecifier(pmk=PMK), DataPathSecurity.PMK, CipherSuite.NCS_SK_128),
        (NetworkSpecifier(config=SHARED), DataPathSecurity.PASSPHRASE, CipherSuite.NCS_SK_256),
        (NetworkSpecifier(config=PUBLIC), DataPathSecurity.PMK, CipherSuite.NCS_PK_2WDH_128),
        (
            NetworkSpecifier(is_publisher=True, is_any_peer=True, passphrase=PASSPHRASE, port=8080),
            DataPathSecurity.PASSPHRASE,
            CipherSuite.NCS_SK_128,
        ),
        (
            NetworkSpecifier(is_publisher=True, is_paired=True, port=8080, transport_protocol=6),
            DataPathSecurity.PAIRED,
            0,
        ),
    ],
)
def test_a_specifier_that_keeps_the_rules_is_built(
    specifier: NetworkSpecifier, security: DataPathSecurity, suite: int
) -> None:
    assert judge_specifier(specifier).is_accepted
    assert (specifier.security, specifier.suite) == (security, suite)


@pytest.mark.parametrize(
    ("specifier", "rule", "symptom"),
    [
        (NetworkSpecifier(passphrase="short"), "passphrase-length", "IllegalArgumentException"),
        (NetworkSpecifier(passphrase="x" * 64), "passphrase-length", "IllegalArgumentException"),
        (NetworkSpecifier(pmk=b"k" * 31), "pmk-length", "IllegalArgumentException"),
        (NetworkSpecifier(passphrase=PASSPHRASE, pmk=PMK), "one-key", "IllegalStateException"),
        (NetworkSpecifier(passphrase=PASSPHRASE, config=SHARED), "one-key", "IllegalStateException"),
        (NetworkSpecifier(port=8080, passphrase=PASSPHRASE), "port-of-publisher", "IllegalStateException"),
        (NetworkSpecifier(is_any_peer=True), "any-peer", "IllegalStateException"),
        (NetworkSpecifier(is_publisher=True, port=8080), "port-on-secured-link", "IllegalStateException"),
        (NetworkSpecifier(is_publisher=True, port=0, passphrase=PASSPHRASE), "port", "IllegalArgumentException"),
        (
            NetworkSpecifier(is_publisher=True, transport_protocol=256, passphrase=PASSPHRASE),
            "transport-protocol",
            "IllegalArgumentException",
        ),
        (
            NetworkSpecifier(config=DataPathSecurityConfig(suite=3, pmk=PMK)),
            "public-key-suite",
            "IllegalStateException",
        ),
        (
            NetworkSpecifier(config=DataPathSecurityConfig(suite=3, passphrase=PASSPHRASE)),
            "public-key-suite",
            "IllegalStateException",
        ),
        (
            NetworkSpecifier(config=DataPathSecurityConfig(suite=4, pmk=PMK, pmkid=b"i")),
            "pmkid-length",
            "IllegalArgumentException",
        ),
        (
            NetworkSpecifier(config=DataPathSecurityConfig(suite=1)),
            "shared-key-suite",
            "IllegalStateException",
        ),
        (
            NetworkSpecifier(config=DataPathSecurityConfig(suite=1, pmk=b"k")),
            "pmk-length",
            "IllegalArgumentException",
        ),
        (
            NetworkSpecifier(config=DataPathSecurityConfig(suite=7, passphrase=PASSPHRASE)),
            "cipher-suite",
            "IllegalArgumentException",
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_exception(specifier: NetworkSpecifier, rule: str, symptom: str) -> None:
    verdict = judge_specifier(specifier)
    assert (verdict.is_accepted, verdict.rule, verdict.symptom) == (False, rule, symptom)


def test_keys_are_not_in_representations() -> None:
    shown = repr(NetworkSpecifier(passphrase=PASSPHRASE, pmk=PMK, config=PUBLIC))
    assert PASSPHRASE not in shown
    assert "kkk" not in shown
    assert "iii" not in shown


def test_android_numbers_its_suites_by_bits() -> None:
    assert suite_of_android_bit(16) == CipherSuite.NCS_PK_PASN_128
    with pytest.raises(LocalProtocolError, match="known are 1, 2, 4, 8, 16, 32"):
        suite_of_android_bit(7)
