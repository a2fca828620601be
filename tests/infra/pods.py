"""A container of the chart as a process of this machine: its arguments, settings, probes and end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from infra.chart import ROOT, Manifest, container_of, pod_of, settings_of

OUTSIDE = ("TTSOPS_", "TTS_", "LLM_", "HF_", "OPENAI_", "ANTHROPIC_")
"""Variables of whoever runs the tests; a container has none of them."""


def localized(text: str, paths: Mapping[str, Path | str]) -> str:
    """With folders of a container, and names of Services, as they are here."""
    for inside, here in paths.items():
        text = text.replace(inside, str(here))
    return text


class Container:
    """One that runs, or one that is run to its end."""

    def __init__(
        self,
        manifests: list[Manifest],
        part: str,
        folder: Path,
        paths: Mapping[str, Path | str] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        """`paths` are those of its mounts and the hosts it calls; `secrets` values of Secrets by name."""
        self.spec = container_of(manifests, part)
        self.pod = pod_of(manifests, part)
        self.port = next(port["containerPort"] for port in self.spec["ports"] if port["name"] == "http")
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        self._folder = folder
        self._paths = {"/etc/ttsops/settings": folder, "0.0.0.0": "127.0.0.1", **(paths or {})}
        self._secrets = secrets or {}
        folder.mkdir(parents=True)
        (folder / "ttsops.toml").write_text(localized(settings_of(manifests, part), self._paths))
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, spec: Manifest) -> subprocess.CompletedProcess[str]:
        """Another container of the same pod, or of the test's: to its end."""
        command = self._command(spec)
        return subprocess.run(
            command, cwd=self._folder, env=self._env(spec), capture_output=True, text=True, check=False
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Started, and waited for as the startup probe does."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(self.spec), cwd=self._folder, env=self._env(self.spec), stdout=log, stderr=log
            )
        try:
            probe = self.spec["startupProbe"]
            ends_at = time.monotonic() + probe["failureThreshold"] * probe["periodSeconds"]
            while not self.probe("startupProbe"):
                assert self._process.poll() is None, self.log.read_text()
                assert time.monotonic() < ends_at, "the startup probe gave up"
                time.sleep(0.05)
            yield
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()

    def probe(self, name: str) -> bool:
        """As the kubelet asks: the container's own path and port."""
        probe = self.spec[name]
        assert probe["httpGet"]["port"] == "http"
        try:
            answer = httpx.get(
                self.url + probe["httpGet"]["path"], timeout=probe["timeoutSeconds"], trust_env=False
            )
        except httpx.TransportError:
            return False
        return 200 <= answer.status_code < 400

    def terminate(self) -> None:
        """SIGTERM, which Kubernetes sends after preStop."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Its exit code. Raises if it had to be killed: after the grace, of which preStop was a part."""
        assert self._process
        grace = self.pod["terminationGracePeriodSeconds"] - self.pre_stop_seconds
        return self._process.wait(grace)

    @property
    def pre_stop_seconds(self) -> int:
        seconds: int = self.spec["lifecycle"]["preStop"]["sleep"]["seconds"]
        return seconds

    def _command(self, spec: Manifest) -> list[str]:
        entrypoint = (ROOT / "infra/docker/tts.Dockerfile").read_text()
        assert 'ENTRYPOINT ["ttsops"]' in entrypoint
        return [sys.executable, "-m", "ttsops", *(localized(word, self._paths) for word in spec["args"])]

    def _env(self, spec: Manifest) -> dict[str, str]:
        own = {}
        for one in spec.get("env", ()):
            key = one.get("valueFrom", {}).get("secretKeyRef", {}).get("name", "")
            own[one["name"]] = self._secrets[key] if key else localized(one["value"], self._paths)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
        return clean | own | {"HOME": str(self._folder)}
