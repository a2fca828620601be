"""A batch from its manifest to its files: what stops it, and how it goes on."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import soundfile

from ttsops.batch import Defaults, Done, Order, Patience, Progress, Speech, run_batch
from ttsops.batch import runtime_speaker as open_runtime
from ttsops.errors import (
    EngineUnavailable,
    InvalidValue,
    JobChanged,
    Overloaded,
    TtsOpsError,
    UnknownVoice,
    WorkerDied,
)
from ttsops.settings import EngineSettings, Settings

pytestmark = pytest.mark.server

TONE = Settings(engine="tone", engines={"tone": EngineSettings()})
DEFAULTS = Defaults(engine="tone")


class Fake:
    """Speaks without an engine; `orders` are all that were asked of it."""

    def __init__(
        self, answer: Callable[[Order], TtsOpsError | None] = lambda order: None, n: int = 4
    ) -> None:
        self.n_at_once = n
        self.weights: dict[str, dict[str, str]] = {"tone": {}}
        self.orders: list[str] = []
        self.n_now = self.most = 0
        self._answer = answer

    async def speak(self, order: Order) -> Speech:
        self.orders.append(order.id)
        self.n_now += 1
        self.most = max(self.most, self.n_now)
        await asyncio.sleep(0)
        self.n_now -= 1
        error = self._answer(order)
        if error is not None:
            raise error
        return Speech(f"{order.id}: {order.request.text}".encode(), 1.0, "low")

    def open(self, engines: Collection[str]) -> AbstractAsyncContextManager[Fake]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Fake]:
            yield self

        return opened()


def manifest_of(tmp_path: Path, rows: list[dict[str, object]]) -> Path:
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def rows(n: int) -> list[dict[str, object]]:
    return [{"id": f"row-{number}", "text": f"This is row {number}."} for number in range(n)]


def run(
    manifest: Path,
    out: Path,
    fake: Fake,
    *,
    defaults: Defaults = DEFAULTS,
    patience_seconds: float = 60.0,
    retries_errors: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Done:
    return asyncio.run(
        run_batch(
            manifest,
            out,
            defaults,
            fake.open,
            Patience(patience_seconds),
            retries_errors=retries_errors,
            on_progress=on_progress,
        )
    )


def records(out: Path, kind: str) -> list[dict[str, object]]:
    lines = (out / "journal.jsonl").read_text().splitlines()
    return [record for line in lines if (record := json.loads(line))["type"] == kind]


def errors(out: Path) -> list[tuple[object, object]]:
    return [
        (row["id"], row["code"]) for row in map(json.loads, (out / "errors.jsonl").read_text().splitlines())
    ]


# ---- with an engine ------------------------------------------------------------------------


def test_every_line_becomes_a_file_as_it_asks(tmp_path: Path) -> None:
    manifest = manifest_of(
        tmp_path,
        [
            {"text": "The first of them."},
            {"id": "loud", "text": "Another one.", "format": "mp3", "voice": "high", "seed": 3},
            {"id": "other", "text": "And by another engine.", "engine": "espeak", "format": "flac"},
            {"id": "bad", "text": "No.", "voice": "nobody"},
            {"id": "who", "text": "No.", "engine": "nothing"},
        ],
    )
    out = tmp_path / "out"
    seen: list[Progress] = []
    done = asyncio.run(
        run_batch(
            manifest,
            out,
            DEFAULTS,
            lambda engines: open_runtime(TONE, engines),
            Patience(60),
            on_progress=seen.append,
        )
    )
    assert {path.name for path in out.iterdir()} == {
        "1.wav", "loud.mp3", "other.flac", "journal.jsonl", "errors.jsonl", "lock",
    }  # fmt: skip
    assert errors(out) == [("bad", "unknown_voice"), ("who", "unknown_engine")]
    assert (done.n_lines, done.n_spoken, done.n_before, done.n_failed) == (5, 3, 0, 2)
    seconds = {str(one["file"]): one["audio_seconds"] for one in records(out, "spoken")}
    for name, rate in (("1.wav", 24_000), ("loud.mp3", 24_000), ("other.flac", 24_000)):
        samples, found = soundfile.read(out / name)
        assert found == rate
        assert len(samples) / rate == pytest.approx(seconds[name], abs=0.1)
        assert float(abs(samples).max()) == pytest.approx(10 ** (-1 / 20), abs=0.1), "as loud as a file"
    assert done.audio_seconds == pytest.approx(sum(float(str(one)) for one in seconds.values()))
    assert [one.n_ended for one in seen] == [1, 2, 3, 4, 5]
    assert seen[-1].eta_seconds == 0.0
    assert all(one.eta_seconds is not None and one.eta_seconds >= 0 for one in seen)


# ---- going on ------------------------------------------------------------------------------


def test_what_is_done_is_not_spoken_again(tmp_path: Path) -> None:
    manifest, out = manifest_of(tmp_path, rows(20)), tmp_path / "out"
    first, second = Fake(), Fake()
    run(manifest, out, first)
    done = run(manifest, out, second)
    assert sorted(first.orders) == sorted(f"row-{i}" for i in range(20))
    assert second.orders == []
    assert (done.n_spoken, done.n_before) == (0, 20)
    assert first.most == first.n_at_once, "as many at once as keep it busy"


def test_only_what_was_edited_added_or_lost_is_spoken_again(tmp_path: Path) -> None:
    texts, out = rows(6), tmp_path / "out"
    run(manifest_of(tmp_path, texts), out, Fake())
    texts[1]["text"] = "Edited."
    texts[2]["format"] = "mp3"
    (out / "row-3.wav").unlink()
    (out / "row-4.wav").write_bytes(b"cut")
    texts.append({"id": "new", "text": "New."})
    again = Fake()
    done = run(manifest_of(tmp_path, texts), out, again)
    assert sorted(again.orders) == ["new", "row-1", "row-2", "row-3", "row-4"]
    assert done.n_before == 2
    assert (out / "row-1.wav").read_bytes() == b"row-1: Edited."
    assert not (out / "row-2.wav").exists(), "one file for a line"
    assert (out / "row-2.mp3").exists()


def test_a_file_that_the_journal_does_not_know_is_made_anew(tmp_path: Path) -> None:
    """Killed after the file was moved into its place, and before that was written down."""
    manifest, out = manifest_of(tmp_path, rows(3)), tmp_path / "out"
    run(manifest, out, Fake())
    journal = out / "journal.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:-1]))
    again = Fake()
    run(manifest, out, again)
    assert len(again.orders) == 1
    assert Counter(str(one["id"]) for one in records(out, "spoken")) == {f"row-{i}": 1 for i in range(3)}


def test_errors_are_kept_and_tried_again_only_when_asked(tmp_path: Path) -> None:
    manifest, out = manifest_of(tmp_path, rows(5)), tmp_path / "out"

    def refuse(order: Order) -> TtsOpsError | None:
        return UnknownVoice("no such voice") if order.id in ("row-1", "row-3") else None

    done = run(manifest, out, Fake(refuse))
    assert (done.n_spoken, done.n_failed) == (3, 2)
    assert errors(out) == [("row-1", "unknown_voice"), ("row-3", "unknown_voice")]
    resumed = Fake()
    assert run(manifest, out, resumed).n_failed == 2
    assert resumed.orders == []
    assert errors(out) == [("row-1", "unknown_voice"), ("row-3", "unknown_voice")]
    retried = Fake()
    assert run(manifest, out, retried, retries_errors=True).n_failed == 0
    assert sorted(retried.orders) == ["row-1", "row-3"]
    assert not (out / "errors.jsonl").exists()


def test_an_interrupted_run_keeps_what_it_was_keeping(tmp_path: Path) -> None:
    manifest, out = manifest_of(tmp_path, rows(30)), tmp_path / "out"

    def stop(progress: Progress) -> None:
        if progress.n_ended == 10:
            signal.raise_signal(signal.SIGINT)

    first, second = Fake(), Fake()
    with pytest.raises(KeyboardInterrupt):
        run(manifest, out, first, on_progress=stop)
    assert 10 <= len(records(out, "spoken")) < 30
    run(manifest, out, second)
    spoken = Counter(str(one["id"]) for one in records(out, "spoken"))
    assert spoken == {f"row-{i}": 1 for i in range(30)}


# ---- what is refused -----------------------------------------------------------------------


def test_other_defaults_or_weights_are_another_batch(tmp_path: Path) -> None:
    manifest, out = manifest_of(tmp_path, rows(2)), tmp_path / "out"
    run(manifest, out, Fake())
    with pytest.raises(JobChanged, match="other defaults: voice, seed"):
        run(manifest, out, Fake(), defaults=Defaults(engine="tone", voice="low", seed=1))
    changed = Fake()
    changed.weights = {"tone": {"model": "other"}}
    manifest = manifest_of(tmp_path, rows(3))
    with pytest.raises(JobChanged, match="other weights of engine `tone`"):
        run(manifest, out, changed)
    assert changed.orders == []


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "row-0.wav").write_bytes(b"mine")
    with pytest.raises(InvalidValue, match="holds files, and no batch"):
        run(manifest_of(tmp_path, rows(1)), out, Fake())
    assert (out / "row-0.wav").read_bytes() == b"mine"


def test_a_wrong_manifest_makes_no_folder(tmp_path: Path) -> None:
    fake = Fake()
    with pytest.raises(InvalidValue, match="line 2"):
        run(manifest_of(tmp_path, [*rows(1), {"txt": "x"}]), tmp_path / "out", fake)
    assert not (tmp_path / "out").exists()
    assert fake.orders == []


def test_a_folder_is_one_batchs_at_a_time(tmp_path: Path) -> None:
    manifest, out = manifest_of(tmp_path, rows(2)), tmp_path / "out"

    def another(order: Order) -> TtsOpsError | None:
        with pytest.raises(InvalidValue, match="another process is speaking a batch"):
            run_in_thread(manifest, out)
        return None

    run(manifest, out, Fake(another, n=1))


def run_in_thread(manifest: Path, out: Path) -> None:
    with ThreadPoolExecutor() as pool:
        pool.submit(run, manifest, out, Fake()).result()


# ---- engines that go away ------------------------------------------------------------------


def test_a_full_or_loading_engine_is_waited_for(tmp_path: Path) -> None:
    tries: Counter[str] = Counter()

    def away(order: Order) -> TtsOpsError | None:
        tries[order.id] += 1
        if tries[order.id] == 1:
            return EngineUnavailable("loading", retry_after=0.01)
        return Overloaded("full", retry_after=0.01) if tries[order.id] == 2 else None

    done = run(manifest_of(tmp_path, rows(6)), tmp_path / "out", Fake(away))
    assert (done.n_spoken, done.n_failed) == (6, 0)
    assert set(tries.values()) == {3}


def test_an_engine_that_does_not_come_back_stops_the_batch_and_no_line_is_to_blame(tmp_path: Path) -> None:
    manifest, out = manifest_of(tmp_path, rows(6)), tmp_path / "out"
    gone = Fake(lambda order: EngineUnavailable("gone", retry_after=0.01))
    with pytest.raises(EngineUnavailable, match="gone"):
        run(manifest, out, gone, patience_seconds=0.1)
    assert records(out, "failed") == []
    assert run(manifest, out, Fake()).n_spoken == 6


def test_the_line_that_kills_workers_is_found_and_the_others_are_spoken(tmp_path: Path) -> None:
    fake = Fake()
    deaths: list[str] = []

    def poison(order: Order) -> TtsOpsError | None:
        if order.id == "row-2" or (len(deaths) < 3 and fake.orders[-1] in ("row-3", "row-4")):
            deaths.append(order.id)
            return WorkerDied("the worker ended")
        return None

    fake._answer = poison
    out = tmp_path / "out"
    done = run(manifest_of(tmp_path, rows(8)), out, fake)
    assert len(deaths) > 2, "others died with it"
    assert (done.n_spoken, done.n_failed) == (7, 1)
    assert errors(out) == [("row-2", "worker_died")]
