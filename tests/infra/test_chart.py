"""The chart, rendered by a real Helm and held against Kubernetes' own schemas."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from infra.chart import (
    CHART,
    PRODUCTION,
    ROOT,
    Manifest,
    Values,
    container_of,
    find,
    helm,
    notes,
    pod_of,
    render,
    settings_of,
)
from infra.chart_cases import CASES, CUSTOM, HUB, KEYED, OPEN, WATCHED

pytestmark = [pytest.mark.programs, pytest.mark.usefixtures("has_helm")]


KUBERNETES = ("1.30", "1.37")
"""The oldest that the chart takes, and the latest whose schemas are at hand."""


# ---- what Helm and Kubernetes say ------------------------------------------------------------------------


@pytest.mark.parametrize("files", [(), ("--values", PRODUCTION)], ids=["default", "production"])
def test_helm_has_nothing_to_warn_of(files: tuple[Any, ...]) -> None:
    done = helm("lint", "--strict", CHART, *files)
    assert done.returncode == 0, done.stdout
    assert "1 chart(s) linted, 0 chart(s) failed" in done.stdout
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("name", [*CASES, "production"])
def test_kubernetes_takes_every_object(name: str, rendered: dict[str, list[Manifest]]) -> None:
    for manifest in rendered[name]:
        if manifest["kind"] not in CUSTOM:
            for version in KUBERNETES:
                kubernetes_validate.validate(manifest, version, strict=True)


def test_kubernetes_would_have_refused_mistakes(default: list[Manifest]) -> None:
    deployment = find(default, "Deployment", "voice-agent-tts")
    spec = deployment["spec"]["template"]["spec"]
    for key, value in (
        ("terminationGracePeriod", 60),
        ("containers", "tts"),
        ("volumes", [{"emptyDir": {}}]),
    ):
        bad = {**deployment, "spec": {**deployment["spec"], "template": {"spec": spec | {key: value}}}}
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(bad, "1.37", strict=True)


def test_what_default_values_install(default: list[Manifest]) -> None:
    """And nothing that a bare cluster does not know."""
    kinds = sorted((one["kind"], one["metadata"]["name"]) for one in default)
    assert kinds == [
        *(("ConfigMap", f"voice-agent-{part}") for part in ("agent", "tts")),
        *(("Deployment", f"voice-agent-{part}") for part in ("agent", "tts")),
        *(("NetworkPolicy", f"voice-agent-{part}") for part in ("agent", "tts")),
        ("Pod", "voice-agent-test"),
        *(("PodDisruptionBudget", f"voice-agent-{part}") for part in ("agent", "tts")),
        *(("Service", f"voice-agent-{part}") for part in ("agent", "tts")),
        ("ServiceAccount", "voice-agent"),
        ("ServiceAccount", "voice-agent-agent"),
    ]
    assert tomllib.loads(settings_of(default, "tts"))["engine"] == "espeak"
    assert tomllib.loads(settings_of(default, "agent"))["llm"]["provider"] == "echo"


def test_a_package_holds_what_the_folder_links_to(tmp_path: Path) -> None:
    done = helm("package", CHART, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    [package] = tmp_path.glob("*.tgz")

    def in_order(manifests: list[Manifest]) -> list[str]:
        return sorted(json.dumps(one, sort_keys=True) for one in manifests)

    assert in_order(render(WATCHED, chart=package)) == in_order(render(WATCHED))


# ---- refusals --------------------------------------------------------------------------------------------

BY_SCHEMA: dict[str, tuple[Values, str]] = {
    "an unknown value": ({"tts": {"replica": 2}}, "additional propert(y|ies) '?replica'? (is )?not allowed"),
    "a text for a number": ({"tts": {"port": "http"}}, "port'?: .*integer"),
    "an engine of scaling": ({"tts": {"autoscaling": {"kind": "both"}}}, "one of .*none.*adapter.*keda"),
    "a source of models": ({"models": {"source": "gcs"}}, "one of .*none.*pvc.*s3.*hub"),
    "a digest": ({"tts": {"image": {"digest": "latest"}}}, r"digest'?: .*does not match pattern .*sha256:"),
    "a job that no rule sees": (
        {"monitoring": {"jobs": {"tts": "speech"}}},
        r"jobs.tts'?: .*pattern '\^tts'",
    ),
}
"""In Helm's words, which are others in its third and fourth versions."""

REFUSED: dict[str, tuple[Values, str]] = {
    "a grace that cuts speech": (
        {"tts": {"drainSeconds": 300, "terminationGracePeriodSeconds": 300}},
        "tts.terminationGracePeriodSeconds is 300, and cuts speech: preStopSeconds and drainSeconds want at "
        "least 320; null computes it",
    ),
    "a grace that cuts the agent": (
        {"agent": {"terminationGracePeriodSeconds": 79}},
        "agent.terminationGracePeriodSeconds is 79, and cuts speech: preStopSeconds and drainSeconds want at "
        "least 80",
    ),
    "one port for two": ({"tts": {"metricsPort": 8001}}, "tts.metricsPort is tts.port"),
    "the least above the most": (
        {"tts": {"autoscaling": {"kind": "keda", "minReplicas": 9}}},
        "tts.autoscaling.minReplicas is above maxReplicas: 9 and 8",
    ),
    "an ingress without a host": (
        {"tts": {"ingress": {"enabled": True, "allowAnonymous": True}}},
        "tts.ingress.host is empty",
    ),
    "an ingress for everybody": (
        {"agent": {"ingress": {"enabled": True, "host": "a.example.com"}}},
        "agent.ingress would let anybody in: name a Secret in agent.apiKeys.secret, or set "
        "agent.ingress.allowAnonymous to true",
    ),
    "metrics for everybody": (
        {"tts": {"ingress": {"enabled": True, "host": "a.example.com", "allowAnonymous": True}}},
        "tts.ingress would show the metrics to anybody: give them a port of their own in tts.metricsPort",
    ),
    "a setting that a value sets": (
        {"tts": {"settings": {"runtime": {"drain_seconds": 5}}}},
        "settings: `runtime.drain_seconds` is set by tts.drainSeconds: leave it out there",
    ),
    "the agent's, too": (
        {"agent": {"settings": {"llm": {"provider": "openai"}}}},
        "settings: `llm.provider` is set by agent.llm.provider",
    ),
    "an engine among the settings": (
        {"tts": {"settings": {"engine": "f5"}}},
        "`engine` is set by tts.engine",
    ),
    "no claim": ({"models": {"source": "pvc"}}, "models.source is pvc, and there is no claim"),
    "no bucket": ({"models": {"source": "s3"}}, "models.s3.uri is empty: give s3://BUCKET/FOLDER"),
    "no names": ({"models": {"source": "hub"}}, "models.names is empty"),
    "an agent without a key": (
        {"tts": {"apiKeys": {"secret": "keys"}}},
        "the speech server asks for a key, and the agent has none: name a Secret in agent.ttsKey.secret",
    ),
    "a model without a key": (
        {"agent": {"llm": {"provider": "openai", "model": "m"}}},
        "agent.llm.provider is openai, and it has no key: name a Secret in agent.llm.secret",
    ),
    "a model without a name": (
        {"agent": {"llm": {"provider": "anthropic", "secret": "llm"}}},
        "agent.llm.model is empty",
    ),
    "a model without an address": (
        {"agent": {"llm": {"provider": "local", "model": "m"}}},
        "agent.llm.baseUrl is empty",
    ),
    "metrics behind a key": (
        KEYED | {"monitoring": {"serviceMonitor": {"enabled": True}}},
        "the metrics of tts ask for a key: set tts.metricsPort, or name a Secret in "
        "monitoring.serviceMonitor.keySecret",
    ),
}


@pytest.mark.parametrize("name", BY_SCHEMA)
def test_the_schema_refuses_with_a_reason(name: str) -> None:
    values, reason = BY_SCHEMA[name]
    done = helm("template", "voice-agent", CHART, values=values)
    assert done.returncode == 1
    assert re.search(reason, done.stderr, re.I), done.stderr


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_value_is_refused_with_a_reason(name: str) -> None:
    values, reason = REFUSED[name]
    done = helm("template", "voice-agent", CHART, values=values)
    assert done.returncode == 1
    assert reason in done.stderr.replace("\n", " "), done.stderr


def test_a_cluster_that_is_too_old_is_refused() -> None:
    done = helm("template", "voice-agent", CHART, "--kube-version", "1.29.9")
    assert done.returncode == 1
    assert "requires kubeVersion: >=1.30.0-0" in done.stderr


@pytest.mark.parametrize("name", ["rules", "dashboards"])
def test_a_copy_that_lost_its_links_is_refused(name: str, tmp_path: Path) -> None:
    """A checkout without symbolic links has a small text file in their place."""
    chart = tmp_path / "voice-agent"
    shutil.copytree(CHART, chart, symlinks=True)
    (chart / "files" / name).unlink()
    (chart / "files" / name).write_text("../../../../monitoring/" + name)
    other = next(iter({"rules", "dashboards"} - {name}))
    (chart / "files" / other).unlink()
    assert helm("template", "voice-agent", chart).returncode == 0
    done = helm("template", "voice-agent", chart, values={"monitoring": {name: {"enabled": True}}})
    assert done.returncode == 1
    assert f"monitoring.{name} is enabled, and files/{name} is empty" in done.stderr


# ---- names that others rely on ---------------------------------------------------------------------------


def test_terraform_finds_accounts_labels_ports_and_taints(production: list[Manifest]) -> None:
    variables = (ROOT / "infra/terraform/aws/variables.tf").read_text()
    assert re.search(r'"service_account".*?default *= "voice-agent"', variables, re.S)
    assert pod_of(production, "tts")["serviceAccountName"] == "voice-agent"
    assert pod_of(production, "agent")["serviceAccountName"] != "voice-agent", (
        "the bucket is not its business"
    )
    for part in ("tts", "agent"):
        deployment = find(production, "Deployment", f"voice-agent-{part}")
        assert deployment["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"] == part
        assert container_of(production, part)["ports"][0]["name"] == "http"
    taint = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert taint in pod_of(production, "tts")["tolerations"]
    assert container_of(production, "tts")["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "tolerations" not in pod_of(production, "agent")


@pytest.mark.parametrize("name", [*CASES, "production"])
def test_selectors_find_the_pods_and_ports_they_mean(name: str, rendered: dict[str, list[Manifest]]) -> None:
    manifests = rendered[name]
    pods = {
        one["metadata"]["name"]: one["spec"]["template"] for one in manifests if one["kind"] == "Deployment"
    }

    def chosen(labels: dict[str, str]) -> list[str]:
        return [pod for pod, one in pods.items() if labels.items() <= one["metadata"]["labels"].items()]

    for one in manifests:
        own = [one["metadata"]["name"]]
        if one["kind"] == "Service":
            assert chosen(one["spec"]["selector"]) == own
            container = pods[own[0]]["spec"]["containers"][0]
            assert {port["targetPort"] for port in one["spec"]["ports"]} == {
                p["name"] for p in container["ports"]
            }
        elif one["kind"] == "PodDisruptionBudget":
            assert chosen(one["spec"]["selector"]["matchLabels"]) == own
        elif one["kind"] == "NetworkPolicy":
            assert chosen(one["spec"]["podSelector"]["matchLabels"]) == own
        elif one["kind"] == "Deployment":
            words = {label.split("/")[1] for label in one["spec"]["selector"]["matchLabels"]}
            assert words == {"name", "instance", "component"}, "it can never be changed: no version in it"
            assert chosen(one["spec"]["selector"]["matchLabels"]) == own
            for spread in one["spec"]["template"]["spec"]["topologySpreadConstraints"]:
                assert chosen(spread["labelSelector"]["matchLabels"]) == own
        elif one["kind"] == "HorizontalPodAutoscaler":
            assert one["spec"]["scaleTargetRef"]["name"] in pods
        elif one["kind"] == "Ingress":
            backend = one["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
            ports = find(manifests, "Service", backend["name"])["spec"]["ports"]
            assert backend["port"]["name"] in {port["name"] for port in ports}


@pytest.mark.parametrize("name", ["a" * 53, "tts", "voice-agent-of-somebody-else"])
def test_names_are_not_too_long_for_kubernetes(name: str) -> None:
    done = helm("template", name, CHART, values=OPEN | HUB | WATCHED)
    assert done.returncode == 0, done.stderr
    for one in yaml.safe_load_all(done.stdout):
        longest = 253 if one["kind"] == "ConfigMap" else 63
        assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", one["metadata"]["name"])
        assert len(one["metadata"]["name"]) <= longest
        assert all(len(value) <= 63 for value in one["metadata"]["labels"].values())


def test_two_releases_do_not_meet() -> None:
    names = {
        (one["kind"], one["metadata"]["name"])
        for one in yaml.safe_load_all(helm("template", "ttsops", CHART).stdout)
        if one
    }
    assert not names & {(one["kind"], one["metadata"]["name"]) for one in render()}
    assert ("Service", "ttsops-voice-agent-tts") in names


# ---- notes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", [(), ("--values", PRODUCTION)], ids=["default", "production"])
def test_the_notes_name_what_was_installed(files: tuple[Any, ...]) -> None:
    said = notes({}, *files)
    if not said:
        pytest.skip("Helm 3 shows notes only to those who have a cluster")
    manifests = render({}, *files)
    for name in re.findall(r"(?:deployment|service)/([\w-]+)", said):
        assert any(one["metadata"]["name"] == name for one in manifests), name
    for host in re.findall(r"https://([\w.]+)/", said):
        assert any(one["kind"] == "Ingress" and one["spec"]["rules"][0]["host"] == host for one in manifests)
    assert "helm -n tts-ops test voice-agent" in said
    assert ("There is one pod" in said) is (files == ())
