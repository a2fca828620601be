"""The published implementation of F5-TTS, timed on random weights and voices that are those of our benchmark.

    PYTHONPATH=src PYTHON -m benchmarks.f5_reference '{"folder": "/tmp/voices", "parts": ["equal"]}'

Run by `benchmarks.f5 --reference-python`, whose docstring says how the environment is made. Everything is
done by the package itself, but for the weights and what reads a recording from a file. Prints JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from f5_tts.infer.utils_infer import chunk_text, infer_batch_process
from f5_tts.model import CFM, DiT
from f5_tts.model.utils import convert_char_to_pinyin
from numpy.typing import NDArray
from vocos import Vocos
from vocos.feature_extractors import MelSpectrogramFeatures
from vocos.heads import ISTFTHead
from vocos.models import VocosBackbone

from benchmarks.f5_scene import (
    BRIEF,
    CFG_STRENGTH,
    EQUAL,
    HOP,
    LONG_NFE,
    LONG_TEXT,
    SAMPLE_RATE,
    SEED,
    SHORT_NFE,
    SHORT_TEXTS,
    SWAY,
    USUAL,
    BabbleVoice,
    Case,
)
from benchmarks.memory import PeakSince, resident_bytes
from benchmarks.meter import Span
from benchmarks.same_weights import Into
from ttsops.engines.f5.config import F5Config
from ttsops.engines.f5.model import F5Model
from ttsops.engines.f5.random_model import FULL, SMALL
from ttsops.engines.nn.weights import RandomWeights

MIB = 2**20
CHUNK_SECONDS = 22.0
"""What a chunk and its reference may last together in the package's `infer_process`."""

SERVER_SECONDS, SERVER_SHARES = 25.0, (2, 4)
"""The same in its socket server, which cuts the first chunk again by half and by a quarter of that."""


class Published:
    """The package's network, sampler and vocoder."""

    def __init__(self, config: F5Config) -> None:
        dit, vocos, mel = config.dit, config.vocos, config.mel
        network = DiT(
            dim=dit.dim,
            depth=dit.depth,
            heads=dit.heads,
            dim_head=dit.dim_head,
            ff_mult=dit.ff_mult,
            text_dim=dit.text_dim,
            conv_layers=dit.conv_layers,
            text_num_embeds=dit.n_tokens,
            mel_dim=dit.n_mels,
        )
        self.model = CFM(
            transformer=network,
            mel_spec_kwargs={
                "n_fft": mel.n_fft,
                "hop_length": mel.hop,
                "win_length": mel.n_fft,
                "n_mel_channels": mel.n_mels,
                "target_sample_rate": mel.sample_rate,
                "mel_spec_type": "vocos",
            },
            odeint_kwargs={"method": "euler"},
            vocab_char_map={chr(code): code - ord(" ") for code in range(ord(" "), 127)},
        ).eval()
        self.vocoder = Vocos(
            MelSpectrogramFeatures(mel.sample_rate, mel.n_fft, mel.hop, mel.n_mels),
            VocosBackbone(vocos.input_channels, vocos.dim, vocos.intermediate_dim, vocos.num_layers),
            ISTFTHead(vocos.dim, vocos.n_fft, vocos.hop_length, padding="center"),
        ).eval()
        F5Model(
            Into(RandomWeights(SEED), self.model, "ema_model."),
            Into(RandomWeights(SEED), self.vocoder),
            config,
        )

    def speak_case(self, case: Case, voice: NDArray[np.float32], keep_as: Path | None = None) -> Span:
        """As `infer_batch_process` does it, with given frames and seed, which that does not take."""
        audio, n_ref = torch.from_numpy(voice)[None], len(voice) // HOP
        with torch.inference_mode(), Span() as span:
            mel, _ = self.model.sample(
                cond=audio,
                text=convert_char_to_pinyin([f"{transcript(case.voice)} {case.text}"]),
                duration=case.frames(voice),
                steps=case.nfe,
                cfg_strength=CFG_STRENGTH,
                sway_sampling_coef=SWAY,
                seed=SEED,
            )
            self.vocoder.decode(mel[:, n_ref:].permute(0, 2, 1)).squeeze().numpy()
        assert mel.shape[1] == case.frames(voice)
        if keep_as:
            np.save(keep_as, mel[0].numpy())
        return span

    def infer(
        self, voice: BabbleVoice, samples: NDArray[np.float32], chunks: list[str], nfe: int, **how: Any
    ) -> Any:
        """What it gives for chunks of text, each with the duration that it plans."""
        return infer_batch_process(
            (torch.from_numpy(samples)[None], SAMPLE_RATE),
            transcript(voice),
            chunks,
            self.model,
            self.vocoder,
            progress=None,
            nfe_step=nfe,
            cfg_strength=CFG_STRENGTH,
            sway_sampling_coef=SWAY,
            device="cpu",
            **how,
        )


def transcript(voice: BabbleVoice) -> str:
    """As the package's `preprocess_ref_audio_text` leaves it; `infer_batch_process` adds another blank."""
    return f"{voice.transcript} "


def measure_case(
    published: Published, case: Case, folder: Path, samples: NDArray[np.float32]
) -> dict[str, Any]:
    before = resident_bytes()
    peak = PeakSince()
    span = published.speak_case(case, samples, keep_as=folder / f"published-{case.nfe}.npy")
    return {
        **span.facts(),
        "rtf": span.seconds / case.seconds,
        "resident_mib": before / MIB,
        "peak_mib": peak.bytes() / MIB,
    }


def first_audio(published: Published, samples: NDArray[np.float32], chunks: list[str]) -> dict[str, Any]:
    """From asking its streaming generator for a long text to what it gives first."""
    with Span() as span:
        stream = published.infer(USUAL, samples, chunks, LONG_NFE, streaming=True)
        next(stream)
    stream.close()
    n_ref = len(samples) // HOP
    n_new = int(n_ref / (len(transcript(USUAL)) + 1) * len(chunks[0]))
    return {**span.facts(), "nfe": LONG_NFE, "frames": n_ref + n_new, "new_frames": n_new}


def chunks_of(text: str, ref_seconds: float) -> list[str]:
    """As `infer_process` cuts a text, by what its reference and a chunk may last."""
    chunks: list[str] = chunk_text(text, max_chars=int(most_chars(ref_seconds, CHUNK_SECONDS)))
    return chunks


def server_chunks(text: str, ref_seconds: float) -> list[str]:
    """As the socket server does it on a fresh connection."""
    most = most_chars(ref_seconds, SERVER_SECONDS)
    chunks: list[str] = chunk_text(text, max_chars=int(most))
    for share in SERVER_SHARES:
        chunks = chunk_text(chunks[0], max_chars=int(most / share)) + chunks[1:]
    return chunks


def most_chars(ref_seconds: float, seconds: float) -> float:
    """That fit beside the reference at its pace; all of it is ASCII."""
    return len(transcript(USUAL)) / ref_seconds * (seconds - ref_seconds)


def together(published: Published, samples: NDArray[np.float32], n_requests: int) -> dict[str, float]:
    """Short texts at once, as chunks in its pool of threads."""
    with Span() as span:
        texts = list(SHORT_TEXTS[:n_requests])
        wave, rate, _ = next(published.infer(BRIEF, samples, texts, SHORT_NFE, cross_fade_duration=0))
    audio_seconds = len(wave) / rate
    return {
        "seconds": span.seconds,
        "audio_seconds": audio_seconds,
        "audio_per_second": audio_seconds / span.seconds,
    }


def measure(
    folder: str, parts: list[str], size: str = "full", batches: tuple[int, ...] = (), threads: int = 0
) -> dict[str, Any]:
    if threads:
        torch.set_num_threads(threads)
    voices = {voice.id: np.load(Path(folder) / f"{voice.id}.npy") for voice in (USUAL, BRIEF)}
    with torch.no_grad(), Span() as load:
        published = Published(FULL if size == "full" else SMALL)
    published.speak_case(Case(BRIEF, nfe=1, n_new=48), voices[BRIEF.id])  # reads its dictionary
    found: dict[str, Any] = {"threads": torch.get_num_threads(), "load_seconds": load.seconds}
    if "equal" in parts:
        found["equal"] = measure_case(published, EQUAL, Path(folder), voices[USUAL.id])
    if "long" in parts:
        samples = voices[USUAL.id]
        ref_seconds = len(samples) / SAMPLE_RATE
        found["long"] = first_audio(published, samples, chunks_of(LONG_TEXT, ref_seconds))
        found["long_server"] = first_audio(published, samples, server_chunks(LONG_TEXT, ref_seconds))
    if "together" in parts:
        found["together"] = {str(n): together(published, voices[BRIEF.id], n) for n in batches}
    return found


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
