"""What a PASN frame must hold to be taken: each rule raises the error that names it, with the status that answers it.

`PasnFrame` has split the frame before; keys and MICs are `exchange`'s business.
Source: IEEE 802.11az-2022, 12.13; statuses as NAN devices answer.
"""

from pairing.crypto.curves import PublicKey
from pairing.errors import DecodeError, NegotiationError, RemoteProtocolError
from pairing.ieee80211.elements import Akm, CipherSuite, PasnParameters, Rsne, WrappedDataFormat
from pairing.ieee80211.frames import StatusCode
from pairing.pasn.events import PasnMode
from pairing.pasn.key_schedule import PasnSuite
from pairing.pasn.messages import COMPRESSED_EVEN, COMPRESSED_ODD, UNCOMPRESSED, PasnFrame


def check_rsne(frame: PasnFrame) -> Rsne:
    """The RSNE of frame 1 or 2, if PASN allows it: one AKM, management frame protection required, no group ciphers."""
    try:
        rsne = frame.rsne
    except DecodeError as error:
        raise _bad_rsne(frame, error.reason) from None
    none = CipherSuite.GROUP_ADDRESSED_NOT_ALLOWED
    if rsne.version != 1 or len(rsne.akms) != 1 or not rsne.pairwise or len(rsne.pmkids) > 1:
        counts = f"{len(rsne.akms)} AKMs, {len(rsne.pairwise)} pairwise ciphers, {len(rsne.pmkids)} PMKIDs"
        raise _bad_rsne(frame, f"version {rsne.version}, {counts}, expected version 1, one AKM, at most one PMKID")
    if (rsne.group, rsne.group_management) != (none, none):
        raise _bad_rsne(frame, "a group cipher is set, expected 00-0f-ac:7 (not allowed)")
    if not rsne.capabilities & Rsne.MFP_REQUIRED or not rsne.capabilities & Rsne.MFP_CAPABLE:
        raise _bad_rsne(frame, f"capabilities {rsne.capabilities:#06x}, expected MFPC and MFPR (0x00c0)")
    return rsne


def _bad_rsne(frame: PasnFrame, reason: str) -> NegotiationError:
    return NegotiationError(f"PASN frame {frame.transaction}: RSNE: {reason}", StatusCode.INVALID_RSNE)


def check_parameters(frame: PasnFrame) -> PasnParameters:
    """The PASN Parameters of frame 1 or 2."""
    try:
        return frame.parameters
    except DecodeError as error:
        message = f"PASN frame {frame.transaction}: {error.reason}"
        raise RemoteProtocolError(message, StatusCode.INVALID_PARAMETERS) from None


def check_public_key(frame: PasnFrame, parameters: PasnParameters, suite: PasnSuite) -> PublicKey:
    """The peer's ephemeral key, in the suite's group."""
    where = f"PASN frame {frame.transaction}"
    if parameters.group is None:
        raise RemoteProtocolError(f"{where}: no group and public key", StatusCode.INVALID_PARAMETERS)
    if parameters.group != suite.group:
        raise NegotiationError(
            f"{where}: group {parameters.group}, expected {suite.group} for suite {suite.number}",
            StatusCode.UNSUPPORTED_FINITE_CYCLIC_GROUP,
        )
    form = parameters.public_key[:1]
    if form not in (bytes((each,)) for each in (COMPRESSED_EVEN, COMPRESSED_ODD, UNCOMPRESSED)):
        raise RemoteProtocolError(
            f"{where}: key format {form.hex() or 'missing'}, expected 02, 03 or 04", StatusCode.INVALID_PUBLIC_KEY
        )
    try:
        return suite.curve.load_public_key(parameters.public_key)
    except DecodeError as error:
        raise RemoteProtocolError(f"{where}: {error.reason}", StatusCode.INVALID_PARAMETERS) from None


def mode_of(frame: PasnFrame, rsne: Rsne, parameters: PasnParameters) -> PasnMode:
    """What a frame 1 asks for."""
    if parameters.wrapped_format == WrappedDataFormat.SAE:
        if rsne.akms[0] != Akm.SAE or frame.wrapped is None:
            raise RemoteProtocolError(
                "PASN frame 1: format SAE goes with AKM SAE and Wrapped Data", StatusCode.UNSPECIFIED_FAILURE
            )
        return PasnMode.PASSWORD
    if parameters.wrapped_format != WrappedDataFormat.NONE:
        raise RemoteProtocolError(
            f"PASN frame 1: wrapped data format {parameters.wrapped_format}, expected 0 or 3",
            StatusCode.UNSPECIFIED_FAILURE,
        )
    if rsne.pmkids:
        return PasnMode.CACHED
    if rsne.akms[0] == Akm.PASN:
        return PasnMode.OPPORTUNISTIC
    raise NegotiationError("PASN frame 1: AKM SAE with neither Commit nor PMKID", StatusCode.BASE_AKMP_FAILED)
