"""The chart `voice-agent`, rendered by a real Helm and looked at as a cluster would."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.programs import find_helm

ROOT = Path(__file__).parents[2]
CHART = ROOT / "infra" / "k8s" / "helm" / "voice-agent"
PRODUCTION = CHART / "values-production.yaml"

NAMESPACE = "tts-ops"

Values = dict[str, Any]
Manifest = dict[str, Any]


def helm(*words: object, values: Values | None = None) -> subprocess.CompletedProcess[str]:
    """Run it; `values` go before every file of values."""
    with tempfile.TemporaryDirectory() as name:
        own = []
        if values is not None:
            (Path(name) / "own.yaml").write_text(yaml.safe_dump(values))
            own = ["--values", f"{name}/own.yaml"]
        command = [find_helm(), *map(str, words), *own]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def render(values: Values | None = None, *words: object, chart: Path = CHART) -> list[Manifest]:
    """What would be installed, in no order."""
    done = helm("template", "voice-agent", chart, "--namespace", NAMESPACE, *words, values=values)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def notes(values: Values | None = None, *words: object) -> str:
    """What Helm says after an installation; empty with Helm 3, which says it only to a cluster."""
    if "v3." in helm("version").stdout:
        return ""
    command = ("install", "voice-agent", CHART, "--dry-run=client", "--namespace", NAMESPACE)
    done = helm(*command, *words, values=values)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\nNOTES:\n")[1]


def find(manifests: list[Manifest], kind: str, name: str = "") -> Manifest:
    found = [one for one in manifests if one["kind"] == kind and name in ("", one["metadata"]["name"])]
    assert len(found) == 1, f"{kind} {name}: {[one['metadata']['name'] for one in found]}"
    return found[0]


def pod_of(manifests: list[Manifest], part: str) -> Manifest:
    """The pod that the Deployment of `part` makes: its `spec`."""
    deployment = find(manifests, "Deployment", f"voice-agent-{part}")
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec


def container_of(manifests: list[Manifest], part: str) -> Manifest:
    container: Manifest = pod_of(manifests, part)["containers"][0]
    return container


def settings_of(manifests: list[Manifest], part: str) -> str:
    text: str = find(manifests, "ConfigMap", f"voice-agent-{part}")["data"]["ttsops.toml"]
    return text


def own_schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
    return schema


def leaves(schema: dict[str, Any], values: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Dotted name, what the schema says and the default, of all that can be set."""
    whole = own_schema()["definitions"]
    if "$ref" in schema:
        schema = whole[schema["$ref"].removeprefix("#/definitions/")]
    if "properties" not in schema:
        yield path, schema, values
        return
    for name, below in schema["properties"].items():
        if path or name != "global":
            yield from leaves(below, values[name], f"{path}.{name}" if path else name)
