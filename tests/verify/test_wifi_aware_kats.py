"""The checker of Wi-Fi Aware's known answers: the file passes, and does not once one answer is altered or gone."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.verify.formats import wifi_aware_kats
from tests.verify.replay import all_formats, replay_document

DOCUMENT = json.loads((Path(__file__).parents[1] / "vectors" / "wifi-aware" / "kats.json").read_text())
ANSWERS = {
    "service_id": ("service_id",),
    "nira_tag": ("tag", "npkid"),
    "sae_h2e_pt": (
        *("pwd_seed", "pwd_value_1", "u1", "pwd_value_2", "u2", "p1", "p2", "pt"),
        *("val_hash", "val", "pwe_x", "pwe_y", "commit_body"),
    ),
    "nd_pmk_from_passphrase": ("nd_pmk",),
    "nd_pmkid": ("nd_pmkid",),
    "nd_pmkid_published": ("nd_pmkid",),
    "nd_ptk": ("kck", "kek", "tk"),
    "from_nm_kdk": ("npk_opportunistic", "nm_kek", "nd_pmk"),
    "pasn_ptk": ("kck", "tk", "kdk", "mic"),
    "key_data_wrap": ("wrapped",),
    "ndp_auth_token_and_mic": ("auth_token", "mic"),
    "subscribe_srf": ("frame",),
}
"""The members of an entry that are answers, as the vectors' description lists them."""


def altered(value: str) -> str:
    return value[:-1] + ("1" if value[-1] == "0" else "0")


def test_whole_file_passes() -> None:
    assert replay_document(DOCUMENT, all_formats()) is None


def test_file_is_of_exactly_one_format() -> None:
    assert [each for each in all_formats() if each.recognises(DOCUMENT)] == [wifi_aware_kats]


def test_every_kind_of_entry_is_listed() -> None:
    assert {entry["kat"] for entry in DOCUMENT["kats"]} == {*ANSWERS} == {*wifi_aware_kats.KATS}


@pytest.mark.parametrize("index", range(len(DOCUMENT["kats"])))
def test_each_altered_or_missing_answer_fails(index: int) -> None:
    entry = DOCUMENT["kats"][index]
    survivors = []
    for name in ANSWERS[entry["kat"]]:
        changed: dict[str, Any] = copy.deepcopy(entry)
        changed[name] = altered(changed[name])
        failure = replay_document({"kats": [changed]}, [wifi_aware_kats])
        del changed[name]
        if failure is None or replay_document({"kats": [changed]}, [wifi_aware_kats]) is None:
            survivors.append(name)
    assert survivors == []


def test_entry_of_an_unknown_kind_fails() -> None:
    assert replay_document({"kats": [{"kat": "unheard-of"}]}, all_formats()) is not None
