"""Every kind of mistake in a settings file, each with the message it gets.

The first lines of a file in `bad/` hold what is expected: `# error:` lines, then perhaps a `# hint:` line.
"""

from pathlib import Path

import pytest

from ttsops.errors import ConfigError
from ttsops.settings import load_settings

pytestmark = pytest.mark.unit

BAD = sorted((Path(__file__).parent / "bad").glob("*.toml"))


def expected(path: Path) -> tuple[str, str | None]:
    lines = path.read_text().splitlines()
    errors = [line.removeprefix("# error: ") for line in lines if line.startswith("# error: ")]
    hints = [line.removeprefix("# hint: ") for line in lines if line.startswith("# hint: ")]
    return "\n".join(errors).replace("{file}", str(path)), hints[0] if hints else None


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_its_line(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {})
    assert (caught.value.message, caught.value.hint) == expected(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_settings(tmp_path / "none.toml", {})


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"engine = '\xff\xfe'")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(path, {})
