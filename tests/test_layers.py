"""The map of the package: what may import what. Nothing imports upwards."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

SRC = Path(__file__).parents[1] / "src" / "ttsops"

# Lowest first. A module may import its own layer and any layer above it in this list.
# Names on one line are peers and may not import each other.
LAYERS = (
    ("errors", "speech"),
    ("settings", "observe"),
    ("text", "audio"),
    ("voices", "models"),
    ("engines",),
    ("runtime", "testing"),
    ("agent", "livechat", "render", "batch"),
    ("server",),
    ("ops", "cluster"),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

# Each framework has one home; a prefix of the module's path inside the package.
HOMES = {
    "torch": ("engines/nn", "engines/vibevoice", "engines/f5"),
    "onnx": ("engines/f5",),
    "onnxscript": ("engines/f5",),
    "onnxruntime": ("engines/f5",),
    "transformers": ("engines/nn", "engines/vibevoice", "engines/f5"),
    "ray": ("cluster",),
    "fastapi": ("server", "cluster"),
    "starlette": ("server",),
    "uvicorn": ("server",),
    "click": ("cli",),
    "rich": ("cli",),
    "prometheus_client": ("observe",),
    "structlog": ("observe",),
    "opentelemetry": ("observe",),
    "av": ("audio",),
    "soxr": ("audio",),
    "espeakng_loader": ("engines/espeak",),
    "aiohttp": ("ops", "agent"),
    "openai": ("agent/providers",),
    "anthropic": ("agent/providers",),
    "matplotlib": ("ops/monitor",),
    "pocketsphinx": ("ops",),
    "speechmos": ("ops/quality",),
    "huggingface_hub": ("models",),
}

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

MODULES = sorted(SRC.rglob("*.py"))


def module_id(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


def is_room(name: str) -> bool:
    return (SRC / name).is_dir() or (SRC / f"{name}.py").is_file()


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        assert not getattr(node, "level", 0) or not isinstance(node, ast.ImportFrom), (
            f"{path.name}: absolute imports only"
        )
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "ttsops":
            # What is no room (`__version__`) comes from the package itself: the lowest layer.
            found |= {f"ttsops.{alias.name}" for alias in node.names if is_room(alias.name)}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_imports_point_down(path: Path) -> None:
    layer = path.relative_to(SRC).parts[0].removesuffix(".py")
    if layer in ("__init__", "__main__"):
        return
    assert layer in LEVEL, f"{layer!r} has no place in LAYERS; give it one"
    others = {name.split(".")[1] for name in imported_modules(path) if name.startswith("ttsops.")}
    for other in others - {layer}:
        assert other in LEVEL, f"{path.name} imports {other!r}, which has no place in LAYERS"
        assert LEVEL[other] < LEVEL[layer], f"{path.name} ({layer}) must not import {other}"


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_frameworks_stay_at_home(path: Path) -> None:
    for name in imported_modules(path):
        homes = HOMES.get(name.split(".")[0])
        if homes:
            assert module_id(path).startswith(homes), f"{module_id(path)} imports {name}; its home is {homes}"


@pytest.mark.parametrize("path", MODULES, ids=module_id)
def test_files_and_functions_stay_readable(path: Path) -> None:
    text = path.read_text()
    n_lines = text.count("\n")
    assert n_lines <= MAX_FILE_LINES, (
        f"{module_id(path)} has {n_lines} lines; split it where it has two reasons"
    )
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MAX_FUNCTION_LINES, f"{module_id(path)}: {node.name} has {length} lines"
