"""An encoder that is left half-way, because a listener hung up, leaves nothing behind."""

import gc

import psutil
import pytest
from hearing import COMPRESSED, speechlike

from ttsops.audio import Encoder, Format, create_encoder

pytestmark = pytest.mark.unit

SPEECH = speechlike(2400)
MIB = 1 << 20


def start_and_drop(fmt: Format, n_encoders: int) -> None:
    for _ in range(n_encoders):
        create_encoder(fmt).encode(SPEECH)


@pytest.mark.parametrize("fmt", Format)
def test_two_hundred_aborted_responses_leave_nothing(fmt: Format) -> None:
    process = psutil.Process()
    start_and_drop(fmt, 20)
    gc.collect()
    memory, n_files = process.memory_info().rss, process.num_fds()
    start_and_drop(fmt, 200)
    gc.collect()
    assert process.memory_info().rss - memory < 12 * MIB, "200 FLAC encoders would be 1.4 GB"
    assert process.num_fds() == n_files


def test_a_closed_encoder_gives_its_memory_back_while_it_is_still_held() -> None:
    """The server may keep the object in a traceback or a log context."""
    process = psutil.Process()
    start_and_drop(Format.FLAC, 5)
    memory = process.memory_info().rss
    held: list[Encoder] = []
    for _ in range(50):
        with create_encoder(Format.FLAC) as encoder:
            encoder.encode(SPEECH)
        held.append(encoder)
    assert process.memory_info().rss - memory < 50 * MIB


@pytest.mark.parametrize("fmt", COMPRESSED)
def test_open_encoders_have_no_threads(fmt: Format) -> None:
    """PyAV's own way to encode starts as many per stream as the machine has processors."""
    start_and_drop(fmt, 1)
    process = psutil.Process()
    n_threads = process.num_threads()
    held = [create_encoder(fmt) for _ in range(20)]
    for encoder in held:
        encoder.encode(SPEECH)
    assert process.num_threads() == n_threads
