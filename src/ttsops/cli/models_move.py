"""`ttsops models pull`, `sync`, `pack` and `unpack`: weights from elsewhere, and to elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ttsops.cli.models_report import report_lines, size_text
from ttsops.cli.output import EndWith, Exit, say, warn
from ttsops.cli.verb import config_option, verb
from ttsops.errors import ModelError
from ttsops.settings import Settings, load_settings

if TYPE_CHECKING:
    from ttsops.models.cache import HubCache
    from ttsops.models.catalogue import Catalogue, Entry, Source


@verb(
    "pull",
    examples=(
        "ttsops models pull realtime",
        "ttsops models pull 7B --from vibevoice/VibeVoice-7B",
        "ttsops models pull f5 --alone",
        "ttsops models pull realtime --repair",
    ),
)
@click.argument("names", nargs=-1, required=True)
@config_option
@click.option("--from", "place", metavar="REPO[@REVISION]", help="Another hub id to fetch it from.")
@click.option("--alone", is_flag=True, help="Without the tokenizer or vocoder it needs.")
@click.option("--repair", is_flag=True, help="Look at what is here first, and fetch what is damaged again.")
def pull(names: tuple[str, ...], config: Path | None, place: str | None, alone: bool, repair: bool) -> None:
    """Fetch models from the hub into its cache, and check them.

    Nothing else in tts-ops ever fetches anything. A fetch that was cut off goes on where it stopped. Needs
    the extra `hub`; `HF_TOKEN` logs in, `HF_ENDPOINT` names a mirror.
    """
    from ttsops.cli.progress import ByteProgress, LateProgress
    from ttsops.models.fetch import discard_damaged, fetch
    from ttsops.models.hub import Hub
    from ttsops.models.verify import verify

    settings, found, cache = _open(config)
    entries = tuple(found.find(name) for name in names) if alone else found.with_parts(names)
    source = _source(place) if place else None
    if source and len(names) > 1:
        raise click.UsageError("--from is for one model")
    hub = Hub(settings.hub.endpoint)
    first = found.find(names[0])
    for entry in entries:
        if not entry.repo:
            say(f"{entry.name} is your own folder: nothing to fetch")
            continue
        say(f"Fetching {entry.name} ({entry.licence or 'licence not said'})")
        snapshot = cache.find(entry) if repair else None
        if snapshot is not None:
            with ByteProgress("checked") as checking:
                n_bad = discard_damaged(verify(snapshot, on_bytes=checking.add))
            say(f"{n_bad} damaged files are fetched again")
        with LateProgress() as progress:
            fetch(
                hub,
                cache,
                entry,
                source if entry is first else None,
                lambda path, n, of: progress.update(n, f"{path}: {size_text(n)} of {size_text(of)}"),
            )
    _verify(entries, cache)


@verb(
    "sync",
    examples=(
        "ttsops models sync me@gpu-box",
        "ttsops models sync me@gpu-box:/srv/hub realtime f5",
        "ttsops models sync gpu-box --ssh 'ssh -p 2222' --limit 10000",
    ),
)
@click.argument("place", metavar="USER@HOST[:CACHE]")
@click.argument("names", nargs=-1)
@config_option
@click.option("--ssh", default="ssh", help="The command that gets there.  [default: ssh]")
@click.option("--limit", type=click.IntRange(1), metavar="KIB", help="At most so many KiB a second.")
def sync(place: str, names: tuple[str, ...], config: Path | None, ssh: str, limit: int | None) -> None:
    """Copy models from the cache of another machine, by rsync over ssh, and check them.

    The other machine is only read. NAMES are models; without them all of the catalogue that is there. A copy
    that was cut off goes on where it stopped.
    """
    from ttsops.cli.progress import LateProgress
    from ttsops.models.sync import Rsync, parse_place

    _, found, cache = _open(config)
    there, rsync = parse_place(place), Rsync(ssh)
    repos = rsync.repos(there)
    wanted = found.with_parts(names) if names else tuple(found)
    chosen = [(entry, next((s.repo for s in entry.sources if s.repo in repos), "")) for entry in wanted]
    if names and not any(repo for _, repo in chosen):
        raise ModelError(
            f"none of that is in `{there.path()}`", hint=f"there are: {', '.join(repos) or 'none'}"
        )
    for entry, repo in chosen:
        if not repo:
            if names:
                warn(f"{entry.name} is not there")
            continue
        with LateProgress() as progress:
            n_sent = rsync.copy(
                there,
                repo,
                cache,
                lambda repo, n: progress.update(n, f"{repo}: {size_text(n)}"),
                limit_kib=limit,
            )
        say(f"{entry.name}: {size_text(n_sent)} came")
    came = tuple(entry for entry, repo in chosen if repo)
    if not came:
        raise ModelError(f"no model of the catalogue is in `{there.path()}`")
    _verify(came, cache)


@verb(
    "pack",
    examples=("ttsops models pack all.tar", "ttsops models pack speech.tar.gz realtime --voices voices"),
)
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("names", nargs=-1)
@config_option
@click.option(
    "--voices",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of voices to pack, too.  [default: `folder` of `[voices]`, if it is set]",
)
def pack(archive: Path, names: tuple[str, ...], config: Path | None, voices: Path | None) -> None:
    """Put models and voices into one archive, for a machine without a network.

    NAMES are models; without them all of the catalogue that are here. They are checked first. ARCHIVE ends
    with .tar, .tar.gz or .tar.zst (Python 3.14).
    """
    from ttsops.cli.progress import ByteProgress
    from ttsops.models.pack import pack as write

    settings, found, cache = _open(config)
    entries = found.with_parts(names) if names else tuple(found)
    snapshots = [snapshot for entry in entries if (snapshot := cache.find(entry)) and snapshot.source.repo]
    absent = [entry.name for entry in entries if cache.find(entry) is None]
    if names and absent:
        raise ModelError(f"not here: {', '.join(absent)}", hint="`ttsops models pull` fetches them")
    folder = voices or (Path(settings.voices.folder) if settings.voices.folder else None)
    if voices and not voices.is_dir():
        raise ModelError(f"there is no folder `{voices}`")
    with ByteProgress("read") as progress:
        manifest = write(archive, snapshots, folder, progress.add)
    packed = [
        *(model.name for model in manifest.models),
        *([f"{len(manifest.voices)} files of voices"] * bool(folder)),
    ]
    say(f"Packed {', '.join(packed)} into `{archive}`: {size_text(archive.stat().st_size)}")


@verb("unpack", examples=("ttsops models unpack all.tar", "ttsops models unpack all.tar --voices voices"))
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False))
@config_option
@click.option(
    "--voices",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for its voices.  [default: `folder` of `[voices]`]",
)
def unpack(archive: Path, config: Path | None, voices: Path | None) -> None:
    """Take models and voices out of an archive, all of it or, if anything is wrong with it, nothing.

    Every byte is checked. Voices that are here already stay as they are.
    """
    from ttsops.cli.progress import ByteProgress
    from ttsops.models.unpack import unpack as read

    settings, _, cache = _open(config)
    folder = voices or (Path(settings.voices.folder) if settings.voices.folder else None)
    with ByteProgress("unpacked") as progress:
        done = read(archive, cache, folder, progress.add)
    for model in done.models:
        say(f"{model.name}: {len(model.files)} files in `{cache.repo_folder(model.repo)}`")
    if done.voices:
        say(f"{len(done.voices)} voices in `{folder}`")
    for name in done.left:
        warn(f"`{name}` was here already, and stays as it is")


def _open(config: Path | None) -> tuple[Settings, Catalogue, HubCache]:
    from ttsops.models.cache import HubCache, cache_folder
    from ttsops.models.catalogue import catalogue

    settings = load_settings(config, os.environ)
    return settings, catalogue(settings), HubCache(cache_folder(settings))


def _source(text: str) -> Source:
    from ttsops.models.catalogue import Source, check_source

    repo, _, revision = text.partition("@")
    source = Source(repo, revision or "main")
    check_source(source)
    return source


def _verify(entries: tuple[Entry, ...], cache: HubCache) -> None:
    """Of what has come. Ends with exit code 1 if it is not whole."""
    from ttsops.cli.progress import ByteProgress
    from ttsops.models.verify import verify

    snapshots = tuple(cache.snapshots(entries))
    with ByteProgress("checked") as progress:
        reports = [verify(snapshot, on_bytes=progress.add) for snapshot in snapshots]
    say("\n".join(report_lines(reports, [], cache.folder)))
    if not all(report.is_whole for report in reports):
        raise EndWith(Exit.FAILED)
