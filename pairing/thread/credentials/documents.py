"""Credential calls as JSON documents, for the control API and the command line: snake_case, bytes in lower-case hex.

Secrets (datasets, network keys, PSKcs) are left out unless they are asked for.
"""

from dataclasses import asdict, fields

from pairing.thread.credentials.records import CallResult, Credentials, Value, Verdict


def verdict_document(verdict: Verdict) -> dict[str, str]:
    """The six texts of a verdict."""
    return asdict(verdict)


def result_document(result: CallResult, *, secrets: bool = False) -> dict[str, object]:
    """The end of a call: outcome, verdict, what the platform shows, and the value that the app gets."""
    return {
        "outcome": result.outcome,
        "verdict": verdict_document(result.verdict),
        "platform": asdict(result.platform),
        "prompted": result.prompted,
        "value": _value_document(result.value, secrets),
    }


def _value_document(value: Value, secrets: bool) -> object:
    if isinstance(value, Credentials):
        return _credentials_document(value, secrets)
    if isinstance(value, tuple):
        return [_credentials_document(credentials, secrets) for credentials in value]
    return value


def _credentials_document(credentials: Credentials, secrets: bool) -> dict[str, object]:
    document: dict[str, object] = {}
    for field in fields(credentials):
        if secrets or not field.metadata.get("secret"):
            value = getattr(credentials, field.name)
            document[field.name] = value.hex() if isinstance(value, bytes) else value
    return document
