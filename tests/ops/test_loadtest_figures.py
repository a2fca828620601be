"""Figures of known listenings, and what one listener hears of known arrivals."""

import io
import itertools
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttsops.errors import AudioError
from ttsops.ops.loadtest import Limits, Listening, broken_limits, summarise
from ttsops.ops.loadtest.listener import Ear
from ttsops.ops.loadtest.pcm_stream import PcmStream
from ttsops.ops.loadtest.report import percentile, spread

pytestmark = pytest.mark.unit

RATE = 1000


def sound(seconds: float) -> np.ndarray:
    return np.full(round(seconds * RATE), 0.5, np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def test_an_ear_measures_from_the_due_time() -> None:
    heard = Listening(due_at=10.0, sent_at=10.5)
    ear = Ear(heard)
    ear.hear(11.0, sound(0.2), RATE)
    heard.ended_at = 11.0
    assert heard.ttfb_seconds == 1.0
    assert heard.ttfa_seconds == 1.0
    assert heard.rtf == pytest.approx(0.5 / 0.2)


def test_leading_silence_is_waited_for() -> None:
    heard = Listening(due_at=0.0)
    ear = Ear(heard)
    ear.hear(1.0, silence(0.3), RATE)
    assert (heard.ttfb_seconds, heard.ttfa_seconds) == (1.0, None)
    ear.hear(1.1, np.concatenate([silence(0.1), sound(0.1)]), RATE)
    assert heard.ttfa_seconds == pytest.approx(1.4), "played from 1.0: 0.4 s of silence come first"


def test_a_player_that_ran_dry_is_an_underrun() -> None:
    heard = Listening(due_at=0.0)
    ear = Ear(heard)
    for at in (1.0, 1.05, 1.5, 1.6):
        ear.hear(at, sound(0.1), RATE)
    assert heard.underruns == 1
    assert heard.underrun_seconds == pytest.approx(0.3), "in hand until 1.2, next at 1.5"
    assert heard.gaps == pytest.approx([0.05, 0.45, 0.1])
    assert ear.seconds_in_hand(1.65) == pytest.approx(0.05)


def wav(samples: np.ndarray, *, channels: int = 1, rate: int = 24_000, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(samples.tobytes())
    return file.getvalue()


@given(
    values=st.lists(st.integers(-32768, 32767), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 160), max_size=8),
    is_wav=st.booleans(),
)
def test_samples_do_not_depend_on_how_the_network_cuts(
    values: list[int], cuts: list[int], is_wav: bool
) -> None:
    samples = np.array(values, np.int16)
    data = wav(samples, rate=22_050) if is_wav else samples.tobytes()
    stream = PcmStream(is_wav=is_wav)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [stream.feed(data[a:b]) for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate(pieces) * 32768, samples)
    assert stream.sample_rate == (22_050 if is_wav else 24_000)


def test_other_chunks_and_channels_of_a_wav_are_skipped() -> None:
    plain = wav(np.array([1, 2, 3, 4], np.int16), channels=2)
    with_list = plain[:36] + b"LIST\x03\x00\x00\x00abc\x00" + plain[36:]
    assert list(PcmStream(is_wav=True).feed(with_list) * 32768) == [1, 3]


@pytest.mark.parametrize(
    "data",
    [
        b'{"error": 1}',
        b"RI am no wave",
        wav(np.zeros(8, np.uint8), width=1),
        b"RIFF0000WAVE" + b"\0" * (1 << 21),
    ],
)
def test_what_is_no_wav_is_refused(data: bytes) -> None:
    with pytest.raises(AudioError):
        PcmStream(is_wav=True).feed(data)


def listening(due: float, ttfb: float = 0.1, seconds: float = 1.0, **fields: object) -> Listening:
    one = Listening(
        due_at=due, sent_at=due, first_audio_at=due + ttfb, audible_at=due + ttfb + 0.05, status=200
    )
    one.ended_at = due + seconds
    one.audio_seconds = 2 * seconds
    for name, value in fields.items():
        setattr(one, name, value)
    return one


def refused(due: float, status: int, error: str) -> Listening:
    return Listening(due_at=due, sent_at=due, ended_at=due + 0.01, status=status, error=error)


def test_a_run_is_summed_up() -> None:
    results = [listening(100 + n / 10, ttfb=0.01 * (n + 1)) for n in range(20)]
    results += [refused(100.5, 429, "overloaded"), refused(101.5, 503, "engine_unavailable")]
    results[3].underruns, results[3].underrun_seconds, results[3].gaps = 2, 0.5, [0.1, 0.4]
    report = summarise(100.0, results)
    assert (report.requests, report.ok) == (22, 20)
    assert report.errors == {"overloaded": 1, "engine_unavailable": 1}
    assert report.busy_share == pytest.approx(1 / 22)
    assert report.wall_seconds == pytest.approx(2.9)
    assert report.requests_per_second == pytest.approx(20 / 2.9)
    assert report.audio_per_second == pytest.approx(40 / 2.9)
    assert report.ttfb
    assert (report.ttfb.p50, report.ttfb.p95, report.ttfb.p99) == pytest.approx((0.10, 0.19, 0.20))
    assert report.ttfa
    assert report.ttfa.p50 == pytest.approx(0.15)
    assert report.rtf
    assert report.rtf.max == pytest.approx(0.5)
    assert (report.underruns, report.underrun_seconds, report.streams_with_underruns) == (2, 0.5, 1)
    assert report.longest_gap
    assert (report.longest_gap.n, report.longest_gap.max) == (1, 0.4)
    assert report.peak_streams == 11


def test_each_second_has_its_own_figures() -> None:
    results = [listening(0.5, ttfb=0.1, seconds=1.0), listening(0.6, ttfb=0.3, seconds=2.0, underruns=1)]
    results.append(refused(2.2, 500, "internal"))
    first, second, third = summarise(0.0, results).per_second
    assert (first.due, first.ended, first.live) == (2, 0, 2)
    assert (first.ttfb_p50, first.ttfb_max) == pytest.approx((0.1, 0.3))
    assert (second.due, second.ended, second.live, second.ttfb_p50) == (0, 1, 1, None)
    assert (third.due, third.ended, third.live, third.errors, third.underruns) == (1, 2, 0, 1, 1)


def test_nothing_heard_is_a_report_too() -> None:
    report = summarise(5.0, [])
    assert (report.requests, report.wall_seconds, report.ttfb, report.per_second) == (0, 0.0, None, ())


def test_limits_that_were_not_kept_are_told() -> None:
    report = summarise(0.0, [listening(0.0, ttfb=0.2, underruns=1), refused(0.1, 429, "overloaded")])
    assert broken_limits(report, Limits()) == []
    assert broken_limits(report, Limits(ttfb_p99=0.2, ttfa_p99=0.3, underruns=1, errors=1)) == []
    assert broken_limits(report, Limits(ttfb_p99=0.1, ttfa_p99=0.1, underruns=0, errors=0)) == [
        "TTFB p99 is 0.200 s, limit 0.1 s",
        "TTFA p99 is 0.250 s, limit 0.1 s",
        "1 underruns, limit 0",
        "1 errors, limit 0",
    ]
    silent = summarise(0.0, [refused(0.1, 429, "overloaded")])
    assert broken_limits(silent, Limits(ttfb_p99=1)) == ["TTFB p99 is not measured, limit 1 s"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_measured_value_that_enough_do_not_exceed(
    values: list[float], percent: int
) -> None:
    ordered = sorted(values)
    value = percentile(ordered, percent)
    assert value in values
    assert sum(one <= value for one in values) >= len(values) * percent / 100
    assert sum(one < value for one in values) < len(values) * percent / 100


def test_a_spread_leaves_out_what_was_not_measured() -> None:
    assert spread([None, None]) is None
    found = spread([3.0, None, 1.0])
    assert found
    assert (found.n, found.mean, found.max) == (2, 2.0, 3.0)
