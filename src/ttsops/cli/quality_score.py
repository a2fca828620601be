"""`ttsops quality score`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ttsops.cli.output import EndWith, Exit, print_json, say, warn
from ttsops.cli.verb import verb
from ttsops.errors import InvalidValue

if TYPE_CHECKING:
    from ttsops.ops.quality.scores import Score, Scorer


@dataclass(frozen=True, slots=True)
class _File:
    """What is scored."""

    path: Path
    text: str = ""
    language: str = ""
    note: str = ""


@verb(
    "score",
    examples=(
        'ttsops quality score hello.wav --text "Hello from tts-ops"',
        "ttsops quality score sweep",
        "ttsops quality score *.mp3 --no-mos --json",
    ),
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--text", default="", help="What every file should say.  [default: from the sweep it is in]")
@click.option("--language", default="", help="BCP 47 tag of the text; words are heard in English only.")
@click.option("--mos/--no-mos", default=True, help="Opinions as DNSMOS predicts them.")
@click.option("--words/--no-words", default=True, help="Words as a recogniser hears them.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def score(files: tuple[Path, ...], text: str, language: str, mos: bool, words: bool, as_json: bool) -> None:
    """Judge audio files: predicted opinions, words heard, dropouts, clipping.

    FILE is any common audio file, or the folder of a sweep. The opinions and the recogniser come with the
    extra `quality`. A predicted opinion is no listener's: docs/operate/quality.md says what it cannot hear.

    Exit code 1 if a file has something that a listener would complain about, 3 if the extra is missing.
    """
    from ttsops.ops.quality.scores import Scorer

    chosen = list(_chosen(files, text, language))
    _check_installed(mos=mos, words=words and any(one.text for one in chosen))
    scorer = Scorer(with_mos=mos, with_words=words, on_load=tell_loading)
    scores = _score(chosen, scorer)
    for note in dict.fromkeys(one.note for one in chosen if one.note):
        warn(note)
    if as_json:
        print_json(
            [
                {"file": str(file.path), "text": file.text, "note": file.note, "score": found}
                for file, found in zip(chosen, scores, strict=True)
            ]
        )
    else:
        _print(chosen, scores)
    if any(found.sound.problems for found in scores):
        raise EndWith(Exit.FAILED)


def tell_loading(what: str) -> None:
    """Before something that takes long and shows nothing."""
    say(f"Loading {what}")


def _check_installed(*, mos: bool, words: bool) -> None:
    """Raises `NotInstalled`: better before the first file than after the last."""
    from ttsops.ops.quality.extra import require
    from ttsops.ops.quality.mos import MODULES as MOS_MODULES
    from ttsops.ops.quality.words import MODULES as WORDS_MODULES

    if mos:
        require("predicting opinions (`--no-mos` leaves them out)", *MOS_MODULES)
    if words:
        require("hearing words (`--no-words` leaves them out)", *WORDS_MODULES)


def _chosen(files: tuple[Path, ...], text: str, language: str) -> Iterator[_File]:
    """Files with what they should say: as given, else as the manifest of their sweep has it."""
    from ttsops.ops.quality.manifest import read_manifest
    from ttsops.text import make_speakable

    spoken = make_speakable(text, language or "en") if text else ""
    for path in files:
        if path.is_dir():
            manifest = read_manifest(path)
            if manifest is None:
                raise InvalidValue(f"`{path}` is not the folder of a sweep", hint="name its files")
            takes = [path / take.file for take in manifest.takes if take.file]
        else:
            takes = [path]
        for take in takes:
            found = _from_sweep(take)
            yield _File(take, spoken or found.text, language or found.language, found.note)


def _from_sweep(path: Path) -> _File:
    """What the manifest two folders up says of the file; nothing if there is none."""
    from ttsops.ops.quality.manifest import read_manifest

    folder = path.absolute().parent.parent
    manifest = read_manifest(folder)
    takes = manifest.takes if manifest else ()
    name = f"{path.absolute().parent.name}/{path.name}"
    take = next((one for one in takes if one.file == name), None)
    if manifest is None or take is None:
        return _File(path)
    return _File(path, manifest.text(take.text).spoken, manifest.language, manifest.subject.note)


def _score(files: list[_File], scorer: Scorer) -> list[Score]:
    from ttsops.cli.progress import LateProgress

    scores = []
    with LateProgress(len(files)) as progress:
        for number, file in enumerate(files):
            progress.update(number, f"{number} of {len(files)} files scored")
            scores.append(scorer.score(file.path, file.text, file.language))
    return scores


def _print(files: list[_File], scores: list[Score]) -> None:
    from rich.console import Console

    from ttsops.cli.quality_report import render_scores

    found = [(str(file.path), one) for file, one in zip(files, scores, strict=True)]
    Console(highlight=False, soft_wrap=True, width=200).print(render_scores(found))
