import logging
from pathlib import Path

import pytest

from ttsops.engines.nn import native
from ttsops.engines.nn.native import LEVELS, best_level, compile_level, cpu_features, load, native_part
from ttsops.errors import EngineUnavailable

pytestmark = pytest.mark.unit

AVX512, AVX2 = LEVELS


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native.shutil, "which", lambda _: None)


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test asks anew; the others keep what they have."""
    monkeypatch.setattr(native, "native_part", native_part.__wrapped__)


def test_the_best_form_that_a_processor_can_run_is_taken() -> None:
    assert best_level(frozenset({"sse2"})) is None
    assert best_level(AVX2.features | {"sse2"}) is AVX2
    assert best_level(AVX2.features | {"avx512f"}) is AVX2
    assert best_level(AVX2.features | AVX512.features) is AVX512


def test_it_is_compiled_once_and_then_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if not AVX2.features <= cpu_features() or not any(map(native.shutil.which, native.COMPILERS)):
        pytest.skip("no compiler, or no processor, for it")
    cache = tmp_path / "cache"
    load(AVX2, cache)
    request.getfixturevalue("no_compiler")
    load(AVX2, cache)
    assert [path.suffix for path in cache.iterdir()] == [".so"], "nothing half-made is left"


def test_another_source_is_another_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = native._digest(AVX2)
    for source in native.SOURCES.iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(native, "SOURCES", tmp_path)
    assert native._digest(AVX2) == before
    (tmp_path / "products.hpp").write_text("changed")
    assert native._digest(AVX2) != before
    assert native._digest(AVX2) != native._digest(AVX512)


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_there_is_none_and_the_log_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(native.Path, "home", lambda: tmp_path)
    monkeypatch.setattr(native, "cpu_features", lambda: AVX2.features)
    with caplog.at_level(logging.WARNING):
        assert native.native_part() is None
    assert "no C++ compiler" in caplog.text


def test_a_processor_without_a_form_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "cpu_features", frozenset)
    assert native.native_part() is None


def test_a_failed_compilation_says_what_the_compiler_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not any(map(native.shutil.which, native.COMPILERS)):
        pytest.skip("no compiler")
    (tmp_path / "few_rows.cpp").write_text("this is not C++")
    monkeypatch.setattr(native, "SOURCES", tmp_path)
    with pytest.raises(EngineUnavailable, match=r"cannot compile .*error"):
        compile_level(AVX2, tmp_path / "out.so")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(EngineUnavailable, match="cannot be kept or loaded"):
        load(AVX2, tmp_path / "file" / "cache")
