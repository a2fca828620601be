"""Recorded truth: cases of the reference implementations, run through the engines' own code.

A case is a folder with a model's `config.json`, `meta.json`, and tensors that went in and came out, or with
tables of what a rule gives. Which family it belongs to is read from what it says of itself, never from its
name. How a family compares is its engine's business: it gives a line per recorded tensor or column.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ttsops.engines import registry
from ttsops.errors import InvalidValue, TtsOpsError

if TYPE_CHECKING:
    from ttsops.engines.nn.comparison import Comparison

CONFIG_FILE, META_FILE = "config.json", "meta.json"
MARKS = (META_FILE, "inputs.safetensors", "outputs.safetensors")
"""A folder with one of these was meant to be a case; so was one with a table, see `_is_table`."""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What a folder says of itself."""

    config: Mapping[str, Any]
    """The model's configuration; empty if there is none: a part alone needs none."""

    meta: Mapping[str, Any]
    """How it was recorded: of tables alone, what the first says of it."""


@dataclass(frozen=True, slots=True)
class Family:
    """Cases that one engine's code is compared with."""

    engine: str
    """Its name in the registry, which knows what must be installed."""

    check: str
    """`module:function` that takes a case's folder and gives a `Comparison` per tensor."""

    owns: Callable[[CaseFacts], bool]
    """Whether a case is one of these."""


def _is_realtime(facts: CaseFacts) -> bool:
    if "model_type" in facts.config:
        return bool(facts.config["model_type"] == "vibevoice_streaming")
    # A part alone has no configuration, or half of one.
    made_with = facts.meta.get("made_with")
    return isinstance(made_with, dict) and str(made_with.get("reference")).startswith("microsoft/VibeVoice")


def _is_f5(facts: CaseFacts) -> bool:
    if "model" in facts.config:
        return facts.config["model"] == "DiT" and "mel_spec" in facts.config
    versions = facts.meta.get("versions")
    return isinstance(versions, dict) and "f5_tts" in versions


def _is_vibevoice(facts: CaseFacts) -> bool:
    if "model_type" in facts.config:
        return bool(facts.config["model_type"] == "vibevoice")
    note = str(facts.meta.get("note"))
    return not facts.config and ("VibeVoiceProcessor" in note or "DPMSolverMultistepScheduler" in note)


FAMILIES = (
    Family("vibevoice-realtime", "ttsops.engines.vibevoice_realtime.golden:check_case", _is_realtime),
    Family("vibevoice", "ttsops.engines.vibevoice.golden:check_case", _is_vibevoice),
    Family("f5", "ttsops.engines.f5.golden:check_case", _is_f5),
)
"""Tried in this order."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case."""

    folder: Path
    engine: str
    """Whose code was compared; empty if the folder is no case."""

    comparisons: Sequence[Comparison] = ()
    failure: str = ""
    """Why there is nothing to compare."""

    is_case: bool = True
    seconds: float = 0.0

    @property
    def far(self) -> Sequence[Comparison]:
        """What is further from its recording than is tolerated."""
        return [one for one in self.comparisons if not one.ok]

    @property
    def is_ok(self) -> bool:
        """Something was compared, and all of it is near enough."""
        return bool(self.comparisons) and not self.failure and not self.far


def find_cases(folder: Path) -> list[Path]:
    """The folder itself, or every case below it. Raises `InvalidValue` if there is none."""
    found = sorted(_cases_below(folder))
    if not found:
        raise InvalidValue(
            f"there is no case in `{folder}`",
            hint=f"a case is a folder with {', '.join(f'`{name}`' for name in MARKS)}",
        )
    return found


def check_case(folder: Path) -> CaseResult:
    """Compare one case. Raises `EngineUnavailable` if what its engine needs is not installed."""
    try:
        family = _family_of(folder)
    except InvalidValue as e:
        return CaseResult(folder, "", failure=e.message, is_case=False)
    unavailable = registry.missing(family.engine)
    if unavailable is not None:
        raise unavailable
    started_at = time.monotonic()
    comparisons: Sequence[Comparison] = ()
    failure, is_case = "", True
    try:
        comparisons = _load(family.check)(folder)
    except InvalidValue as e:
        failure, is_case = e.message, False
    except TtsOpsError as e:
        failure = e.message
    except Exception as e:  # the code under test may fail in any way; the other cases are still checked
        failure = f"{type(e).__name__}: {e}"
    if not comparisons and not failure:
        failure, is_case = f"`{folder}` has no recorded tensor", False
    return CaseResult(folder, family.engine, comparisons, failure, is_case, time.monotonic() - started_at)


def _cases_below(folder: Path) -> Iterator[Path]:
    if any((folder / name).is_file() for name in MARKS) or _first_table(folder):
        yield folder
    elif folder.is_dir():
        for child in folder.iterdir():
            if child.is_dir():
                yield from _cases_below(child)


def _family_of(folder: Path) -> Family:
    meta = _read_json(folder / META_FILE) or _first_table(folder)
    facts = CaseFacts(_read_json(folder / CONFIG_FILE), meta)
    for family in FAMILIES:
        if family.owns(facts):
            return family
    known = ", ".join(f"`{family.engine}`" for family in FAMILIES)
    raise InvalidValue(f"`{folder}` is no case of a family that can be checked: {known}")


def _first_table(folder: Path) -> Mapping[str, Any]:
    """The first file by name that is a table; empty if there is none."""
    for path in sorted(folder.glob("*.json")):
        try:
            tree = json.loads(path.read_text())
        except (OSError, ValueError):
            continue  # any folder may be searched, and what lies in it need not be ours
        if isinstance(tree, dict) and _is_table(path, tree):
            return tree
    return {}


def _is_table(path: Path, tree: Mapping[str, Any]) -> bool:
    """Rows, and the versions they were made with; or a note, and cases or tensors of the same name."""
    if isinstance(tree.get("versions"), dict):
        return "rows" in tree
    has_content = isinstance(tree.get("cases"), list) or path.with_suffix(".safetensors").is_file()
    return isinstance(tree.get("note"), str) and has_content


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        tree = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as e:
        raise InvalidValue(f"`{path}` cannot be read: {e}") from e
    if not isinstance(tree, dict):
        raise InvalidValue(f"`{path}` holds no object")
    return tree


def _load(path: str) -> Callable[[Path], Sequence[Comparison]]:
    module, _, function = path.partition(":")
    return cast("Callable[[Path], Sequence[Comparison]]", getattr(importlib.import_module(module), function))
