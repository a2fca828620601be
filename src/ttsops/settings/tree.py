"""The settings tree: every knob with its unit, range and default, in one place.

Knows nothing of files, environment or line numbers: see `load`. Sections are what the rooms receive.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from ttsops.settings.agent_tree import AgentSettings, LlmSettings
from ttsops.settings.section import PositiveInt, Section
from ttsops.speech import OptionValue


class EngineSettings(Section, frozen=True):
    """One engine to serve. `[engines.NAME]`."""

    device: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$",
            description="Where it runs; `auto` takes the best there is",
            extra={"accepts": "`auto`, `cpu`, `cuda:N` or `mps`"},
        ),
    ] = "auto"
    dtype: Annotated[
        Literal["auto", "fp32", "fp16", "bf16", "int8"],
        Meta(description="Number format of the weights; `auto` takes what the device does best"),
    ] = "auto"
    max_batch: Annotated[PositiveInt | None, Meta(description="Utterances per step, at most")] = None
    max_streams: Annotated[PositiveInt | None, Meta(description="Utterances open at once, at most")] = None
    options: Annotated[
        dict[str, OptionValue],
        Meta(description="What only this engine knows; `ttsops engines NAME` lists it"),
    ] = field(default_factory=dict)


class RuntimeSettings(Section, frozen=True):
    """The runtime: queue, deadlines, supervision. `[runtime]`."""

    max_queue: Annotated[
        int, Meta(ge=0, description="Utterances that may wait for a place; more get 429")
    ] = 64
    max_queue_seconds: Annotated[float, Meta(gt=0, description="Longest wait for a place")] = 10.0
    live_window_seconds: Annotated[
        float, Meta(gt=0, description="Audio made ahead of a live reader before it is parked")
    ] = 8.0
    file_window_seconds: Annotated[
        float, Meta(gt=0, description="Audio made ahead of a file reader before it is parked")
    ] = 60.0
    slow_reader_seconds: Annotated[
        float, Meta(gt=0, description="A reader parked for this long is cut off")
    ] = 120.0
    utterance_seconds: Annotated[
        float, Meta(gt=0, description="Deadline of an utterance, from accepted to last sample")
    ] = 3600.0
    load_seconds: Annotated[float, Meta(gt=0, description="A worker not ready after this is stopped")] = 600.0
    step_seconds: Annotated[float, Meta(gt=0, description="A step longer than this means a hung engine")] = (
        60.0
    )
    restart_first_seconds: Annotated[float, Meta(gt=0, description="Wait before the first restart")] = 0.1
    restart_max_seconds: Annotated[float, Meta(gt=0, description="Longest wait between restarts")] = 30.0
    breaker_failures: Annotated[
        int, Meta(ge=1, description="Engine failures in a row that open the breaker")
    ] = 5
    breaker_seconds: Annotated[float, Meta(gt=0, description="How long an opened breaker stays open")] = 5.0
    drain_seconds: Annotated[
        float, Meta(ge=0, description="How long live utterances may go on after SIGTERM")
    ] = 30.0
    failover: Annotated[
        str, Meta(description="Engine that answers while another is down, such as `espeak`; empty for none")
    ] = ""


class ServerSettings(Section, frozen=True):
    """The HTTP server. `[server]`."""

    host: Annotated[str, Meta(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port; 0 picks a free one")] = 8001
    metrics_port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(description="Metrics on a port of their own, and no longer on the main one"),
    ] = None
    max_text_chars: Annotated[int, Meta(ge=1, description="Characters of one request")] = 20_000
    max_body_bytes: Annotated[int, Meta(ge=1024, description="Bytes of one request body")] = 1_048_576
    cors_origins: Annotated[
        tuple[str, ...], Meta(description="Origins a browser may call from; `*` for all")
    ] = ()
    keys_file: Annotated[
        str, Meta(description="File of hashed API keys (`ttsops keys add`); empty to ask for none")
    ] = ""
    websocket_idle_seconds: Annotated[
        float, Meta(gt=0, description="A WebSocket on which nobody says anything for so long is closed")
    ] = 300.0
    keep_alive_seconds: Annotated[
        int,
        Meta(
            ge=1,
            description="An HTTP connection with nothing on it is closed after this: later than the proxy in "
            "front would, or a request may meet its end",
        ),
    ] = 75
    lame_duck_seconds: Annotated[
        float,
        Meta(
            ge=0,
            description="After SIGTERM, how long new requests are still answered while `/health/ready` says "
            "503: until a balancer that asks it has noticed",
        ),
    ] = 0.0


class TraceSettings(Section, frozen=True):
    """Spans for an OpenTelemetry collector. Needs the extra `otel`. `[trace]`."""

    enabled: Annotated[bool, Meta(description="Send a trace of each request")] = False
    endpoint: Annotated[str, Meta(min_length=1, description="Where to: OTLP over HTTP, protobuf")] = (
        "http://127.0.0.1:4318/v1/traces"
    )
    ratio: Annotated[
        float, Meta(ge=0, le=1, description="Share of requests that are traced, unless their caller decided")
    ] = 1.0


class RenderSettings(Section, frozen=True):
    """Long recordings as jobs of the server, `/v1/renders`. `[render]`."""

    folder: Annotated[
        str, Meta(description="Where jobs and their files are kept; empty for no jobs over HTTP")
    ] = ""
    max_jobs: Annotated[int, Meta(ge=1, le=10_000, description="Jobs that are kept, finished ones too")] = 20


class StudioSettings(Section, frozen=True):
    """The page at `/`, to hear, see and operate the server. `[studio]`."""

    enabled: Annotated[bool, Meta(description="Show the page to browsers; without it `/` answers JSON")] = (
        True
    )
    reports: Annotated[
        str,
        Meta(
            description="Folder of `accept.json` and `golden.json`, what `ttsops accept --json` and "
            "`ttsops golden check --json` printed last; empty for the working directory"
        ),
    ] = ""


class VoiceSettings(Section, frozen=True):
    """Voices made from recordings. `[voices]`."""

    folder: Annotated[
        str,
        Meta(
            description="Folder of imported recordings, for every engine that speaks from them; empty for "
            "the engine's own option `voices`"
        ),
    ] = ""
    max_reference_bytes: Annotated[
        int, Meta(ge=1024, description="Bytes of a request that brings a recording")
    ] = 10_485_760


class AcceptOverrides(Section, frozen=True):
    """Thresholds of one engine, `f5`, or of one on one kind of device, `f5@cuda`. `[accept.engines.NAME]`."""

    chars_per_second: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="As `accept.chars_per_second`")
    ] = None
    min_duration_share: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None, Meta(description="As `accept.min_duration_share`")
    ] = None
    max_first_chunk_seconds: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="As `accept.max_first_chunk_seconds`")
    ] = None
    min_rtf: Annotated[Annotated[float, Meta(ge=0)] | None, Meta(description="As `accept.min_rtf`")] = None
    max_rtf: Annotated[Annotated[float, Meta(gt=0)] | None, Meta(description="As `accept.max_rtf`")] = None
    max_dc_offset: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="As `accept.max_dc_offset`")
    ] = None
    max_wer: Annotated[Annotated[float, Meta(ge=0)] | None, Meta(description="As `accept.max_wer`")] = None
    max_cancel_seconds: Annotated[
        Annotated[float, Meta(gt=0)] | None, Meta(description="As `accept.max_cancel_seconds`")
    ] = None


class AcceptSettings(Section, frozen=True):
    """What `ttsops accept` asks of an engine. `[accept]`."""

    golden: Annotated[
        str, Meta(description="Folder that `ttsops golden record` made; empty to leave that gate out")
    ] = ""
    chars_per_second: Annotated[
        float,
        Meta(gt=0, description="Characters of text per second of speech: what a text's target length is"),
    ] = 22.0
    min_duration_share: Annotated[
        float, Meta(ge=0, le=1, description="Share of its target length that speech must have")
    ] = 0.9
    max_first_chunk_seconds: Annotated[
        float, Meta(gt=0, description="Asked to first audio, of every text")
    ] = 2.0
    min_rtf: Annotated[float, Meta(ge=0, description="Least response time / audio time that is believed")] = (
        0.0
    )
    max_rtf: Annotated[float, Meta(gt=0, description="Most response time / audio time")] = 1.0
    max_dc_offset: Annotated[float, Meta(gt=0, description="Mean of the samples, of full scale")] = 0.01
    max_wer: Annotated[
        float, Meta(ge=0, description="Words that the recogniser mistakes, of all words of the texts")
    ] = 0.35
    max_cancel_seconds: Annotated[float, Meta(gt=0, description="Hang-up to a place that is free again")] = (
        2.0
    )
    engines: Annotated[
        dict[str, AcceptOverrides],
        Meta(description="What is asked of one engine, `f5`, or of one on one kind of device, `f5@cuda`"),
    ] = field(default_factory=dict)


class HubSettings(Section, frozen=True):
    """Where weights are kept, and fetched from when asked. `[hub]`."""

    cache: Annotated[
        str,
        Meta(
            description="Folder of fetched weights, laid out as huggingface_hub does; empty for `hub` in "
            "`HF_HOME`, else `~/.cache/huggingface/hub`"
        ),
    ] = ""
    endpoint: Annotated[
        str,
        Meta(
            pattern=r"^(https?://.+)?$",
            description="Address of a hub or its mirror, for `ttsops models pull`; empty for "
            "`https://huggingface.co`",
            extra={"accepts": "an address that begins with `https://` or `http://`, or empty"},
        ),
    ] = ""


class ModelSettings(Section, frozen=True):
    """Weights of your own, beside those in the catalogue. `[models.NAME]`."""

    repo: Annotated[str, Meta(description="Hub id, such as `you/your-model`")] = ""
    revision: Annotated[
        str, Meta(min_length=1, description="Commit, tag or branch; only a commit never changes")
    ] = "main"
    path: Annotated[str, Meta(description="Folder on this machine, in place of `repo`")] = ""
    folder: Annotated[str, Meta(description="Folder in it that an engine is given; empty for all of it")] = ""
    files: Annotated[
        tuple[str, ...], Meta(description="Files to fetch and to expect; empty for all there are")
    ] = ()
    aliases: Annotated[tuple[str, ...], Meta(description="Shorter names")] = ()
    licence: Annotated[str, Meta(description="Shown beside it")] = ""
    like: Annotated[
        str, Meta(description="Name in the catalogue whose tokenizer or vocoder and number formats it shares")
    ] = ""
    manifest: Annotated[
        str, Meta(description="Sizes and checksums, as `ttsops models verify --save-manifest` writes them")
    ] = ""


class WorkerSettings(Section, frozen=True):
    """Threads and memory of the processes that run engines, set before a framework is loaded. `[worker]`."""

    threads: Annotated[
        PositiveInt | None,
        Meta(description="Threads of a computation, as `OMP_NUM_THREADS`; an engine may have its own option"),
    ] = None
    wait_policy: Annotated[
        Literal["", "passive", "active"],
        Meta(
            description="How those threads wait, as `OMP_WAIT_POLICY`: `passive` sleeps, and leaves cores "
            "to others; `active` spins; empty for what the environment or the library says"
        ),
    ] = ""
    mps_high_watermark_ratio: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(
            description="Share of the memory recommended on Apple silicon that may be taken, as "
            "`PYTORCH_MPS_HIGH_WATERMARK_RATIO`; 0 for no limit",
        ),
    ] = None


class LogSettings(Section, frozen=True):
    """Logs. `[log]`."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least level that is written")
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "console"], Meta(description="`auto`: console on a terminal, JSON elsewhere")
    ] = "auto"


class MonitorSettings(Section, frozen=True):
    """What `ttsops monitor run` keeps and what it calls a regression. `[monitor]`."""

    history: Annotated[
        str, Meta(min_length=1, description="File of the runs, a line of JSON each; made when it is needed")
    ] = "monitor.jsonl"
    repeats: Annotated[
        int,
        Meta(ge=1, description="How often each text is spoken, at least; fast engines more often"),
    ] = 3
    max_rtf_mean: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Highest mean RTF; not set: 1 for an engine that says it is live, else no limit"),
    ] = None
    max_rtf: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Highest RTF of any utterance; not set: no limit"),
    ] = None
    max_rtf_deviation: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="Highest standard deviation of RTF / the median of its text; not set: no limit"),
    ] = None
    max_slowdown: Annotated[
        float, Meta(gt=0, description="Share by which it may be slower than the median of earlier runs")
    ] = 0.1
    compare_runs: Annotated[
        int, Meta(ge=1, description="Earlier runs of the same machine and set-up that are compared with")
    ] = 10
    min_runs: Annotated[int, Meta(ge=1, description="With fewer earlier runs nothing is compared")] = 3
    max_sound_problems: Annotated[
        int, Meta(ge=0, description="Dropouts, clipping and other faults in the audio, at most")
    ] = 0
    min_mos: Annotated[
        Annotated[float, Meta(ge=1)] | None,
        Meta(description="Lowest mean of predicted opinions, where they are predicted; not set: no limit"),
    ] = None
    max_wer: Annotated[
        Annotated[float, Meta(ge=0)] | None,
        Meta(description="Highest word error rate, where words are heard; not set: no limit"),
    ] = None


class Settings(Section, frozen=True):
    """The whole tree."""

    engine: Annotated[
        str, Meta(min_length=1, description="The engine that speaks when a request names none")
    ] = "espeak"
    engines: Annotated[
        dict[str, EngineSettings], Meta(description="Engines to serve beside it, and how each is set up")
    ] = field(default_factory=dict)
    runtime: RuntimeSettings = RuntimeSettings()
    server: ServerSettings = ServerSettings()
    voices: VoiceSettings = VoiceSettings()
    studio: StudioSettings = StudioSettings()
    trace: TraceSettings = TraceSettings()
    render: RenderSettings = RenderSettings()
    accept: AcceptSettings = AcceptSettings()
    hub: HubSettings = HubSettings()
    models: Annotated[
        dict[str, ModelSettings], Meta(description="Weights of your own, beside those in the catalogue")
    ] = field(default_factory=dict)
    worker: WorkerSettings = WorkerSettings()
    log: LogSettings = LogSettings()
    monitor: MonitorSettings = MonitorSettings()
    llm: LlmSettings = LlmSettings()
    agent: AgentSettings = AgentSettings()

    def engine_settings(self, name: str) -> EngineSettings:
        """How `name` is set up; defaults if the tree says nothing."""
        return self.engines.get(name, EngineSettings())

    @property
    def served_engines(self) -> tuple[str, ...]:
        """The default engine first, then the others in the file's order, then the fail-over."""
        names = [self.engine, *self.engines, self.runtime.failover]
        return tuple(dict.fromkeys(name for name in names if name))
