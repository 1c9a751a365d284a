"""Makes a complete, valid Active Dataset: what is given is taken, what is missing is drawn.

`generate` takes field values, `from_fields` the table of a home file, in the forms that `dataset_forms` reads. Both
draw the same bytes whatever is given, so that naming one field does not change the others of a seed.
"""

from collections.abc import Mapping

from pairing.engine import Entropy
from pairing.errors import EncodeError
from pairing.thread.dataset import Dataset
from pairing.thread.dataset_forms import DatasetFieldError, read_fields
from pairing.thread.dataset_rules import strict_findings
from pairing.thread.fields import (
    ALL_CHANNELS,
    DEFAULT_SECURITY_POLICY,
    FIRST_CHANNEL,
    LAST_CHANNEL,
    PAGE_24_GHZ,
    Channel,
    ChannelMask,
    SecurityPolicy,
    Timestamp,
)
from pairing.thread.pskc import derive_pskc
from pairing.thread.tlvs import MeshCopTlvType


def generate(
    entropy: Entropy,
    *,
    network_name: str | None = None,
    channel: int | None = None,
    pan_id: int | None = None,
    ext_pan_id: bytes | None = None,
    network_key: bytes | None = None,
    pskc: bytes | None = None,
    passphrase: str | bytes | None = None,
    mesh_local_prefix: bytes | None = None,
    seconds: int = 1,
    active_timestamp: Timestamp | None = None,
    wakeup_channel: int | None = None,
    channel_mask: ChannelMask | None = None,
    security_policy: SecurityPolicy | None = None,
    pending_timestamp: Timestamp | None = None,
    delay_timer_ms: int | None = None,
) -> Dataset:
    """A dataset as current stacks create it, Wake-up Channel included. `passphrase` stands in for `pskc`."""
    if pskc is not None and passphrase is not None:
        raise DatasetFieldError("passphrase", "expected either a PSKc or the passphrase that it is derived from")
    drawn = _Drawn(entropy)
    pan_id = drawn.pan_id if pan_id is None else pan_id
    network_name = f"OpenThread-{pan_id:04x}" if network_name is None else network_name
    ext_pan_id = drawn.ext_pan_id if ext_pan_id is None else ext_pan_id
    if passphrase is not None:
        pskc = derive_pskc(passphrase, network_name, ext_pan_id)
    return Dataset.of(
        active_timestamp=active_timestamp or Timestamp(seconds),
        channel=Channel(PAGE_24_GHZ, drawn.channel if channel is None else channel),
        wakeup_channel=Channel(PAGE_24_GHZ, drawn.wakeup_channel if wakeup_channel is None else wakeup_channel),
        channel_mask=channel_mask or ALL_CHANNELS,
        ext_pan_id=ext_pan_id,
        mesh_local_prefix=drawn.mesh_local_prefix if mesh_local_prefix is None else mesh_local_prefix,
        network_key=drawn.network_key if network_key is None else network_key,
        network_name=network_name,
        pan_id=pan_id,
        pskc=drawn.pskc if pskc is None else pskc,
        security_policy=security_policy or DEFAULT_SECURITY_POLICY,
        pending_timestamp=pending_timestamp,
        delay_timer_ms=delay_timer_ms,
    )


class _Drawn:
    """Every field that chance can fill, always drawn in the same order."""

    def __init__(self, entropy: Entropy) -> None:
        self.network_key = entropy(16)
        self.pskc = entropy(16)
        self.ext_pan_id = entropy(8)
        self.mesh_local_prefix = b"\xfd" + entropy(7)
        self.pan_id = int.from_bytes(entropy(4), "big") % 0xFFFF  # never the broadcast PAN ID ffff
        self.channel = FIRST_CHANNEL + entropy(1)[0] % _CHANNELS
        self.wakeup_channel = FIRST_CHANNEL + entropy(1)[0] % _CHANNELS


_CHANNELS = LAST_CHANNEL - FIRST_CHANNEL + 1


def from_fields(fields: Mapping[str, object], entropy: Entropy) -> Dataset:
    """The dataset that a home file's table describes; `DatasetFieldError` names a field that is unknown or bad.

    `wakeup_channel = false` leaves that TLV out; `more_tlvs` is hexadecimal text of further TLVs, appended. What breaks
    a rule of the specification is refused: a dataset that is wrong on purpose is written as hexadecimal TLVs.
    """
    read = read_fields(fields)
    without_wakeup = read.get("wakeup_channel") is False
    if without_wakeup:
        del read["wakeup_channel"]
    more = read.pop("more_tlvs", None)
    try:
        dataset = generate(entropy, **read)  # type: ignore[arg-type]  # each form gives what its field takes
    except DatasetFieldError:
        raise
    except EncodeError as error:
        raise DatasetFieldError("dataset", str(error)) from None
    if without_wakeup:
        dataset = dataset.without(MeshCopTlvType.WAKEUP_CHANNEL)
    if isinstance(more, Dataset):
        dataset = dataset.with_tlvs(more)
    for finding in strict_findings(dataset.encode(), "pending" if "pending_timestamp" in read else "active"):
        raise DatasetFieldError("dataset", f"{finding.rule}: expected {finding.expected}, got {finding.came}")
    return dataset
