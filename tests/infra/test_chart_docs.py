"""What docs/operate/kubernetes.md says is so: its values, its names, its commands."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import yaml

from infra.chart import CHART, PRODUCTION, ROOT, Manifest, find, helm, leaves, own_schema, pod_of, render
from infra.chart_cases import HUB, S3
from ttsops.cli.app import app

PAGE = (ROOT / "docs" / "operate" / "kubernetes.md").read_text()
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


def commands(program: str) -> list[list[str]]:
    text = "\n".join(blocks("sh")).replace("\\\n", " ")
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [words for words in lines if words and words[0] == program]


@pytest.mark.unit
def test_every_value_it_names_is_one() -> None:
    known = {path for path, _, _ in leaves(own_schema(), VALUES)}
    known |= {path[:at] for path in known for at in range(len(path)) if path[at] == "."}
    named = set(re.findall(r"`((?:tts|agent|models|ingress|networkPolicy|monitoring)\.[\w.]+)[`:]", PAGE))
    assert len(named) > 15
    free = {path for path in known if path.endswith("settings")}
    assert not {one for one in named - known if not any(one.startswith(f"{path}.") for path in free)}


@pytest.mark.unit
def test_commands_of_ttsops_are_taken() -> None:
    lines = [*commands("ttsops"), *(shlex.split(one) for one in re.findall(r"`(ttsops [^`]+)`", PAGE))]
    assert len(lines) > 4
    for words in lines:
        command: Any = app
        rest = words[1:]
        while hasattr(command, "get_command"):
            context = command.make_context("ttsops", [], resilient_parsing=True)
            command = command.get_command(context, rest.pop(0))
            assert command is not None, words
        options = {option for param in command.params for option in param.opts}
        assert {word for word in rest if word.startswith("--")} <= options, words


@pytest.mark.programs
@pytest.mark.usefixtures("has_helm")
class TestRendered:
    def test_it_is_installed_and_upgraded_as_it_says(self) -> None:
        said = [words for words in commands("helm") if {"install", "upgrade"} & set(words)]
        assert len(said) == 2
        for words in said:
            verb = next(word for word in words if word in ("install", "upgrade"))
            flags = " ".join(words[words.index(verb) + 3 :]).replace("my-values.yaml", str(PRODUCTION))
            flags = re.sub(r"--create-namespace|--wait|--timeout \S+", "", flags)
            assert words[words.index(verb) + 1 : words.index(verb) + 3] == [
                "voice-agent",
                str(CHART.relative_to(ROOT)),
            ]
            assert helm("template", "voice-agent", CHART, *flags.split()).returncode == 0

    def test_its_values_make_use_of_the_secrets_that_it_makes(self) -> None:
        [values] = [yaml.safe_load(block) for block in blocks("yaml") if block.startswith("tts:")]
        made = {
            words[words.index("generic") + 1]: words[-1] for words in commands("kubectl") if "secret" in words
        }
        assert set(made) == {"tts-api-keys", "agent-tts-key", "llm-api-key"}
        manifests = render(values)
        found = (
            find(manifests, "Deployment", "voice-agent-agent"),
            find(manifests, "Deployment", "voice-agent-tts"),
        )
        text = str(found)
        for name, source in made.items():
            assert f"'{name}'" in text
            key = source.partition("=")[2] if "--from-file" in source else "api-key"
            assert f"'{key}'" in text

    def test_what_kubectl_is_told_of_is_there(self, default: list[Manifest]) -> None:
        there = {f"{one['kind'].lower()}/{one['metadata']['name']}" for one in default}
        named = set(re.findall(r"((?:deployment|service)/[\w-]+)", PAGE))
        assert len(named) >= 3
        assert named <= there
        steps = {
            one["name"] for values in (S3, HUB) for one in pod_of(render(values), "tts")["initContainers"]
        }
        assert steps == {"copy-models", "pull-models", "verify-models"}
        for step in steps:
            assert step in PAGE
