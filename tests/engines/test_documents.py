"""The engines' documents: the generated page is current, and the plugin of the guide works as printed."""

import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

from ttsops.engines import registry
from ttsops.engines.reference import engines_page

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "engines.md").read_text()


def test_the_page_of_engines_is_current() -> None:
    assert (DOCS / "reference" / "engines.md").read_text() == engines_page(), "run `make docs`"


def test_the_page_states_every_licence() -> None:
    for spec in registry.BUILTIN:
        assert f"Licence: {registry.card(spec.name).licence}." in engines_page()
    assert "GPL-3.0-or-later" in GUIDE


def test_the_set_up_of_the_guide_is_accepted() -> None:
    from ttsops.engines.setup import read_options
    from ttsops.engines.tone.card import ToneOptions

    settings = tomllib.loads(_blocks("toml")[0])
    assert read_options("tone", settings["engines"]["tone"]["options"], ToneOptions).rtf == 0.5


def test_the_plugin_of_the_guide_is_found_speaks_and_passes_the_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, engine, test = _blocks("python")
    (tmp_path / "hum_card.py").write_text(card)
    (tmp_path / "hum_engine.py").write_text(engine)
    _install(tomllib.loads(_blocks("toml")[1]), tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    try:
        namespace: dict[str, object] = {}
        exec(test, namespace)
        namespace["test_hum_keeps_the_contract"]()  # type: ignore[operator]
        assert registry.names()[-1] == "hum"
        assert registry.problems() == ()
    finally:
        for module in ("hum_card", "hum_engine"):
            sys.modules.pop(module, None)


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def _install(pyproject: dict[str, dict[str, object]], folder: Path) -> None:
    """What `pip install` would leave of it: metadata and entry points."""
    project = pyproject["project"]
    info = folder / f"{str(project['name']).replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = project["entry-points"]
    assert isinstance(points, dict)
    lines = [f"{name} = {value}" for name, value in points[registry.ENTRY_POINT_GROUP].items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{registry.ENTRY_POINT_GROUP}]", *lines, ""]))
