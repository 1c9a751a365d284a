"""A D-Bus of our own: a `dbus-daemon` that listens in a private folder and lets this user do everything."""

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path

from devices.errors import TransportUnavailableError

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""
_GRACE_SECONDS = 5


class PrivateBus:
    """One daemon; `address` is what clients take as DBUS_SYSTEM_BUS_ADDRESS."""

    def __init__(self, process: asyncio.subprocess.Process, folder: "tempfile.TemporaryDirectory[str]") -> None:
        self._process = process
        self._folder = folder
        self.address = f"unix:path={Path(folder.name) / 'bus'}"

    @classmethod
    async def open(cls) -> "PrivateBus":
        """Raises TransportUnavailableError where there is no dbus-daemon, or it does not start."""
        program = shutil.which("dbus-daemon")
        if program is None:
            raise TransportUnavailableError(
                "BlueZ clients need a D-Bus daemon, and there is no dbus-daemon here (Debian: apt install dbus)"
            )
        folder = tempfile.TemporaryDirectory(prefix="pairlab-bus-")
        config = Path(folder.name) / "bus.conf"
        config.write_text(_CONFIG.format(socket=Path(folder.name) / "bus"), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            program,
            f"--config-file={config}",
            "--nofork",
            "--nopidfile",
            "--print-address",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        bus = cls(process, folder)
        try:
            assert process.stdout is not None  # noqa: S101 - it was asked for
            said = await asyncio.wait_for(process.stdout.readline(), _GRACE_SECONDS)
        except TimeoutError:
            said = b""
        if not said:
            await bus.close()
            raise TransportUnavailableError(f"{program} did not start; try it by hand with --session --print-address")
        return bus

    async def close(self) -> None:
        """End the daemon; its clients are disconnected."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), _GRACE_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._folder.cleanup()
