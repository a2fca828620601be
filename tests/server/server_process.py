"""The real server in a process of its own, as `ttsops serve` runs it."""

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ttsops.settings import ServerSettings, Settings

DRIVER = """
import sys
import msgspec
from ttsops.errors import TtsOpsError
from ttsops.observe import logs
from ttsops.server.serve import serve
from ttsops.settings import Settings
if __name__ == "__main__":
    logs.configure("info", "json")
    try:
        sys.exit(serve(msgspec.json.decode(sys.argv[1], type=Settings)))
    except TtsOpsError as error:
        sys.exit(f"error: {error.code}: {error}")
"""


class Process:
    """A server, and what it has said on stderr."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        script = directory / "driver.py"
        script.write_text(DRIVER)
        self.popen = subprocess.Popen(
            [sys.executable, str(script), msgspec.json.encode(settings).decode()],
            stderr=subprocess.PIPE,
            text=True,
            cwd=directory,
        )
        self.lines: list[str] = []
        self._is_ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self.lines.append(line)
            if "curl" in line:
                self._is_ready.set()
        self._is_ready.set()

    @property
    def said(self) -> str:
        return "".join(self.lines)

    @property
    def url(self) -> str:
        assert self._is_ready.wait(30), "it never got ready"
        found = re.search(r"http://[0-9.]+:[0-9]+", self.said)
        assert found, self.said
        return found.group()

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def wait(self) -> int:
        code = self.popen.wait(20)
        self._reader.join(10)
        return code

    def kill(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.wait()
        assert self.popen.stderr is not None
        self.popen.stderr.close()


@contextlib.contextmanager
def running(settings: Settings, directory: Path) -> Iterator[Process]:
    process = Process(settings, directory)
    try:
        yield process
    finally:
        process.kill()


def any_port(settings: Settings, **server: Any) -> Settings:
    return msgspec.structs.replace(settings, server=ServerSettings(port=0, **server))
