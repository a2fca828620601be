"""What happens when the worker process is killed, hangs, crashes or loses its parent."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import uvloop

from runtime.conftest import hear, running, tone_settings, until
from ttsops.errors import EngineHung, EngineUnavailable, TtsOpsError, WorkerDied
from ttsops.runtime import Runtime
from ttsops.settings import RuntimeSettings
from ttsops.speech import SpeechRequest

pytestmark = pytest.mark.server

LONG = "Fifty listeners hear this when the lights go out. " * 40
PACED = {"step_seconds": 0.02}


def worker_of(runtime: Runtime) -> int:
    pid = runtime.service().worker_pid
    assert pid is not None
    return pid


def n_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_fifty_listeners_are_told_when_the_worker_is_killed_and_it_speaks_again() -> None:
    async with running(tone_settings(**PACED)) as runtime:
        files, tasks = n_open_files(), len(asyncio.all_tasks())
        streams = [await runtime.open(SpeechRequest(LONG)) for _ in range(50)]
        listening = [asyncio.create_task(hear(stream)) for stream in streams]
        await until(lambda: all(stream.stats.audio_seconds for stream in streams))
        first_pid = worker_of(runtime)
        killed_at = time.monotonic()
        os.kill(first_pid, signal.SIGKILL)
        results = await asyncio.gather(*listening, return_exceptions=True)
        assert all(isinstance(result, WorkerDied) for result in results)
        assert {str(result) for result in results} == {
            "the worker of engine `tone` ended (killed by signal 9)"
        }
        assert runtime.n_live == 0
        with pytest.raises(EngineUnavailable) as refused:
            await runtime.open(SpeechRequest("x"))
        assert refused.value.retry_after is not None
        await until(lambda: runtime.is_ready, seconds=5.0)
        assert time.monotonic() - killed_at < 5.0
        assert len(await hear(await runtime.open(SpeechRequest("Here again."))))
        assert worker_of(runtime) != first_pid
        assert not psutil.pid_exists(first_pid), "the dead worker is reaped"
        assert n_open_files() == files, "no socket is left behind"
        assert len(asyncio.all_tasks()) == tasks, "no task is left behind"
        assert len(psutil.Process().children()) == 1


def test_it_speaks_under_uvloop_as_the_server_runs_it() -> None:
    async def speak() -> int:
        async with running(tone_settings()) as runtime:
            return len(await hear(await runtime.open(SpeechRequest("On another event loop."))))

    assert uvloop.run(speak()) > 24_000


async def test_those_in_line_are_answered_when_the_worker_dies() -> None:
    settings = tone_settings(**PACED)
    async with running(settings) as runtime:
        runtime.service()._admission.resize(1)
        stream = await runtime.open(SpeechRequest(LONG))
        waiting = asyncio.create_task(runtime.open(SpeechRequest("x")))
        await until(lambda: runtime.service().n_queued == 1)
        os.kill(worker_of(runtime), signal.SIGKILL)
        with pytest.raises(EngineUnavailable):
            await waiting
        with pytest.raises(WorkerDied):
            await hear(stream)


async def test_a_step_that_never_ends_is_ended() -> None:
    limits = RuntimeSettings(step_seconds=0.4)
    async with running(tone_settings(limits, hang_after_steps=5)) as runtime:
        stream = await runtime.open(SpeechRequest(LONG))
        with pytest.raises(EngineHung, match=r"longer than 0\.4 s"):
            await hear(stream)
        await until(lambda: runtime.is_ready, seconds=5.0)


async def test_a_stopped_process_counts_as_hung() -> None:
    limits = RuntimeSettings(step_seconds=0.4)
    async with running(tone_settings(limits, **PACED)) as runtime:
        stream = await runtime.open(SpeechRequest(LONG))
        os.kill(worker_of(runtime), signal.SIGSTOP)
        with pytest.raises(EngineHung, match="does not answer"):
            await hear(stream)
        await until(lambda: runtime.is_ready, seconds=5.0)


async def test_a_worker_that_loads_for_too_long_is_stopped() -> None:
    runtime = Runtime(tone_settings(RuntimeSettings(load_seconds=0.5), load_seconds=60.0))
    with pytest.raises(EngineUnavailable, match=r"not loaded within 0.5 s"):
        await runtime.start()
    await runtime.stop()


async def test_restarts_pause_longer_each_time() -> None:
    limits = RuntimeSettings(restart_first_seconds=0.05, restart_max_seconds=0.2)
    runtime = Runtime(tone_settings(limits, fail_to_load=True))
    await runtime.start(wait=False)
    supervisor = runtime.service()._supervisor
    pauses: list[float] = []

    def paused_four_times() -> bool:
        if supervisor.n_starts > len(pauses) and supervisor.state == "down" and supervisor.pid is None:
            pauses.append(supervisor._pause_seconds)
        return len(pauses) == 4

    await until(paused_four_times, seconds=20.0)
    assert pauses == [0.05, 0.1, 0.2, 0.2]
    await runtime.stop()


async def test_a_crash_in_the_engine_ends_its_utterances_with_a_clear_error() -> None:
    async with running(tone_settings(crash_after_steps=3)) as runtime:
        with pytest.raises(TtsOpsError) as died:
            await hear(await runtime.open(SpeechRequest(LONG)))
        assert died.value.code == "worker_died"


async def test_a_worker_does_not_outlive_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio\n"
        "from ttsops.runtime import Runtime\n"
        "from ttsops.settings import Settings\n"
        "async def main():\n"
        "    runtime = Runtime(Settings(engine='tone'))\n"
        "    await runtime.start()\n"
        "    print(runtime.service().worker_pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:  # noqa: ASYNC220
        assert parent.stdout is not None
        pid = int(await asyncio.get_running_loop().run_in_executor(None, parent.stdout.readline))
        assert psutil.pid_exists(pid)
        parent.kill()
        await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")
