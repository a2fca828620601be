"""The generated pages."""

from pathlib import Path

import pytest

from ttsops.cli.output import Exit
from ttsops.cli.reference import EXIT_CODES, PAGES, cli_page, main

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_every_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run `make docs`"


def test_every_page_of_the_folder_is_generated_or_known() -> None:
    assert set(PAGES) <= {path.name for path in DOCS.iterdir()}


def test_pages_are_written_into_a_folder(tmp_path: Path) -> None:
    main(tmp_path / "new")
    assert (tmp_path / "new" / "cli.md").read_text() == cli_page()


def test_the_page_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    page = cli_page()
    monkeypatch.setenv("COLUMNS", "40")
    assert cli_page() == page


def test_every_exit_code_is_documented() -> None:
    assert set(EXIT_CODES) == set(Exit)
    for code in Exit:
        assert f"| {code.value} | " in cli_page()
