"""Which generation of agent the REST API is, and what it can be made to say wrongly.

A profile is what the agent was built as; a lie is a misbehaviour that a test asks for, and can be switched while the
server runs.
"""

from dataclasses import dataclass
from types import MappingProxyType

from pairing.engine import Micros

API_VERSION = "0.5.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtbrProfile:
    """What an agent of some age offers. The default is a current one, with the additions that clients try."""

    api: bool = True
    """`/api/…` and the discovery document; without it clients write PascalCase members."""
    pascal_case: bool = False
    """Member names as before September 2025."""
    datasets: bool = True
    dataset_delete: bool = True
    """DELETE on the datasets is not upstream, but clients try it and packaged agents have it."""
    border_agent_id: bool = True
    ephemeral_key: bool = True
    factory_reset: bool = True
    """Without it, DELETE /node is 405."""
    api_version: str = API_VERSION


CURRENT = OtbrProfile()
PASCAL_CASE = OtbrProfile(api=False, pascal_case=True, ephemeral_key=False)
"""An agent from before the camelCase change."""
WITHOUT_DATASETS = OtbrProfile(
    api=False, pascal_case=True, datasets=False, border_agent_id=False, ephemeral_key=False, factory_reset=False
)
"""An agent from before there were dataset routes."""

PENDING_LIES = MappingProxyType(
    {
        "pending-rejected-by-leader": (409, "rejected by leader"),
        "pending-not-attached": (409, "no longer attached"),
        "pending-busy": (409, ""),
        "pending-no-answer": (504, ""),
    }
)
"""How newer agents refuse a good pending dataset, by lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtbrLies:
    """The lies in force. The default tells none."""

    pending: str | None = None
    """One of `PENDING_LIES`: every good PUT of a pending dataset is refused that way, and nothing is stored."""
    start_up_408: int = 0
    """So many requests from now on are answered 408."""
    old_agent: bool = False
    """404 on the dataset paths, `/api` and the discovery document, as an agent from before them."""
    slow_answer: Micros = 0
    """What each answer is held back, after the request took effect."""
    truncated_json: bool = False
    """Every JSON body ends halfway, with a Content-Length that fits what is sent."""

    def __post_init__(self) -> None:
        if self.pending is not None and self.pending not in PENDING_LIES:
            raise ValueError(
                f"{self.pending!r} is no lie about pending datasets, expected one of {sorted(PENDING_LIES)}"
            )


NO_LIES = OtbrLies()
