"""What the listeners ask for: texts as short as an answer and as long as a paragraph."""

from __future__ import annotations

from pathlib import Path

from ttsops.errors import InvalidValue

TEXTS = (
    "Yes, of course.",
    "One moment, please.",
    "Your table is ready.",
    "The next train leaves from platform nine.",
    "It will rain in the evening, so take a coat.",
    "I have moved your appointment to Thursday at half past three.",
    "Turn left after the bridge, then follow the river until you reach the old mill.",
    "The parcel was handed to your neighbour, who said that she would bring it over tonight.",
    "Here is what I found: two museums are open today, and the smaller one has no queue at all.",
    "Before we begin, check that the valve is closed, that the lamp is green, and that nobody stands behind "
    "the machine.",
    "She had walked this road a thousand times, yet never at this hour. The lanterns were out, the shutters "
    "closed, and somewhere far below a dog was barking at the tide.",
    "Bread needs four things: flour, water, salt and time. Most people save on the last. Let the dough rest "
    "overnight in a cool place, fold it twice in the morning, and it will forgive almost everything else. "
    "Bake it hot, and wait until it has stopped singing before you cut the first slice.",
)
"""From one second of speech to about twenty."""


def read_corpus(path: Path) -> tuple[str, ...]:
    """One text per line, empty lines left out. Raises `InvalidValue` if there is none, or no such file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"cannot read `{path}`: {error}") from error
    texts = tuple(line.strip() for line in lines if line.strip())
    if not texts:
        raise InvalidValue(f"there is no text in `{path}`", hint="write one text per line")
    return texts
