"""Every utterance's log line has the hash of its parameters."""

import logging
import time
from collections.abc import Iterator

import pytest
from server_site import Site, client_of, serving, tone_settings

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def tone_site() -> Iterator[Site]:
    with serving(tone_settings()) as site:
        yield site


def hashes(caplog: pytest.LogCaptureFixture) -> list[str | None]:
    lines = [one.msg for one in caplog.records if one.name == "ttsops.utterance"]
    return [line["control_hash"] for line in lines if isinstance(line, dict)]


def say(site: Site, caplog: pytest.LogCaptureFixture, **order: object) -> str | None:
    caplog.clear()
    with client_of(site) as http, caplog.at_level(logging.INFO, "ttsops.utterance"):
        body = {"input": "Good morning.", "response_format": "pcm", **order}
        http.post("/v1/audio/speech", json=body)
        ends_at = time.monotonic() + 5
        while not hashes(caplog) and time.monotonic() < ends_at:  # it is written after the last byte
            time.sleep(0.005)
    (found,) = hashes(caplog)
    return found


def test_the_same_parameters_have_the_same_hash_whatever_the_text(
    tone_site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    first = say(tone_site, caplog)
    assert first is not None
    assert first.startswith("1-")
    assert say(tone_site, caplog, input="Something else.") == first
    assert say(tone_site, caplog, speed=1.0, voice="middle") == first


@pytest.mark.parametrize(
    "order",
    [
        {"speed": 1.5},
        {"seed": 3},
        {"voice": "low"},
        {"numbers": False},
        {"options": {"frequency": 500}},
    ],
)
def test_another_parameter_has_another_hash(
    tone_site: Site, caplog: pytest.LogCaptureFixture, order: dict[str, object]
) -> None:
    assert say(tone_site, caplog, **order) != say(tone_site, caplog)


def test_what_no_engine_took_has_none(tone_site: Site, caplog: pytest.LogCaptureFixture) -> None:
    assert say(tone_site, caplog, voice="nobody") is None
