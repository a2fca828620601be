"""`ttsops quality ab` and `ttsops quality ratings`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ttsops.cli.output import print_json, say, warn
from ttsops.cli.verb import verb
from ttsops.errors import InvalidValue

if TYPE_CHECKING:
    from ttsops.ops.quality.pairs import Session
    from ttsops.ops.quality.ratings import Rating

PAGE_FILE, RATINGS_FILE = "listen.html", "ratings.jsonl"


@verb(
    "ab",
    examples=(
        "ttsops quality ab sweep --serve",
        "ttsops quality ab sweep/nfe-7 sweep/nfe-32 --out listening",
        "ttsops quality ab yesterday today --pairs 12 --serve --port 8010",
    ),
)
@click.argument("folders", metavar="DIR_A [DIR_B]", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    default=".",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for `listen.html`, or with `--serve` for `ratings.jsonl`.  [default: this one]",
)
@click.option("--serve", is_flag=True, help="Serve the page on loopback and take the ratings.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8010, show_default=True, help="Port of `--serve`."
)
@click.option(
    "--pairs",
    type=click.IntRange(1, 200),
    default=24,
    show_default=True,
    help="Pairs on the page, at most; the settings of a sweep keep equally many.",
)
@click.option("--seed", default=0, show_default=True, help="Which pairs, if there are more.")
def ab(folders: tuple[Path, ...], out: Path, serve: bool, port: int, pairs: int, seed: int) -> None:
    """Make a page on which people hear two renderings blind and rate them.

    Of two folders, recordings of the same name are paired; of the folder of a sweep, every setting with the
    reference. The page is one file with the recordings in it, and needs no network. Its order, and which is
    A, are drawn anew for every listener, and told at the end.
    """
    session = _session(folders, pairs, seed)
    if session.note:
        warn(session.note)
    if not out.is_dir():
        raise InvalidValue(f"there is no folder `{out}`", param="out")
    if serve:
        _serve(session, out / RATINGS_FILE, port)
        return
    from ttsops.audio import write_atomically
    from ttsops.ops.quality.page import listening_page

    page = listening_page(session)
    write_atomically(out / PAGE_FILE, page)
    size = len(page) / 2**20
    say(f"Wrote `{out / PAGE_FILE}`: {len(session.pairs)} pairs, {size:.1f} MiB. Open it in a browser")


@verb(
    "ratings",
    examples=("ttsops quality ratings ratings.jsonl", "ttsops quality ratings ratings-*.json --json"),
)
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def ratings(files: tuple[Path, ...], as_json: bool) -> None:
    """Sum up what listeners said.

    FILE is what `ttsops quality ab --serve` wrote, or what the page gave for download. For each setting the
    mean opinion with its 95 % confidence interval; for each two settings who was preferred, with a sign test.
    """
    from ttsops.ops.quality.ratings import read_ratings, summarise

    found = [rating for path in files for rating in read_ratings(path)]
    if not found:
        raise InvalidValue("there is no rating in these files")
    summary = summarise(found)
    if as_json:
        print_json(summary)
        return
    from rich.console import Console

    from ttsops.cli.quality_report import render_ratings

    Console(highlight=False, soft_wrap=True, width=200).print(render_ratings(summary))


def _session(folders: tuple[Path, ...], pairs: int, seed: int) -> Session:
    from ttsops.ops.quality.manifest import read_manifest
    from ttsops.ops.quality.pairs import pairs_of_folders, pairs_of_sweep

    if len(folders) == 2:
        return pairs_of_folders(*folders, limit=pairs, seed=seed)
    if len(folders) > 2:
        raise click.UsageError("two folders are compared, or the settings of one sweep")
    manifest = read_manifest(folders[0])
    if manifest is None:
        raise InvalidValue(f"`{folders[0]}` is not the folder of a sweep", hint="give two folders")
    return pairs_of_sweep(folders[0], manifest, limit=pairs, seed=seed)


def _serve(session: Session, ratings_file: Path, port: int) -> None:
    import asyncio

    from ttsops.ops.quality.serve import serve_page

    n_rated = 0

    def on_rating(rating: Rating) -> None:
        nonlocal n_rated
        n_rated += 1
        say(f"Pair {rating.pair} was rated")

    try:
        asyncio.run(
            serve_page(
                session,
                ratings_file,
                port=port,
                on_ready=lambda url: say(f"Listen at {url} (Ctrl-C ends)"),
                on_rating=on_rating,
            )
        )
    except KeyboardInterrupt:  # how it is meant to end
        say(f"{n_rated} ratings were added to `{ratings_file}`")
