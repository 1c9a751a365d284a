"""A border router's dataset set by verb: JSON members change what is stored, as a PUT over REST does."""

from datetime import date
from typing import Any

import pytest

from devices.errors import ActionRefusedError
from pairing.thread.dataset import Dataset
from tests.support.thread_home import ThreadHome
from tests.support.thread_network import DATASET


def test_members_change_what_is_stored_and_no_more() -> None:
    with ThreadHome(1) as home:
        home.do("br1", "disable")
        home.do("br1", "set-dataset", dataset={"networkName": "After", "unknown": date(2026, 1, 1)})
        assert home.node("br1").active_dataset == DATASET.with_tlvs(Dataset.of(network_name="After"))


def test_over_nothing_members_make_a_whole_network() -> None:
    fresh = {"id": "fresh", "kind": "thread-border-router", "dataset": "none"}
    with ThreadHome(0, fresh) as home:
        home.do("fresh", "set-dataset", dataset={"networkName": "After"})
        stored = home.node("fresh").active_dataset
        assert stored is not None
        assert (stored.network_name, stored.missing("active")) == ("After", ())


def test_a_pending_dataset_holds_its_network_as_a_member() -> None:
    with ThreadHome(1) as home:
        home.do("br1", "set-dataset", kind="pending", dataset={"delay": 60_000, "activeDataset": {"networkName": "B"}})
        assert home.events("DatasetChanged", "br1")[-1]["network_name"] == "B"


@pytest.mark.parametrize(
    ("members", "status"), [({"networkName": "x" * 17}, 400), ({"networkKey": "00"}, 400), ({"extPanId": "zz"}, 400)]
)
def test_what_rest_would_refuse_is_refused_with_its_status(members: dict[str, Any], status: int) -> None:
    with ThreadHome(1) as home:
        home.do("br1", "disable")
        with pytest.raises(ActionRefusedError, match=f"is answered {status}"):
            home.do("br1", "set-dataset", dataset=members)
        assert home.node("br1").active_dataset == DATASET


def test_members_are_not_taken_while_thread_is_on() -> None:
    with ThreadHome(1) as home, pytest.raises(ActionRefusedError, match="only while Thread is disabled"):
        home.do("br1", "set-dataset", dataset={"networkName": "After"})
