"""Pods of the chart: what they may, how they end, which settings and weights they get."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from infra.chart import (
    ROOT,
    Manifest,
    Values,
    container_of,
    find,
    pod_of,
    render,
    settings_of,
)
from infra.chart_cases import CASES, HUB, KEYED, PVC, S3
from ttsops.settings import load_settings

pytestmark = [pytest.mark.programs, pytest.mark.usefixtures("has_helm")]


# ---- what a pod may, and how it ends ---------------------------------------------------------------------


def containers(manifests: list[Manifest]) -> list[tuple[Manifest, Manifest]]:
    """Every container with its pod, the ones that come first too."""
    pods = [one["spec"]["template"]["spec"] for one in manifests if one["kind"] == "Deployment"]
    pods += [one["spec"] for one in manifests if one["kind"] == "Pod"]
    return [(pod, box) for pod in pods for box in (*pod.get("initContainers", ()), *pod["containers"])]


@pytest.mark.parametrize("name", [*CASES, "production"])
def test_no_container_is_root_or_can_write_where_it_should_not(
    name: str, rendered: dict[str, list[Manifest]]
) -> None:
    dockerfile = (ROOT / "infra" / "docker" / "tts.Dockerfile").read_text()
    for pod, box in containers(rendered[name]):
        assert (
            f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" in dockerfile
        )
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert box["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert box["resources"]["limits"]["memory"]
        assert pod["automountServiceAccountToken"] is False
        volumes = {volume["name"]: (set(volume) - {"name"}).pop() for volume in pod["volumes"]}
        assert set(volumes.values()) <= {"emptyDir", "configMap", "secret", "persistentVolumeClaim"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        mounts = {mount["mountPath"]: mount["name"] for mount in box["volumeMounts"]}
        assert {"/tmp", "/var/lib/ttsops"} <= set(mounts), "what the image writes to"
        assert set(mounts.values()) <= set(volumes)


def test_service_links_would_keep_the_server_from_starting(default: list[Manifest]) -> None:
    """`ttsops` as a release's name: Kubernetes would set TTSOPS_…_SERVICE_HOST, which is no setting."""
    from ttsops.errors import ConfigError

    with pytest.raises(ConfigError, match="TTSOPS_VOICE_AGENT_TTS_SERVICE_HOST"):
        load_settings(None, {"TTSOPS_VOICE_AGENT_TTS_SERVICE_HOST": "10.0.0.1"}, {})
    assert all(pod["enableServiceLinks"] is False for pod, _ in containers(default))


@pytest.mark.parametrize("part", ["tts", "agent"])
@pytest.mark.parametrize("name", [*CASES, "production"])
def test_a_pod_goes_only_when_another_is_ready_and_has_spoken_to_its_end(
    part: str, name: str, rendered: dict[str, list[Manifest]], tmp_path: Path
) -> None:
    manifests = rendered[name]
    if part == "agent" and name == "server alone":
        return
    deployment = find(manifests, "Deployment", f"voice-agent-{part}")["spec"]
    pod, container = pod_of(manifests, part), container_of(manifests, part)
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    drain = tomllib.loads(settings_of(manifests, part))["runtime"]["drain_seconds"]
    left = (
        pod["terminationGracePeriodSeconds"] - container["lifecycle"]["preStop"]["sleep"]["seconds"] - drain
    )
    assert left >= 5, "for the last bytes, and the worker's end"


def test_the_startup_probe_outlasts_what_loading_may_take(production: list[Manifest]) -> None:
    container = container_of(production, "tts")
    probe = container["startupProbe"]
    load = tomllib.loads(settings_of(production, "tts"))["runtime"]["load_seconds"]
    assert load == 300
    assert load + 60 >= probe["periodSeconds"] * probe["failureThreshold"] >= load + 30
    deployment = find(production, "Deployment", "voice-agent-tts")["spec"]
    assert deployment["progressDeadlineSeconds"] >= 300 + 900


def test_probes_ask_what_is_open_without_a_key() -> None:
    from ttsops.server.gate import OPEN_PATHS

    manifests = render(KEYED)
    for part in ("tts", "agent"):
        container = container_of(manifests, part)
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["path"] in OPEN_PATHS
            assert container[probe]["httpGet"]["port"] in ports


# ---- settings --------------------------------------------------------------------------------------------


def load(text: str, folder: Path, env: dict[str, str] | None = None) -> Any:
    path = folder / "ttsops.toml"
    path.write_text(text)
    return load_settings(path, env or {}, {})


@pytest.mark.parametrize("name", [*CASES, "production"])
def test_the_settings_are_those_that_ttsops_reads(
    name: str, rendered: dict[str, list[Manifest]], tmp_path: Path
) -> None:
    """Strictly: an unknown key, or a float for a whole number, is an error."""
    for part in ("tts",) if name == "server alone" else ("tts", "agent"):
        env = {
            one["name"]: one["value"]
            for one in container_of(rendered[name], part).get("env", [])
            if "value" in one
        }
        load(settings_of(rendered[name], part), tmp_path, env)


def test_production_asks_its_engine_for_what_it_knows(production: list[Manifest], tmp_path: Path) -> None:
    """`ttsops config check` knows the options of engines, too."""

    def check(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "ttsops.toml").write_text(text)
        command = [sys.executable, "-m", "ttsops", "config", "check", str(tmp_path / "ttsops.toml")]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    text = settings_of(production, "tts")
    assert check(text).returncode == 0
    bad = check(text.replace("voices =", "voice =", 1))
    assert bad.returncode == 1
    assert "`voice`" in bad.stderr


def test_settings_keep_their_types_and_names(tmp_path: Path) -> None:
    values = {
        "tts": {
            "engine": "vibevoice-realtime",
            "settings": {
                "server": {"max_body_bytes": 12345678, "cors_origins": ["https://a.example.com", "*"]},
                "runtime": {"max_queue_seconds": 2.5, "max_queue": 0, "failover": "espeak"},
                "studio": {"enabled": False},
                "engines": {
                    "vibevoice-realtime": {
                        "max_streams": 32,
                        "options": {"cfg_scale": 1.5, "model": 'a "b" <c> ü\n'},
                    }
                },
                "models": {"mine": {"path": "/models/mine", "files": ["a", "b"]}},
                "render": {"folder": None},
            },
        }
    }
    settings = load(settings_of(render(values), "tts"), tmp_path)
    assert settings.server.max_body_bytes == 12345678
    assert list(settings.server.cors_origins) == ["https://a.example.com", "*"]
    assert (settings.runtime.max_queue_seconds, settings.runtime.max_queue) == (2.5, 0)
    assert settings.runtime.drain_seconds == 60
    assert settings.studio.enabled is False
    engine = settings.engines["vibevoice-realtime"]
    assert (engine.max_streams, engine.options) == (32, {"cfg_scale": 1.5, "model": 'a "b" <c> ü\n'})
    assert list(settings.models["mine"].files) == ["a", "b"]
    assert settings.render.folder == ""


def test_a_changed_setting_makes_new_pods() -> None:
    def checksums(values: Values) -> list[str]:
        manifests = render(values)
        return [
            find(manifests, "Deployment", f"voice-agent-{part}")["spec"]["template"]["metadata"][
                "annotations"
            ]["checksum/settings"]
            for part in ("tts", "agent")
        ]

    before, same = checksums({}), checksums({"tts": {"replicas": 3}})
    changed = checksums({"tts": {"settings": {"log": {"level": "debug"}}}})
    assert before == same
    assert changed[0] != before[0]
    assert changed[1] == before[1], "the agent goes on"


def test_the_agent_finds_the_server_and_its_keys_are_files() -> None:
    manifests = render(
        KEYED
        | {"agent": {"ttsKey": {"secret": "k"}, "llm": {"provider": "openai", "model": "m", "secret": "llm"}}}
    )
    agent, pod = container_of(manifests, "agent"), pod_of(manifests, "agent")
    env = {one["name"]: one for one in agent["env"]}
    service = find(manifests, "Service", "voice-agent-tts")
    assert env["TTSOPS_AGENT__TTS_URL"]["value"] == (
        f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    )
    assert env["TTSOPS_API_KEY"]["valueFrom"]["secretKeyRef"] == {"name": "k", "key": "api-key"}
    mounts = {mount["name"]: mount["mountPath"] for mount in agent["volumeMounts"]}
    [secret] = [volume["secret"] for volume in pod["volumes"] if volume["name"] == "llm"]
    key_file = tomllib.loads(settings_of(manifests, "agent"))["llm"]["key_file"]
    assert key_file == f"{mounts['llm']}/{secret['items'][0]['path']}"
    server = tomllib.loads(settings_of(manifests, "tts"))["server"]
    assert server["keys_file"] == "/etc/ttsops/keys/keys.json"


# ---- models ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "steps"),
    [
        (
            S3,
            [
                (
                    "copy-models",
                    [
                        "s3",
                        "sync",
                        "s3://models/hub",
                        "/models",
                        "--only-show-errors",
                        "--endpoint-url",
                        "https://minio.example.com",
                    ],
                ),
                ("verify-models", ["models", "verify", "realtime"]),
            ],
        ),
        (
            HUB,
            [
                ("pull-models", ["models", "pull", "realtime", "f5"]),
                ("verify-models", ["models", "verify", "realtime", "f5"]),
            ],
        ),
        (PVC, [("verify-models", ["models", "verify", "--quick"])]),
    ],
    ids=["s3", "hub", "pvc"],
)
def test_weights_are_looked_at_before_anything_serves(
    values: Values, steps: list[tuple[str, list[str]]]
) -> None:
    manifests = render(values)
    pod = pod_of(manifests, "tts")
    found = [
        (
            one["name"],
            [word for word in one["args"] if word not in ("--config", "/etc/ttsops/settings/ttsops.toml")],
        )
        for one in pod["initContainers"]
    ]
    assert found == steps
    assert tomllib.loads(settings_of(manifests, "tts"))["hub"]["cache"] == "/models"
    mounts = {mount["mountPath"]: mount for mount in container_of(manifests, "tts")["volumeMounts"]}
    assert mounts["/models"]["readOnly"] is True
    verify = {mount["mountPath"]: mount for mount in pod["initContainers"][-1]["volumeMounts"]}
    assert verify["/models"]["readOnly"] is True


def test_where_weights_are_kept() -> None:
    def volume(values: Values) -> tuple[Manifest, list[str]]:
        manifests = render(values)
        [found] = [one for one in pod_of(manifests, "tts")["volumes"] if one["name"] == "models"]
        return found, [one["metadata"]["name"] for one in manifests if one["kind"] == "PersistentVolumeClaim"]

    assert volume(S3) == ({"name": "models", "emptyDir": {"sizeLimit": "30Gi"}}, [])
    assert volume(PVC) == ({"name": "models", "persistentVolumeClaim": {"claimName": "weights"}}, [])
    made = {"persistentVolumeClaim": {"claimName": "voice-agent-models"}, "name": "models"}
    assert volume(HUB) == (made, ["voice-agent-models"])
    claim = find(render(HUB), "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
