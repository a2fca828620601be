"""Text into chunks that are spoken in one go each.

`split_chunks` and `max_chunk_bytes` are the published pipeline's (https://github.com/SWivid/F5-TTS,
`infer/utils_infer.py`), which the recordings were made with. Lengths are in bytes of UTF-8, as there.
"""

from __future__ import annotations

import re

TOTAL_SECONDS = 22.0
"""What a chunk and its reference last together, at most, by the published estimate."""

_SENTENCE_END = re.compile(r"(?<=[;:,.!?])\s+|(?<=[；：，。！？])")


def n_bytes(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text.encode())


def max_chunk_bytes(
    ref_text: str, ref_seconds: float, speed: float, total_seconds: float = TOTAL_SECONDS
) -> int:
    """Bytes that fit beside the reference, spoken at its pace; none or fewer if it leaves no room."""
    return int(n_bytes(ref_text) / ref_seconds * (total_seconds - ref_seconds) * speed)


def split_chunks(text: str, max_bytes: int) -> list[str]:
    """Clauses packed into chunks of at most `max_bytes`, as the published pipeline does it.

    A clause that is longer is a chunk all the same: see `plan_chunks` for one that never is.
    """
    chunks: list[str] = []
    chunk = ""
    for clause in filter(None, _SENTENCE_END.split(text)):
        if chunk and n_bytes(chunk) + n_bytes(clause) > max_bytes:
            chunks.append(chunk.strip())
            chunk = ""
        chunk += f"{clause} " if n_bytes(clause[-1]) == 1 else clause
    return [*chunks, chunk.strip()] if chunk else chunks
