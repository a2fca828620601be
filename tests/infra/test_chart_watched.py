"""Scaling and monitoring by the chart, and kinds that are not Kubernetes' own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.chart import (
    NAMESPACE,
    ROOT,
    Manifest,
    find,
)
from infra.chart_cases import CUSTOM
from ttsops.observe import definitions

pytestmark = [pytest.mark.programs, pytest.mark.usefixtures("has_helm")]


# ---- scaling ---------------------------------------------------------------------------------------------


def test_scaling_goes_by_streams_and_waiting_and_is_slow_to_take_away(
    rendered: dict[str, list[Manifest]],
) -> None:
    hpa = find(rendered["adapter"], "HorizontalPodAutoscaler", "voice-agent-tts")["spec"]
    streams, wait = hpa["metrics"]
    assert streams["pods"]["metric"]["name"] == definitions.LIVE_STREAMS.name
    assert streams["pods"]["target"] == {"type": "AverageValue", "averageValue": "24"}
    assert wait["external"]["target"] == {"type": "Value", "value": "500m"}
    assert hpa["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 600
    assert hpa["behavior"]["scaleDown"]["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]
    keda = find(rendered["keda"], "ScaledObject")["spec"]
    assert keda["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == hpa["behavior"]
    assert [one["metadata"]["threshold"] for one in keda["triggers"]] == ["24", "0.5"]
    assert [one["metricType"] for one in keda["triggers"]] == ["AverageValue", "Value"]
    assert all(one["authenticationRef"] == {"name": "amp"} for one in keda["triggers"])
    for name in ("adapter", "keda"):
        deployment = find(rendered[name], "Deployment", "voice-agent-tts")["spec"]
        assert "replicas" not in deployment, "an upgrade would set it back"
        scalers = [
            one for one in rendered[name] if one["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")
        ]
        assert len(scalers) == 1


# ---- monitoring, and kinds that are not Kubernetes' own --------------------------------------------------


def test_the_rules_are_those_of_infra_monitoring(rendered: dict[str, list[Manifest]]) -> None:
    *groups, own = find(rendered["watched"], "PrometheusRule")["spec"]["groups"]
    assert [rule["alert"] for rule in own["rules"]] == ["TtsNoPods"]
    files = sorted((ROOT / "infra/monitoring/rules").glob("*.yml"))
    assert groups == [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]
    assert len(groups) == 2


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: rules are NOT read by it")
def test_nobody_there_is_an_alert(rendered: dict[str, list[Manifest]], tmp_path: Path) -> None:
    """By promtool: with a pod that answers, with one that does not, and with none."""
    rules = find(rendered["watched"], "PrometheusRule")["spec"]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
    [rule] = rules["groups"][-1]["rules"]
    page, _, section = rule["annotations"]["runbook"].partition("#")
    assert "### TtsNoPods\n" in (ROOT / page).read_text()
    assert section == "ttsnopods"

    labels = {"severity": "page", "job": "tts", "namespace": NAMESPACE}
    alert = {"exp_labels": labels, "exp_annotations": rule["annotations"]}

    def history(up: str, *expected: Any) -> dict[str, Any]:
        series = f'up{{job="tts",namespace="{NAMESPACE}",pod="a"}}'
        test = {"eval_time": "10m", "alertname": "TtsNoPods", "exp_alerts": list(expected)}
        given = [{"series": series, "values": up}] if up else []
        return {"interval": "1m", "input_series": given, "alert_rule_test": [test]}

    tests = [history("1x20"), history("0x20", alert), history("", alert)]
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))
    for words in (["check", "rules", "rules.yml"], ["test", "rules", "tests.yml"]):
        command = ["promtool", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_are_those_of_infra_monitoring(rendered: dict[str, list[Manifest]]) -> None:
    maps = [
        one
        for one in rendered["watched"]
        if one["kind"] == "ConfigMap" and one["metadata"]["labels"].get("grafana_dashboard") == "1"
    ]
    found = {name: json.loads(text) for one in maps for name, text in one["data"].items()}
    files = (ROOT / "infra/monitoring/dashboards").glob("*.json")
    assert found == {path.name: json.loads(path.read_text()) for path in files}
    assert len(found) == 3


def test_service_monitors_give_the_jobs_that_rules_ask_for(rendered: dict[str, list[Manifest]]) -> None:
    services = [one for one in rendered["watched"] if one["kind"] == "Service"]
    monitors = [one for one in rendered["watched"] if one["kind"] == "ServiceMonitor"]
    jobs = {}
    for monitor in monitors:
        assert monitor["metadata"]["labels"]["release"] == "kps"
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        [service] = [one for one in services if wanted <= one["metadata"]["labels"].items()]
        [endpoint] = monitor["spec"]["endpoints"]
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
        assert endpoint["path"] == "/metrics"
        [relabeling] = endpoint["relabelings"]
        assert relabeling["targetLabel"] == "job"
        jobs[service["metadata"]["name"]] = relabeling["replacement"]
    assert jobs == {"voice-agent-tts": "tts", "voice-agent-agent": "tts-agent"}
    scraped = yaml.safe_load((ROOT / "infra/monitoring/prometheus.yml").read_text())["scrape_configs"]
    assert set(jobs.values()) < {one["job_name"] for one in scraped}


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """A CRD's schema without what Kubernetes adds to JSON Schema; unknown fields are refused."""
    schema = {
        name: closed_part(value) for name, value in schema.items() if not name.startswith("x-kubernetes")
    }
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


def closed_part(value: Any) -> Any:
    if isinstance(value, dict):
        is_schema = any(
            key in value for key in ("type", "properties", "items", "anyOf", "x-kubernetes-int-or-string")
        )
        return closed(value) if is_schema else {name: closed_part(one) for name, one in value.items()}
    return value


@pytest.mark.parametrize("kind", sorted(CUSTOM))
def test_custom_kinds_are_as_their_own_schemas_say(kind: str, rendered: dict[str, list[Manifest]]) -> None:
    """With the operators' files at hand: KUBERNETES_CRDS names a folder of CustomResourceDefinitions."""
    folder = os.environ.get("KUBERNETES_CRDS", "")
    crds = (
        [
            one
            for path in Path(folder).glob("*.yaml")
            for one in yaml.safe_load_all(path.read_text())
            if one and one["spec"]["names"]["kind"] == kind
        ]
        if folder
        else []
    )
    if not crds:
        pytest.skip(f"KUBERNETES_CRDS names no folder with the schema of {kind}: NOT validated by it")
    for name, manifests in rendered.items():
        for one in manifests:
            if one["kind"] == kind:
                [version] = [
                    v for v in crds[0]["spec"]["versions"] if one["apiVersion"].endswith(f"/{v['name']}")
                ]
                schema = closed(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
                errors = jsonschema.Draft7Validator(schema).iter_errors(one["spec"])
                assert [error.message for error in errors] == [], name
