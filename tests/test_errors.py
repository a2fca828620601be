import re

import pytest

from ttsops import errors

pytestmark = pytest.mark.unit

CLASSES = [value for value in vars(errors).values() if isinstance(value, type)]


def test_docstring_tree_names_every_error() -> None:
    documented = set(re.findall(r"^\s*[*+-] (\w+)", errors.__doc__ or "", re.MULTILINE))
    assert documented == {cls.__name__ for cls in CLASSES}


def test_codes_are_unique() -> None:
    assert len({cls.code for cls in CLASSES}) == len(CLASSES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.code)
def test_an_error_survives_the_wire(cls: type[errors.TtsOpsError]) -> None:
    again = errors.from_code(cls.code, "what", hint="do", param="voice", retry_after=2.5)
    assert type(again) is cls
    assert (str(again), again.hint, again.param, again.retry_after) == ("what", "do", "voice", 2.5)


def test_an_unknown_code_is_an_engine_error() -> None:
    assert type(errors.from_code("from_the_future", "x")) is errors.EngineError
