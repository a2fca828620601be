"""A hub of models, asked through huggingface_hub: what files there are, what each is, and its bytes.

Needs the extra `hub`. The protocol: https://huggingface.co/docs/huggingface_hub/package_reference/file_download
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from ttsops.errors import ModelError, NotInstalled
from ttsops.models.catalogue import COMMIT, Source
from ttsops.models.checksums import GIT_SHA1, SHA256

DEFAULT_ENDPOINT = "https://huggingface.co"
OFFLINE = "HF_HUB_OFFLINE"
"""Set to 1 nothing is fetched; set in every process that serves."""

INSTALL = "pip install 'tts-ops[hub]'"

OnBytes = Callable[[int], None]
"""Told how many more bytes came."""


@dataclass(frozen=True, slots=True)
class Remote:
    """One file as the hub describes it."""

    path: str
    commit: str
    etag: str
    """SHA-256 of a large file, git's SHA-1 of a small one."""

    n_bytes: int | None
    location: str
    """Where its bytes are; maybe another host."""


class Hub:
    """A hub at one address. Raises `NotInstalled` without the extra `hub`."""

    def __init__(self, endpoint: str = "", env: Mapping[str, str] = os.environ) -> None:
        if find_spec("huggingface_hub") is None:
            raise NotInstalled("fetching models needs the package `huggingface_hub`", hint=INSTALL)
        if env.get(OFFLINE, "").lower() in ("1", "true", "yes", "on"):
            raise ModelError(
                f"`{OFFLINE}` is set: nothing is fetched", hint=f"unset it for this command: `{OFFLINE}=0`"
            )
        self.endpoint = endpoint or DEFAULT_ENDPOINT

    def list_files(self, source: Source) -> tuple[str, ...]:
        """Every file of a repository. Raises `ModelError`."""
        from huggingface_hub import HfApi

        with _hub_errors(source, self.endpoint):
            info = HfApi(endpoint=self.endpoint).model_info(source.repo, revision=source.revision)
            return tuple(sorted(sibling.rfilename for sibling in info.siblings or ()))

    def describe(self, source: Source, path: str) -> Remote:
        """What the hub says of one file. Raises `ModelError`."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        url = hf_hub_url(source.repo, path, revision=source.revision, endpoint=self.endpoint)
        with _hub_errors(source, self.endpoint):
            found = get_hf_file_metadata(url, endpoint=self.endpoint)
        if not found.etag or not found.commit_hash or not COMMIT.fullmatch(found.commit_hash):
            raise ModelError(
                f"{self.endpoint} does not answer as a hub does: no checksum or commit of `{path}`"
            )
        if not (SHA256.fullmatch(found.etag) or GIT_SHA1.fullmatch(found.etag)):
            raise ModelError(f"{self.endpoint} gives `{path}` a checksum of an unknown kind: `{found.etag}`")
        return Remote(path, found.commit_hash, found.etag, found.size, found.location)

    def download(self, remote: Remote, place: Path, on_bytes: OnBytes) -> None:
        """Append to `place` what is not in it yet. Raises `ModelError`, and then what came is kept."""
        from huggingface_hub import get_token
        from huggingface_hub.file_download import http_get

        token = get_token()
        # The token is for the hub, not for where it keeps its files.
        is_hub = urlsplit(remote.location).netloc == urlsplit(self.endpoint).netloc
        headers = {"authorization": f"Bearer {token}"} if token and is_hub else {}
        bar: Any = _Counter(on_bytes)
        with place.open("ab") as file, _hub_errors(Source(remote.path), self.endpoint):
            n_here = file.tell()
            on_bytes(n_here)
            http_get(
                remote.location,
                file,
                resume_size=n_here,
                headers=headers,
                expected_size=remote.n_bytes,
                displayed_filename=remote.path,
                tqdm_class=bar,
            )


class _Counter:
    """A progress bar, as far as the library needs one, that only counts."""

    def __init__(self, on_bytes: OnBytes) -> None:
        self._on_bytes = on_bytes

    def __call__(self, **settings: object) -> Self:
        return self

    def update(self, n_bytes: int) -> None:
        self._on_bytes(n_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        return


@contextmanager
def _hub_errors(source: Source, endpoint: str) -> Iterator[None]:
    """What the library raises, as a sentence that says what to do."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
    )

    what = f"`{source.repo}` on {endpoint}"
    try:
        yield
    except GatedRepoError as e:
        raise ModelError(
            f"{what} asks for an agreement", hint="accept it on its page, and log in: `hf auth login`"
        ) from e
    except RepositoryNotFoundError as e:
        raise ModelError(
            f"there is no {what}, or it is private", hint="`--from` takes another place; `HF_TOKEN` logs in"
        ) from e
    except EntryNotFoundError as e:
        raise ModelError(f"{what} has no such file or revision: {e}") from e
    except HfHubHTTPError as e:
        raise ModelError(f"{what} answers: {e}", hint="try again later; what has come is kept") from e
    except ModelError:
        raise
    except Exception as e:  # the transport's errors are of a package that is not named here
        if isinstance(e, OSError) and e.errno:
            raise  # of the disk
        raise ModelError(
            f"{what} cannot be reached: {e or type(e).__name__}",
            hint="run the command again, it goes on where it stopped; `HF_ENDPOINT` names a mirror",
        ) from e
