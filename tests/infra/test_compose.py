"""Compose files: by the specification's schema, by docker-compose where it is, by what they promise."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ttsops.settings import load_settings

pytestmark = pytest.mark.server

FOLDER = Path(__file__).parents[2] / "infra" / "docker"
FILES = sorted(FOLDER.glob("docker-compose*.yml"))
BASE: dict[str, Any] = yaml.safe_load((FOLDER / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = BASE["services"]


def check_schema(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_these_are_the_files() -> None:
    assert {path.name for path in FILES} == {
        "docker-compose.yml",
        "docker-compose.arm64.yml",
        "docker-compose.cuda.yml",
    }
    assert set(SERVICES) == {"tts", "agent", "prometheus", "alertmanager", "grafana"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_as_the_specification_says(path: Path) -> None:
    done = check_schema(path)
    assert done.returncode == 0, done.stdout


def test_the_specification_would_have_refused_a_mistake(tmp_path: Path) -> None:
    bad = tmp_path / "docker-compose.yml"
    bad.write_text((FOLDER / "docker-compose.yml").read_text().replace("read_only: true", "readonly: true"))
    assert check_schema(bad).returncode == 1


@pytest.mark.skipif(
    not shutil.which("docker-compose"), reason="no docker-compose: files are NOT merged by it"
)
@pytest.mark.parametrize("other", ["arm64", "cuda"])
def test_docker_compose_merges_the_files(other: str, tmp_path: Path) -> None:
    names = ["docker-compose.yml", f"docker-compose.{other}.yml"]
    for name in names:
        # The Python docker-compose, which needs no engine for this, is older than `name`.
        (tmp_path / name).write_text((FOLDER / name).read_text().replace("name: tts-ops\n", ""))
    command = ["docker-compose", *(word for name in names for word in ("-f", name)), "config"]

    def merged(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if k != "GRAFANA_PASSWORD"}
        return subprocess.run(
            command, cwd=tmp_path, env=clean | env, capture_output=True, text=True, check=False
        )

    assert "set GRAFANA_PASSWORD" in merged({}).stderr, "no password is made up"
    done = merged({"GRAFANA_PASSWORD": "secret"})
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services["tts"]["read_only"] is True
    assert services["tts"]["build"]["target"] == {"arm64": "cpu", "cuda": "cuda"}[other]
    if other == "arm64":
        assert {service["platform"] for service in services.values()} == {"linux/arm64"}
        assert services["tts"]["environment"]["TTS_MODEL_NAME"] == "espeak", "it is added to, not replaced"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_closed(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert "network_mode" not in service
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:\d+", port) for port in service["ports"])
    if "build" not in service:  # those of ours say so in their Dockerfile
        assert service["healthcheck"]["test"][0] == "CMD"
        assert not service["user"].startswith("0")
        assert re.fullmatch(r"[\w./-]+:v?[\d.]+\$\{\w+_DIGEST:-\}", service["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", ()):
        source, _, rest = volume.partition(":")
        if source.startswith("."):
            assert (FOLDER / source).exists(), volume
            assert rest.endswith(":ro"), volume
        else:
            assert source in BASE["volumes"], volume


def test_the_settings_are_those_that_ttsops_reads() -> None:
    for name in ("tts", "agent"):
        env = {
            key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
            for key, value in SERVICES[name]["environment"].items()
        }
        settings = load_settings(None, env, {})
    assert settings.agent.tts_url == "http://tts:8001"
    assert settings.llm.provider == "echo"


def test_prometheus_and_grafana_find_the_others_by_their_names() -> None:
    monitoring = FOLDER.parent / "monitoring"
    scraped = yaml.safe_load((monitoring / "prometheus.yml").read_text())
    targets = [t for job in scraped["scrape_configs"] for c in job["static_configs"] for t in c["targets"]]
    alertmanagers = scraped["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    source = yaml.safe_load((monitoring / "grafana/provisioning/datasources/prometheus.yml").read_text())
    hosts = [*targets, *alertmanagers, source["datasources"][0]["url"].removeprefix("http://")]
    for host in hosts:
        name, port = host.split(":")
        if name != "localhost":
            assert any(one.endswith(f":{port}") for one in SERVICES[name]["ports"]), host


def test_the_grace_of_a_stop_covers_the_drain() -> None:
    drain = load_settings(None, {}, {}).runtime.drain_seconds
    for name in ("tts", "agent"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > drain
