"""The options that the commands of `pairlab thread` share: which home or border router, its key, how long to wait."""

from typing import Annotated

import typer

from devices.cli.control_client import DEFAULT_URL, URL_VARIABLE
from devices.cli.thread_secrets import FORMS, VARIABLES

_HOME, _ANY = "In a running home", "Any border router"
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        rich_help_panel=_HOME,
        help=f"The home's control API. (default: {URL_VARIABLE}, {DEFAULT_URL})",
    ),
]
TargetOption = Annotated[
    str,
    typer.Option(metavar="ID", rich_help_panel=_HOME, help="Which border router of the home. (default: the only one)"),
]
CommissionerOption = Annotated[
    str | None,
    typer.Option(
        "--commissioner",
        metavar="ID",
        rich_help_panel=_HOME,
        help="Which commissioner of the home. (default: the first)",
    ),
]
AddressOption = Annotated[
    str, typer.Option(metavar="HOST:PORT", rich_help_panel=_ANY, help="Where its Border Agent listens.")
]
NameOption = Annotated[
    str, typer.Option(metavar="NAME", rich_help_panel=_ANY, help="Its name on Bonjour, or its network's.")
]
ReachOption = Annotated[
    str | None,
    typer.Option(rich_help_panel=_ANY, help="Where to look for --name: loopback, all, or interface names."),
]
PskcOption = Annotated[
    str, typer.Option(metavar="HEX|@FILE|-", rich_help_panel=_ANY, help=f"The PSKc: {FORMS}; or {VARIABLES['pskc']}.")
]
PassphraseOption = Annotated[
    str,
    typer.Option(
        metavar="TEXT|@FILE|-",
        rich_help_panel=_ANY,
        help=f"The commissioner passphrase, with name and extended PAN ID; or {VARIABLES['passphrase']}.",
    ),
]
NetworkNameOption = Annotated[str, typer.Option(metavar="NAME", rich_help_panel=_ANY, help="For the passphrase.")]
ExtPanIdOption = Annotated[str, typer.Option(metavar="HEX", rich_help_panel=_ANY, help="For the passphrase.")]
CodeOption = Annotated[
    str,
    typer.Option(
        metavar="CODE|@FILE|-", rich_help_panel=_ANY, help=f"A sharing code instead of a PSKc; or {VARIABLES['code']}."
    ),
]
PatienceOption = Annotated[
    float, typer.Option("--patience", metavar="S", min=0.1, max=600, help="How many seconds to wait for an answer.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document.")]
IdOption = Annotated[
    str, typer.Option("--id", metavar="NAME", rich_help_panel=_ANY, help="What the commissioner calls itself.")
]
