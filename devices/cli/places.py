"""Where the demo home's file is, and what is remembered in the user's data folder."""

from pathlib import Path

DEMO_STATE = "demo-home"


def demo_home() -> Path:
    """The demo home's file: in the installed package, or in the checkout."""
    import devices

    package = Path(devices.__file__).parent
    installed = package / "_specs" / "homes" / "demo.toml"
    return installed if installed.exists() else package.parent / "specs" / "homes" / "demo.toml"


def demo_state() -> Path:
    """The folder in which the demo home and its phone are remembered between runs."""
    import platformdirs

    return platformdirs.user_data_path("pairlab") / DEMO_STATE
