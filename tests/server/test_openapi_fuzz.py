"""The server against its own description: whatever is sent, nothing breaks and every answer is described."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance
from server_site import Site, client_of, tone_settings

from ttsops.audio import CONTENT_TYPES, Format
from ttsops.runtime import Runtime
from ttsops.server.app import create_app
from ttsops.server.errors import STATUS

pytestmark = pytest.mark.server

load_all_checks()

DESCRIPTION: dict[str, Any] = create_app(Runtime(tone_settings(), in_process=True), tone_settings()).openapi()
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DESCRIPTION).get_all_operations()]
WITH_BODY = [operation for operation in OPERATIONS if operation.body]

EXAMPLES = hypothesis.settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)


def fuzz(site: Site, operation: Any, mode: GenerationMode) -> None:
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    @EXAMPLES
    def send(case: schemathesis.Case) -> None:
        # A description cannot say which voices there are, or that white space is no text.
        case.call_and_validate(base_url=site.url, timeout=20, excluded_checks=[positive_data_acceptance])

    send()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_what_is_described_is_answered_as_described(site: Site, operation: Any) -> None:
    fuzz(site, operation, GenerationMode.POSITIVE)


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.label)
def test_what_is_not_described_is_refused_as_described(site: Site, operation: Any) -> None:
    fuzz(site, operation, GenerationMode.NEGATIVE)


def test_any_text_is_spoken_or_refused_with_a_reason(site: Site) -> None:
    with client_of(site) as client:

        @hypothesis.given(
            text=st.text(max_size=40), fmt=st.sampled_from(Format), stream=st.sampled_from(["audio", "sse"])
        )
        @EXAMPLES
        def say(text: str, fmt: Format, stream: str) -> None:
            asked = {"input": text, "response_format": fmt.value, "stream_format": stream}
            answer = client.post("/v1/audio/speech", json=asked)
            if answer.status_code == 200:
                assert answer.content
            else:
                assert answer.status_code == 400
                assert answer.json()["error"]["code"] == "empty_text"

        say()


# ---- the description itself ------------------------------------------------------------


def test_every_operation_says_what_it_is_and_how_it_fails() -> None:
    for operation in OPERATIONS:
        described = operation.definition.raw
        assert described["summary"], operation.label
        assert described["description"], operation.label
        assert "422" not in described["responses"], operation.label
        for status, answer in described["responses"].items():
            assert answer["content"], f"{operation.label} {status}"
            if status in ("400", "401", "404", "413", "429", "500", "504"):
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorBody"}, f"{operation.label} {status}"


def test_speech_is_described_in_every_format_and_every_failure() -> None:
    answers = DESCRIPTION["paths"]["/v1/audio/speech"]["post"]["responses"]
    assert set(answers["200"]["content"]) == {*CONTENT_TYPES.values(), "text/event-stream"}
    # Whoever gets a 408 has stopped reading; what is spoken cannot be there already, and no model is asked.
    assert {int(status) for status in answers} == {200, *STATUS.values()} - {408, 409, 502}


def test_every_field_of_a_request_is_described() -> None:
    for name in ("SpeechBody", "SynthesizeBody"):
        for field, schema in DESCRIPTION["components"]["schemas"][name]["properties"].items():
            assert schema.get("description"), f"{name}.{field}"
