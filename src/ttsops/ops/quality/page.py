"""The page for blind listening: one file with everything in it, from `listening/`.

It asks nothing of the network; its policy forbids it. Recordings are in it as FLAC, without loss, all at one
loudness: the louder of two is preferred for its loudness. Which is which is in it, too, since it must be told
at the end: out of sight, not secret.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
from importlib.resources import files
from pathlib import Path

import numpy as np

from ttsops.audio import Format, create_encoder, decode_audio, resample, synthetic_speech
from ttsops.audio.checks import from_dbfs, to_dbfs
from ttsops.ops.quality.loudness import loudness
from ttsops.ops.quality.pairs import Clip, Session
from ttsops.speech import SAMPLE_RATE, Samples

TARGET_LUFS = -23.0
"""Programme loudness after EBU R 128; less if a recording would have to be clipped for it."""

PEAK_DBFS = -1.0


def listening_page(session: Session, *, post_to: str = "") -> bytes:
    """The page as UTF-8. With `post_to` each rating is sent to that address, below the page's own."""
    clips = list(dict.fromkeys(clip for pair in session.pairs for clip in pair.clips))
    sounds = _levelled([_samples(clip.path) for clip in clips])
    audio = [_flac(samples, session.note) for samples in sounds]
    data: dict[str, object] = {
        "title": session.title,
        "note": session.note,
        "post": post_to,
        "pairs": [
            {
                "id": pair.id,
                "label": pair.label,
                "text": pair.text,
                "clips": [clips.index(clip) for clip in pair.clips],
            }
            for pair in session.pairs
        ],
        "audio": [base64.b64encode(one).decode() for one in audio],
        "key": _key(clips),
    }
    data["id"] = hashlib.sha256(json.dumps([data["pairs"], data["audio"], data["key"]]).encode()).hexdigest()[
        :16
    ]
    return _filled(session, data).encode()


def _filled(session: Session, data: dict[str, object]) -> str:
    style, script = _part("page.css"), _part("state.js") + _part("page.js")
    values = {
        "title": html.escape(session.title),
        "policy": _policy(style, script, has_server=bool(data["post"])),
        "style": style,
        "script": script,
        # In a script element nothing but `</` and `<!--` ends or changes what is read.
        "data": json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"),
    }
    # In one pass: what is filled in is not looked through for marks again.
    return re.sub(r"\{\{(\w+)\}\}", lambda mark: values[mark[1]], _part("page.html"))


def _policy(style: str, script: str, *, has_server: bool) -> str:
    """Only this style and script, sound from within, and no address but the server's own, if there is one."""
    connect = "'self'" if has_server else "'none'"
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        f"media-src blob:; img-src data:; connect-src {connect}; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _part(name: str) -> str:
    return (files("ttsops.ops.quality") / "listening" / name).read_text(encoding="utf-8")


def _key(clips: list[Clip]) -> str:
    return base64.b64encode(json.dumps([clip.setting for clip in clips]).encode()).decode()


def _samples(path: Path) -> Samples:
    samples, rate = decode_audio(path)
    return resample(samples, rate, SAMPLE_RATE)


def _levelled(sounds: list[Samples]) -> list[Samples]:
    """All at one loudness, the highest up to the target at which none is clipped; silence stays silence."""
    levels = [loudness(one, SAMPLE_RATE) for one in sounds]
    heads = [
        level + PEAK_DBFS - to_dbfs(float(np.abs(one).max()))
        for one, level in zip(sounds, levels, strict=True)
        if math.isfinite(level)
    ]
    target = min([TARGET_LUFS, *heads])
    return [
        (one * np.float32(from_dbfs(target - level))).astype(np.float32) if math.isfinite(level) else one
        for one, level in zip(sounds, levels, strict=True)
    ]


def _flac(samples: Samples, note: str) -> bytes:
    tags = synthetic_speech(note or "named at the end of the page")
    with create_encoder(Format.FLAC, total_samples=len(samples), tags=tags) as encoder:
        return encoder.encode(samples) + encoder.finish()
