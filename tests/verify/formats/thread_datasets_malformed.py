"""Vectors of datasets that are wrong in one way each: what OpenThread's `dataset set active` says to them."""

from typing import Any

from pairing.thread.dataset_rules import openthread_verdict
from tests.verify.mismatch import compare


def recognises(document: object) -> bool:
    """Whether this is a list of datasets with OpenThread's answers."""
    vectors = document.get("vectors") if isinstance(document, dict) else None
    return isinstance(vectors, list) and any(isinstance(v, dict) and "openthread_set_active" in v for v in vectors)


def check(document: dict[str, Any]) -> None:
    """Judge every dataset; any refusal matches any error. Raises Mismatch."""
    for index, vector in enumerate(document["vectors"]):
        verdict = openthread_verdict(bytes.fromhex(vector["hex"]), "active")
        answer = vector["openthread_set_active"]
        stated = "Error" if answer.startswith("Error ") else answer
        compare(f"vectors[{index}].openthread_set_active", stated, "Done" if verdict.accepted else "Error")
