"""Weights on their way into a pod: what the init containers of the chart run is run here."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from e2e.conftest import free_port
from infra.chart import ROOT, Manifest, Values, pod_of, render
from infra.pods import Container, localized
from models.conftest import COMMIT, REPO, sha256, sharded_files, write_model

pytestmark = [pytest.mark.programs, pytest.mark.usefixtures("has_helm")]

MINE = {"repo": REPO, "revision": COMMIT, "manifest": "/models/mine.json"}
"""A model as `models` in the settings has it: from the hub, with a manifest."""


def write_manifest(path: Path, files: Mapping[str, bytes], repo: str = "", revision: str = "") -> None:
    facts = [{"path": name, "bytes": len(data), "sha256": sha256(data)} for name, data in files.items()]
    model = {"name": "mine", "repo": repo, "revision": revision, "files": facts}
    path.write_text(json.dumps({"format": "ttsops-models/1", "models": [model]}))


class Pod:
    """What comes before the server, with /models in a folder of this machine."""

    def __init__(self, values: Values, models: Path, folder: Path) -> None:
        manifests = render(values)
        self._paths = {"/models": models}
        self._container = Container(manifests, "tts", folder, self._paths)
        self._steps: dict[str, Manifest] = {
            one["name"]: one for one in pod_of(manifests, "tts")["initContainers"]
        }

    def verify(self) -> subprocess.CompletedProcess[str]:
        return self._container.run(self._steps["verify-models"])

    def copy(self, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """By the `aws` of this machine."""
        step = self._steps["copy-models"]
        args = [str(self._paths.get(word, word)) for word in step["args"]]
        return run([*step["command"], *args], env)


def run(command: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)


def test_damaged_weights_keep_a_pod_from_starting(tmp_path: Path) -> None:
    """On weights that are whole, damaged, and away."""
    files = sharded_files()
    mine = tmp_path / "models" / "mine"
    mine.mkdir(parents=True)
    for name, data in files.items():
        (mine / name).write_bytes(data)
    write_manifest(tmp_path / "models" / "mine.json", files)
    models = {"mine": {"path": "/models/mine", "manifest": "/models/mine.json"}}
    values: Values = {
        "tts": {"settings": {"models": models}},
        "models": {"source": "pvc", "names": ["mine"], "volume": {"claim": "weights"}},
    }
    pod = Pod(values, tmp_path / "models", tmp_path / "pod")
    whole = pod.verify()
    assert whole.returncode == 0, whole.stdout + whole.stderr
    shard = mine / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1] + b"\x01")
    damaged = pod.verify()
    assert damaged.returncode == 1
    assert shard.name in damaged.stdout
    assert "checksum" in damaged.stdout
    shard.unlink()
    assert pod.verify().returncode == 1


def test_weights_without_links_are_whole(tmp_path: Path) -> None:
    """As a bucket holds them: what links lead to, and no blobs."""
    files = sharded_files()
    write_model(tmp_path / "hub", files)
    shutil.copytree(tmp_path / "hub", tmp_path / "models", ignore=shutil.ignore_patterns("blobs"))
    assert not [path for path in (tmp_path / "models").rglob("*") if path.is_symlink()]
    write_manifest(tmp_path / "models" / "mine.json", files, REPO, COMMIT)
    pod = Pod(from_bucket(""), tmp_path / "models", tmp_path / "pod")
    whole = pod.verify()
    assert whole.returncode == 0, whole.stdout + whole.stderr
    config = next((tmp_path / "models").rglob("config.json"))
    config.write_bytes(config.read_bytes().replace(b"64", b"65"))
    damaged = pod.verify()
    assert (damaged.returncode, "checksum" in damaged.stdout) == (1, True)


def from_bucket(endpoint: str) -> Values:
    return {
        "tts": {"settings": {"models": {"mine": MINE}}},
        "models": {
            "source": "s3",
            "names": ["mine"],
            "s3": {"uri": "s3://my-models/hub", "endpoint": endpoint},
        },
    }


# ---- a bucket: `pip install awscli 'moto[s3,server]'`, in an environment of its own --------------


def answers(program: str, *words: str) -> bool:
    """It is here, and more than a name that leads nowhere."""
    found = shutil.which(program)
    return found is not None and run([found, *words], {}).returncode == 0


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Its endpoint, and the environment with which it is reached."""
    if not (answers("aws", "--version") and answers("moto_server", "--help")):
        pytest.skip("no aws and moto_server on the PATH: NOTHING is copied from a bucket")
    port = free_port()
    env = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "NO_PROXY": "127.0.0.1",
    }
    with (tmp_path / "moto.log").open("w") as log:
        process = subprocess.Popen(
            ["moto_server", "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
        )
    try:
        ends_at = time.monotonic() + 30
        while True:
            try:
                httpx.get(env["AWS_ENDPOINT_URL"], trust_env=False)
                break
            except httpx.TransportError:
                assert time.monotonic() < ends_at
                time.sleep(0.1)
        made = run(["aws", "s3", "mb", "s3://my-models"], env)
        assert made.returncode == 0, made.stderr
        yield env["AWS_ENDPOINT_URL"], env
    finally:
        process.terminate()
        process.wait(10)


def test_what_the_page_uploads_is_copied_and_whole(
    bucket: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    endpoint, env = bucket
    page = (ROOT / "docs" / "operate" / "kubernetes.md").read_text()
    [upload] = re.findall(r"^aws s3 sync ~/.cache/huggingface/hub .*", page, re.M)
    files = sharded_files()
    write_model(tmp_path / "hub", files)
    write_manifest(tmp_path / "hub" / "mine.json", files, REPO, COMMIT)
    lock = tmp_path / "hub" / ".locks" / "models--acme--small-voice" / "x.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    command = shlex.split(localized(upload, {"~/.cache/huggingface/hub": tmp_path / "hub"}))
    uploaded = run(command, env)
    assert uploaded.returncode == 0, uploaded.stderr

    models = tmp_path / "models"
    models.mkdir()
    pod = Pod(from_bucket(endpoint), models, tmp_path / "pod")
    copied = pod.copy({name: value for name, value in env.items() if name != "AWS_ENDPOINT_URL"})
    assert copied.returncode == 0, copied.stderr
    there = {str(path.relative_to(models)) for path in models.rglob("*") if path.is_file()}
    snapshot = f"models--acme--small-voice/snapshots/{COMMIT}"
    assert there == {
        "mine.json",
        "models--acme--small-voice/refs/main",
        *(f"{snapshot}/{name}" for name in files),
    }
    verified = pod.verify()
    assert verified.returncode == 0, verified.stdout + verified.stderr
