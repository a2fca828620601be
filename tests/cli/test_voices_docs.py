"""What docs/voices.md says is so."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from test_cli_voices_recorded import write_recording

from ttsops import errors
from ttsops.audio import decode_audio
from ttsops.ops.voice_picture import draw_voice
from ttsops.voices import quality, recording, reference
from ttsops.voices.recording import prepare_recording, recording_samples

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "voices.md").read_text()


def test_its_commands_run(ttsops: Callable[..., Any]) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    write_recording("alice.wav")
    commands = "".join(blocks).replace("\\\n", " ").splitlines()
    assert len(commands) == 8
    for command in commands:
        done = ttsops(*shlex.split(command)[1:])
        assert done.code == 0, done.err


def test_its_picture_is_one_that_the_command_draws() -> None:
    picture = DOCS / "images" / "voice_alice.svg"
    assert f"](images/{picture.name})" in PAGE
    assert picture.stat().st_size < 100_000
    voice, rate = decode_audio(Path(__file__).parents[1] / "golden" / "voices" / "en-Alice_woman.ogg")
    prepared = prepare_recording(voice, rate)
    drawn = draw_voice(recording_samples(prepared.pcm), "Voice en-Alice_woman", prepared.quality)
    assert texts(drawn) == texts(picture.read_bytes())


def texts(picture: bytes) -> list[str]:
    return [one.text or "" for one in Xml.fromstring(picture).iter() if one.tag.endswith("text")]


def test_every_reason_of_a_refusal_is_on_it() -> None:
    classes = [one for one in vars(errors).values() if isinstance(one, type)]
    refusals = [one for one in classes if issubclass(one, errors.BadReference)]
    for cls in [*refusals, errors.NoConsent, errors.ConsentNotFound, errors.DuplicateVoice]:
        assert f"| `{cls.code}` |" in PAGE


def test_its_figures_are_those_of_the_code() -> None:
    assert f"{reference.MIN_SECONDS:g} to {reference.MAX_SECONDS:g} s" in PAGE
    assert f"longer than {reference.MAX_SOURCE_SECONDS:g} s" in PAGE
    assert f"{reference.RATES[0] // 1000} to {reference.RATES[1] // 1000} kHz" in PAGE
    assert f"more than {reference.MAX_TRANSCRIPT_CHARS} characters" in PAGE
    assert f"{recording.MIN_SECONDS:g} to {recording.MAX_SECONDS:g} s" in PAGE
    assert f"speech at {recording.SPEECH_DBFS:g} dBFS with its peak at {recording.PEAK_DBFS:g} dBFS" in PAGE


def test_its_thresholds_are_those_of_the_code() -> None:
    """And every code of a finding is there."""
    for threshold in (
        f"`noisy` below {quality.GOOD_SNR_DB:g} dB",
        f"`clipped` above {100 * quality.CLIPPED_SHARE:g} %",
        f"flat tops of {quality.FLAT_RUN} samples",
        f"`music` above {100 * quality.STEADY_SHARE:g} %",
        f"`silence` above {100 * quality.SILENT_SHARE:g} %",
        f"`dull` below {quality.GOOD_BANDWIDTH_HZ:g} Hz",
        f"within {quality.BANDWIDTH_DB:g} dB",
        f"`quiet` below {quality.QUIET_SPEECH_DBFS:g} dBFS",
        f"`offset` above {quality.DC_OFFSET:g}",
        f"`short` below {quality.SHORT_SECONDS:g} s",
        "`cut`",
    ):
        assert threshold in PAGE, threshold
