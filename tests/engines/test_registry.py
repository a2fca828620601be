import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ttsops.engines import EngineConfig, registry
from ttsops.engines.registry import EngineSpec
from ttsops.errors import EngineUnavailable, UnknownEngine
from ttsops.speech import SpeechRequest
from ttsops.testing import check_engine, speak

pytestmark = pytest.mark.unit

PLUGIN = """
from ttsops.engines.registry import EngineSpec
SPEC = EngineSpec("{name}", card="ttsops.engines.tone.card:CARD", factory="{module}:create")
def create(config):
    from ttsops.engines.tone.engine import create
    return create(config)
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution as pip would leave it: a module, and a .dist-info with an entry point."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(distribution: str, name: str, source: str | None = None, attribute: str = "SPEC") -> None:
        module = distribution.replace("-", "_")
        text = PLUGIN.format(name=name, module=module) if source is None else source
        (tmp_path / f"{module}.py").write_text(text)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[ttsops.engines]\n{name} = {module}:{attribute}\n")
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


def test_an_installed_plugin_adds_an_engine_that_speaks(install: Install) -> None:
    install("tts-plugin-hum", "hum")
    assert registry.names()[-1] == "hum"
    assert registry.card("hum").sample_rate == 24_000
    engine = registry.create("hum", EngineConfig())
    assert speak(engine, SpeechRequest("Hello")).seconds > 0.1
    assert registry.problems() == ()
    assert check_engine(lambda: registry.create("hum")).is_passed


def test_a_plugin_adds_but_never_replaces(install: Install) -> None:
    install("tts-plugin-thief", "tone", source="raise RuntimeError('must not be imported')")
    assert registry.names().count("tone") == 1
    assert registry.spec("tone").distribution == "tts-ops"
    assert registry.problems() == ("plugin `tts-plugin-thief` is ignored: `tone` is a built-in engine",)


def test_of_two_plugins_with_one_name_the_first_by_distribution_has_it(install: Install) -> None:
    install("tts-plugin-zebra", "hum")
    install("tts-plugin-ant", "hum")
    assert registry.spec("hum").distribution == "tts-plugin-ant"
    assert registry.problems() == (
        "plugin `tts-plugin-zebra` is ignored: `tts-plugin-ant` already adds the engine `hum`",
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module_here", "ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("1/0", "ZeroDivisionError"),
        ("SPEC = 'a string'", "is a str, not an EngineSpec"),
        (PLUGIN.format(name="other", module="x"), "its EngineSpec is named `other`"),
        ("OTHER = 1", "AttributeError"),
        (PLUGIN.format(name="sad", module="x").replace(":CARD", ":NO_CARD"), "AttributeError"),
    ],
)
def test_a_broken_plugin_is_reported_and_harms_nobody(install: Install, source: str, reason: str) -> None:
    install("tts-plugin-sad", "sad", source=source)
    install("tts-plugin-hum", "hum")
    (problem,) = registry.problems()
    assert problem.startswith("engine `sad` of the plugin `tts-plugin-sad` cannot be loaded: ")
    assert reason in problem
    assert registry.card("hum") is registry.card("tone")
    with pytest.raises(EngineUnavailable, match="tts-plugin-sad") as e:
        registry.card("sad")
    assert e.value.hint == "repair or uninstall the distribution `tts-plugin-sad`"
    if "NO_CARD" not in source:
        assert not registry.is_installed("sad")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownEngine, match="no engine named `tune`") as e:
        registry.card("tune")
    assert e.value.hint
    assert "did you mean `tone`?" in e.value.hint
    assert all(f"`{name}`" in e.value.hint for name in registry.names())
    assert e.value.param == "model"


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = EngineSpec("f5", "ttsops.x:CARD", "ttsops.x:create", extra="f5", requires=("no_torch_here",))
    monkeypatch.setitem(registry._BUILTIN, "f5", spec)
    assert not registry.is_installed("f5")
    with pytest.raises(EngineUnavailable, match="needs the module `no_torch_here`") as e:
        registry.create("f5")
    assert e.value.hint == "pip install 'tts-ops[f5]'"


def test_a_plugin_with_a_missing_module_names_its_own_distribution(install: Install) -> None:
    source = PLUGIN.format(name="hum", module="tts_plugin_hum").replace(
        ':create"', ':create", extra="nn", requires=("no_torch_here",)'
    )
    install("tts-plugin-hum", "hum", source=source)
    missing = registry.missing("hum")
    assert missing
    assert missing.hint == "pip install 'tts-plugin-hum[nn]'"


@pytest.mark.parametrize(
    ("absent", "error"),
    [("no_dependency_here", EngineUnavailable), ("ttsops.engines.forgotten", ModuleNotFoundError)],
)
def test_a_missing_module_of_our_own_is_the_bug_it_is(
    monkeypatch: pytest.MonkeyPatch, absent: str, error: type[Exception]
) -> None:
    """What the factory imports late may be missing too: a stranger's is not installed, ours is a bug."""

    def factory(config: EngineConfig) -> None:
        importlib.import_module(absent)

    monkeypatch.setattr("ttsops.engines.tone.engine.create", factory)
    with pytest.raises(error):
        registry.create("tone")


@pytest.mark.server
def test_listing_engines_imports_no_framework() -> None:
    script = """
import sys
from ttsops.engines import registry
for name in registry.names():
    registry.card(name), registry.is_installed(name)
registry.problems()
heavy = {"av", "soxr", "torch", "transformers", "espeakng_loader", "fastapi", "uvicorn", "num2words"}
print(sorted(heavy & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", registry.names())
def test_every_card_bears_the_name_it_is_found_by(name: str) -> None:
    assert registry.card(name).name == name
