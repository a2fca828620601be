import msgspec
import pytest

from ttsops import errors
from ttsops.agent import failures
from ttsops.errors import TtsOpsError
from ttsops.server.errors import STATUS, error_response, status_of

pytestmark = pytest.mark.unit

CLASSES = list(
    {value: None for room in (errors, failures) for value in vars(room).values() if isinstance(value, type)}
)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.code)
def test_every_error_has_a_status_and_openai_s_shape(cls: type[TtsOpsError]) -> None:
    response = error_response(cls("what happened", hint="do this", param="speed", retry_after=2.1))
    body = msgspec.json.decode(response.body)
    assert set(body["error"]) == {"message", "type", "param", "code", "hint"}
    assert body["error"]["code"] == cls.code
    assert ("retry-after" in response.headers) == (response.status_code in (429, 503))
    assert response.headers.get("retry-after", "3") == "3", "rounded up, never earlier than promised"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.code)
def test_a_callers_mistake_is_never_a_5xx_and_a_failure_never_a_4xx(cls: type[TtsOpsError]) -> None:
    status = status_of(cls("x"))
    if issubclass(cls, errors.RequestError):
        assert 400 <= status < 500
    elif issubclass(cls, errors.CapacityError):
        assert status in (429, 503)
    elif not issubclass(cls, errors.SlowReader | errors.NoAudio):
        assert status >= 500


def test_the_mapping_names_only_errors_that_exist() -> None:
    assert set(STATUS) <= set(CLASSES)


def test_a_subclass_without_an_entry_has_its_parents_status() -> None:
    class NewMistake(errors.UnknownVoice):
        code = "new_mistake"

    assert status_of(NewMistake("x")) == 400


def test_an_unmeasured_wait_is_still_a_retry_after() -> None:
    assert error_response(errors.Draining("stopping")).headers["retry-after"] == "1"


def test_a_401_says_how_to_authenticate() -> None:
    assert error_response(errors.Unauthorized("no key")).headers["www-authenticate"] == "Bearer"
