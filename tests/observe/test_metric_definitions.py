"""The metrics: documented, exposed, and what the issue of an alert would look for."""

import asyncio
import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram, Info
from prometheus_client.parser import text_string_to_metric_families

from ttsops import __version__
from ttsops.errors import Cancelled, EngineHung, InvalidValue, Overloaded, SlowReader
from ttsops.observe import definitions, metrics
from ttsops.observe.figures import rtf
from ttsops.observe.outcomes import outcome_of
from ttsops.observe.reference import metrics_page

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[2] / "docs" / "reference"
CLASSES = {"counter": Counter, "gauge": Gauge, "histogram": Histogram, "info": Info}
UNITS_IN_NAMES = {"seconds": "_seconds", "bytes": "_bytes", "percent": "_percent"}

by_name = pytest.mark.parametrize("definition", definitions.ALL, ids=lambda d: d.name)


@by_name
def test_every_metric_says_what_it_is(definition: definitions.Definition) -> None:
    assert len(definition.help.split()) >= 4, "a dashboard's reader needs a sentence"
    assert definition.unit
    assert all(definition.labels.values()), "a label without a meaning"
    assert re.fullmatch(r"tts_[a-z_]+", definition.name)
    suffix = UNITS_IN_NAMES.get(definition.unit, "")
    assert suffix in definition.name
    assert definition.name.endswith("_total") == (definition.kind == "counter")


@by_name
def test_buckets_grow_and_have_a_reason(definition: definitions.Definition) -> None:
    assert bool(definition.buckets) == (definition.kind == "histogram")
    assert list(definition.buckets) == sorted(set(definition.buckets))
    assert bool(definition.buckets) == bool(definition.buckets_reason)


def test_every_definition_has_its_object_of_the_same_name() -> None:
    names = {
        name: value for name, value in vars(definitions).items() if isinstance(value, definitions.Definition)
    }
    assert tuple(names.values()) == definitions.ALL
    assert len({d.name for d in definitions.ALL}) == len(definitions.ALL)
    for name, definition in names.items():
        assert isinstance(getattr(metrics, name), CLASSES[definition.kind]), name


def test_a_scrape_shows_every_metric_and_what_was_counted() -> None:
    metrics.CANCELS.labels(engine="test-scrape", reason="hangup").inc(2)
    body, content_type = metrics.render()
    assert content_type.startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    for definition in definitions.ALL:
        family = families[definition.name.removesuffix("_total")]
        assert family.documentation == definition.help
    (sample,) = [s for s in families["tts_cancels"].samples if s.labels["engine"] == "test-scrape"]
    assert sample.value == 2
    assert families["tts_build_info"].samples[0].labels["version"] == __version__
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6


def test_the_default_step_limit_is_the_last_bucket_of_a_step() -> None:
    """The help text promises it."""
    from ttsops.settings import RuntimeSettings

    assert definitions.STEP_DURATION.buckets[-1] == RuntimeSettings().step_seconds
    assert RuntimeSettings().max_queue_seconds in definitions.QUEUE_WAIT.buckets


def test_the_metrics_page_is_up_to_date() -> None:
    assert (DOCS / "metrics.md").read_text() == metrics_page(), "run `make docs`"


def test_rtf_is_time_over_audio() -> None:
    assert rtf(1.0, 4.0) == 0.25
    assert rtf(1.0, 0.0) is None


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (InvalidValue("x"), "rejected"),
        (Overloaded("x"), "busy"),
        (EngineHung("x"), "failed"),
        (ZeroDivisionError(), "failed"),
        (Cancelled("x"), "ended"),
        (SlowReader("x"), "ended"),
        (asyncio.CancelledError(), "ended"),
    ],
)
def test_an_outcome_tells_our_fault_from_theirs(error: BaseException | None, outcome: str) -> None:
    assert outcome_of(error) == outcome


def test_every_metric_is_counted_somewhere() -> None:
    package = Path(metrics.__file__).parents[1]
    elsewhere = "".join(path.read_text() for path in package.rglob("*.py") if path.name != "definitions.py")
    for name, value in vars(definitions).items():
        if isinstance(value, definitions.Definition):
            uses = re.findall(rf"\b(?:metrics\.)?{name}\.(?:labels|set|inc|observe|info|clear)\b", elsewhere)
            assert uses, f"{name} is defined and counted nowhere"
