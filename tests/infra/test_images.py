"""The images are built and run: `make test-image`, as root, some minutes."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import booted
from infra.images import Running, Store, what_is_missing

pytestmark = [
    pytest.mark.image,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(bool(what_is_missing()), reason=f"NO image is built: {what_is_missing()}"),
]

ASK_FOR_SPEECH = """
import io, json, urllib.request, wave
body = json.dumps({"model": "tts-1", "voice": "alloy", "input": "Hello.", "response_format": "wav"}).encode()
request = urllib.request.Request(
    "http://127.0.0.1:8001/v1/audio/speech", body, {"content-type": "application/json"}
)
with urllib.request.urlopen(request, timeout=30) as answer:
    samples = wave.open(io.BytesIO(answer.read())).readframes(24000)
print(len(samples), len(set(samples)))
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("images"))
    store.make_base()
    yield store
    store.buildah("rm", "--all")
    store.buildah("rmi", "--all", "--force")


def wait_until_healthy(running: Running, test: list[str]) -> None:
    """By the image's own health check."""
    assert test[0] == "CMD"
    deadline = time.monotonic() + 60
    while (done := running.run(*test[1:])).returncode:
        assert running.process.poll() is None, running.log.read_text()
        assert time.monotonic() < deadline, done.stderr + running.log.read_text()
        time.sleep(0.5)


def status_of(running: Running) -> dict[str, str]:
    lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def check_closed(running: Running) -> None:
    """It is nobody, and it can write where it should and nowhere else."""
    status = status_of(running)
    assert status["Uid"].split() == status["Gid"].split() == ["10001"] * 4
    assert int(status["CapEff"], 16) == 0
    for path in ("/opt/tts-ops/x", "/etc/x", "/x"):
        assert "Read-only file system" in running.run("touch", path).stderr
    assert running.run("touch", "/tmp/x", "/var/lib/ttsops/x").returncode == 0


def test_the_server_s_image_speaks(store: Store) -> None:
    config: dict[str, Any] = store.build("infra/docker/tts.Dockerfile", "localhost/ttsops-tts")
    assert config["User"] == "10001:10001"
    with store.running("localhost/ttsops-tts", config) as running:
        wait_until_healthy(running, config["Healthcheck"]["Test"])
        check_closed(running)
        done = running.run_outside([sys.executable, "-c", ASK_FOR_SPEECH])
        assert done.returncode == 0, done.stderr
        n_bytes, n_different = map(int, done.stdout.split())
        assert n_bytes > 10_000
        assert n_different > 50, "silence"
        assert running.stop() == 0, running.log.read_text()


def test_the_agent_s_image_answers(store: Store) -> None:
    config: dict[str, Any] = store.build("infra/docker/agent.Dockerfile", "localhost/ttsops-agent")
    with store.running("localhost/ttsops-agent", config, LLM_PROVIDER="echo") as running:
        wait_until_healthy(running, config["Healthcheck"]["Test"])
        check_closed(running)
        for extra in ("openai", "anthropic"):
            assert running.run("/opt/tts-ops/bin/python", "-c", f"import {extra}").returncode == 0
        assert running.stop() == 0, running.log.read_text()


def test_a_step_that_fails_fails_the_build(store: Store, tmp_path: Path) -> None:
    broken = tmp_path / "Dockerfile"
    text = (Path(__file__).parents[2] / "infra/docker/tts.Dockerfile").read_text()
    broken.write_text(text.replace("RUN python3 -m venv", "RUN python3 -m venv --no-such-option"))
    with pytest.raises(AssertionError, match="no-such-option"):
        store.build(str(broken), "localhost/broken")


@pytest.mark.skipif(bool(booted.what_is_missing()), reason=booted.what_is_missing())
def test_the_service_lives_under_a_booted_systemd(store: Store, tmp_path: Path) -> None:
    store.build("infra/docker/tts.Dockerfile", "localhost/ttsops-tts")
    container = store.buildah("from", "localhost/ttsops-tts")
    as_root = ("run", "--isolation=chroot", "--network=host", "--user=0:0", container, "--")
    install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd dbus"
    store.buildah(*as_root, "sh", "-c", install)
    machine = booted.Booted(Path(store.buildah("mount", container)), tmp_path / "log")
    try:
        machine.wait_until_up()
        check_a_life(machine)
    finally:
        machine.stop()
        store.buildah("rm", container)


def check_a_life(machine: booted.Booted) -> None:
    """Installed, heard, killed, started again, drained, removed."""
    installed = machine.run("ttsops", "service", "install", "--system")
    assert installed.returncode == 0, installed.stderr
    first = wait_until_it_speaks(machine)

    lines = machine.run("cat", f"/proc/{first}/status").stdout.splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert int(status["Uid"].split()[0]) >= 61184, "an account that systemd made for it"
    assert (int(status["CapEff"], 16), status["NoNewPrivs"], status["Seccomp"]) == (0, "1", "2")

    machine.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", "ttsops-tts")
    deadline = time.monotonic() + 30
    while state(machine)["pid"] in (first, None):
        assert time.monotonic() < deadline, "it was not started again"
        time.sleep(0.2)
    wait_until_it_speaks(machine)

    removed = machine.run("ttsops", "service", "uninstall", "--system")
    assert removed.returncode == 0, removed.stderr
    assert not state(machine)["is_installed"]
    said = machine.run("journalctl", "--unit=ttsops-tts", "--no-pager").stdout
    assert '"event":"draining"' in said
    assert "Failed with result" not in said.split('"event":"draining"')[1]

    # Without a provider the agent ends with code 2, and is not started again and again.
    without = machine.run("ttsops", "service", "install", "agent", "--system")
    assert "llm.provider" in without.stderr
    deadline = time.monotonic() + 30
    while "failed" not in state(machine, "agent")["detail"]:
        assert time.monotonic() < deadline, "it should have failed"
        time.sleep(0.2)
    shown = machine.run("systemctl", "show", "--property=NRestarts,ExecMainStatus", "ttsops-agent").stdout
    assert set(shown.split()) == {"NRestarts=0", "ExecMainStatus=2"}


def state(machine: booted.Booted, name: str = "tts") -> dict[str, Any]:
    done = machine.run("ttsops", "service", "status", name, "--system", "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["is_running"] else 3)
    return found


def wait_until_it_speaks(machine: booted.Booted) -> int:
    """Its process."""
    deadline = time.monotonic() + 60
    while (heard := machine.run("python3", "-c", ASK_FOR_SPEECH)).returncode:
        assert time.monotonic() < deadline, heard.stderr
        time.sleep(0.5)
    n_bytes, n_different = map(int, heard.stdout.split())
    assert n_bytes > 10_000
    assert n_different > 50, "silence"
    pid = state(machine)["pid"]
    assert isinstance(pid, int)
    return pid
