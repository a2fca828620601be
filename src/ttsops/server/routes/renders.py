"""`/v1/renders`: long recordings as jobs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from ttsops.audio import CONTENT_TYPES, Format
from ttsops.errors import NotFound
from ttsops.server.orders import engine_of
from ttsops.server.render_book import Asked, Job, RenderBook
from ttsops.server.routes.described import error_responses
from ttsops.server.visit import visit_of

router = APIRouter(tags=["renders"])

RENDERS = "/v1/renders"
JobId = Annotated[str, Path(description="Of a job", examples=["job_0123456789abcdef01234567"])]


_FILE: dict[str, Any] = {
    "description": "The file",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


class RenderBody(BaseModel, extra="forbid"):
    """A script and how it is to be spoken."""

    script: str = Field(
        description="Lines `Speaker 1: …`, or paragraphs of one speaker; `# ` begins a chapter"
    )
    model: str = Field("", description="The engine; empty for the default one")
    voices: list[str] = Field([], description="Of the speakers, in the order of their numbers", max_length=16)
    language: str = ""
    speed: float = Field(1.0, ge=0.25, le=4.0)
    seed: int = Field(0, ge=0, le=2**53)
    options: dict[str, bool | int | float | str] = Field({}, description="What only the engine takes")
    turns_per_context: int = Field(
        20,
        ge=0,
        le=100_000,
        description="For engines that read scripts: turns that are spoken in one go; 0 for all",
    )
    response_format: Literal["wav", "mp3", "opus", "aac", "flac"] = "mp3"


class JobProgress(BaseModel):
    """How far it is."""

    share: float
    turns_done: int
    n_turns: int
    audio_seconds: float
    eta_seconds: float | None


class JobError(BaseModel):
    """Why it failed."""

    code: str
    message: str


class RenderJob(BaseModel):
    """One script on its way to a recording."""

    id: str
    object: Literal["render"]
    status: Literal["queued", "running", "done", "failed"]
    created_at: float = Field(description="Seconds since 1970")
    progress: JobProgress | None
    files: list[str] = Field(description="At `/v1/renders/{id}/files/{name}`; `partial.wav` while it runs")
    audio_seconds: float | None
    error: JobError | None

    @staticmethod
    def of(job: Job) -> RenderJob:
        """As it is now."""
        progress, ended = job.progress, job.ended
        return RenderJob(
            id=job.id,
            object="render",
            status=job.status,
            created_at=job.asked.created_at,
            progress=None
            if progress is None
            else JobProgress(
                share=progress.share,
                turns_done=progress.turns_done,
                n_turns=progress.n_turns,
                audio_seconds=progress.audio_seconds,
                eta_seconds=progress.eta_seconds,
            ),
            files=list(ended.files) if ended else [],
            audio_seconds=ended.audio_seconds if ended and not ended.code else None,
            error=JobError(code=ended.code, message=ended.message) if ended and ended.code else None,
        )


class RenderList(BaseModel):
    """The caller's jobs, the newest first."""

    object: Literal["list"]
    data: list[RenderJob]


class DeletedRender(BaseModel):
    """It is gone, with its files."""

    id: str
    deleted: Literal[True]


@router.post(
    RENDERS, status_code=202, responses=error_responses(400, 401, 404, 413, 429), summary="Begin a job"
)
async def begin(request: Request, body: RenderBody) -> RenderJob:
    """It is checked now, and spoken when those before it are done; listeners are served first."""
    asked = Asked(
        script=body.script,
        model=engine_of(body.model),
        voices=tuple(body.voices),
        language=body.language,
        speed=body.speed,
        seed=body.seed,
        options=body.options,
        turns_per_context=body.turns_per_context,
        response_format=Format(body.response_format),
        owner=visit_of(request.scope).owner,
    )
    return RenderJob.of(_book(request).add(asked))


@router.get(RENDERS, responses=error_responses(401, 404), summary="List jobs")
async def list_jobs(request: Request) -> RenderList:
    """Those of the caller's key."""
    jobs = _book(request).list(visit_of(request.scope).owner)
    return RenderList(object="list", data=[RenderJob.of(job) for job in jobs])


@router.get(RENDERS + "/{job}", responses=error_responses(401, 404), summary="Look at a job")
async def look_at(request: Request, job: JobId) -> RenderJob:
    """How far it is, and how long it will take."""
    return RenderJob.of(_book(request).get(job, visit_of(request.scope).owner))


@router.get(
    RENDERS + "/{job}/files/{name}",
    response_class=FileResponse,
    responses={200: _FILE, **error_responses(401, 404)},
    summary="Download a file of a job",
)
async def download(
    request: Request, job: JobId, name: Annotated[str, Path(examples=["speech.mp3"])]
) -> FileResponse:
    """The recording, its subtitles, its chapters; what was made so far as `partial.wav`."""
    path = _book(request).get(job, visit_of(request.scope).owner).file(name)
    kinds = {".srt": "application/x-subrip", ".vtt": "text/vtt", ".json": "application/json"}
    kinds |= {f".{fmt.value}": kind for fmt, kind in CONTENT_TYPES.items()}
    return FileResponse(path, media_type=kinds.get(path.suffix, "application/octet-stream"), filename=name)


@router.delete(RENDERS + "/{job}", responses=error_responses(401, 404), summary="Stop and delete a job")
async def delete(request: Request, job: JobId) -> DeletedRender:
    """With its files."""
    await _book(request).remove(job, visit_of(request.scope).owner)
    return DeletedRender(id=job, deleted=True)


def _book(request: Request) -> RenderBook:
    book: RenderBook | None = request.app.state.renders
    if book is None:
        raise NotFound(
            "there are no render jobs on this server",
            hint="set `folder` in `[render]`, or use `ttsops render`",
        )
    return book
