"""The listening page on loopback, with a place that takes ratings. Nothing else is served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
from aiohttp import web

from ttsops.errors import AudioError
from ttsops.ops.quality.page import listening_page
from ttsops.ops.quality.pairs import Session
from ttsops.ops.quality.ratings import Rating, append_rating

HOST = "127.0.0.1"
RATINGS_PATH = "/ratings"
MAX_BODY_BYTES = 16 * 1024


async def serve_page(
    session: Session,
    ratings_file: Path,
    *,
    port: int,
    on_ready: Callable[[str], None],
    on_rating: Callable[[Rating], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until `stop`, or until cancelled; each rating is a line more in `ratings_file`.

    Port 0 takes a free one; `on_ready` is told the address. Raises `AudioError` if the port is taken.
    """
    page = await asyncio.to_thread(listening_page, session, post_to=RATINGS_PATH)
    runner = web.AppRunner(_app(session, page, ratings_file, on_rating), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            raise AudioError(f"cannot listen on {HOST}:{port}: {error.strerror}") from error
        address = runner.addresses[0]
        on_ready(f"http://{address[0]}:{address[1]}/")
        await (stop or asyncio.Event()).wait()
    finally:
        await runner.cleanup()


def _app(
    session: Session, page: bytes, ratings_file: Path, on_rating: Callable[[Rating], None]
) -> web.Application:
    pairs = {pair.id: {clip.setting for clip in pair.clips} for pair in session.pairs}

    async def give_page(request: web.Request) -> web.Response:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)

    async def take_rating(request: web.Request) -> web.Response:
        if request.content_type != "application/json":  # what a page of another origin cannot send unasked
            raise web.HTTPUnsupportedMediaType
        try:
            rating = msgspec.json.decode(await request.read(), type=Rating)
        except msgspec.MsgspecError as error:
            raise web.HTTPBadRequest(text=f"no rating: {error}") from error
        if {rating.a.setting, rating.b.setting} != pairs.get(rating.pair):
            raise web.HTTPBadRequest(text="a rating of another page")
        try:
            append_rating(ratings_file, rating)
        except AudioError as error:
            raise web.HTTPInsufficientStorage(text=error.message) from error
        on_rating(rating)
        return web.Response(status=201)

    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_only_by_its_own_name])
    app.router.add_get("/", give_page)
    app.router.add_post(RATINGS_PATH, take_rating)
    return app


@web.middleware
async def _only_by_its_own_name(request: web.Request, handler: Callable[..., object]) -> web.StreamResponse:
    """A name that somebody else's DNS points here is not ours: its pages could read the answers."""
    host = request.host.rpartition(":")[0] or request.host
    if host not in (HOST, "localhost"):
        raise web.HTTPForbidden(text="this server answers to its loopback address only")
    response = await handler(request)  # type: ignore[misc]
    assert isinstance(response, web.StreamResponse)
    return response
