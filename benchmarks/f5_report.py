"""What `benchmarks.f5` prints: each figure with what it was measured on, and with its goal if it has one."""

from __future__ import annotations

from typing import Any

from benchmarks.f5_scene import CFG_STRENGTH, EQUAL, LONG_NFE, QUICKER, SHORT_NFE

PUBLISHED_GPU = (
    "published, one L20, NFE 16, 26 prompts: RTF 0.147 (PyTorch), 0.040 (TensorRT-LLM); 253 ms on average for"
    " two at a time"
)
"""https://github.com/SWivid/F5-TTS, runtime/triton_trtllm/README.md."""

GOALS = {"equal": 1.0, "long": 0.35, "memory": 1.1}
"""Ours over theirs at most; of memory, the peak over weights and activations."""


def show(figures: dict[str, Any]) -> None:
    print(f"\n{figures['machine']}, torch {figures['torch']}: {figures['note']}")
    cpu = figures["cpu"]
    theirs = cpu.get("published", {"not_run": "no --reference-python"})
    if "not_run" in theirs:
        print(f"the package f5-tts: not run: {theirs['not_run']}")
    for name, ours in cpu.items():
        if name not in ("published", "mel", "growth"):
            show_engine(name, ours, theirs, (cpu["mel"] or {}).get(name))
    if "growth" in cpu:
        show_growth(cpu["growth"])
    show_cuda(figures["cuda"])


def show_engine(
    name: str, ours: dict[str, Any], theirs: dict[str, Any], mel: dict[str, float] | None
) -> None:
    title = f"CPU, fp32, only NFE {QUICKER.nfe} offered" if name == "only_nfe" else f"CPU, {name}"
    print(f"\n== {title}")
    if "not_run" in ours:
        print(f"not run: {ours['not_run']}")
        return
    print(
        f"threads {ours['threads']}, loaded in {ours['load_seconds']:.1f} s, CFG {CFG_STRENGTH:g}; "
        f"this machine multiplies {ours['limits']['gflops_per_second']:.0f} GFLOP/s"
    )
    precision = "fp32" if name == "only_nfe" else name
    for part, case in (("equal", EQUAL), ("quicker", QUICKER)):
        if part in ours:
            show_chunk(precision, ours[part], theirs.get(part, {}), GOALS.get(part))
            show_memory(ours[f"{part}_memory"], ours["loading_peak_mib"])
        if part in ours and case is EQUAL and mel:
            print(
                f"  mel from the same noise: largest difference {mel['largest']:.1e}, mean "
                f"{mel['mean']:.1e}, beside a standard deviation of {mel['std']:.2f}"
            )
    if "long" in ours:
        show_first_audio(ours["long"], theirs)
    if "together" in ours:
        show_together(ours["together"], theirs.get("together", {}))


def show_chunk(precision: str, ours: dict[str, Any], theirs: dict[str, Any], goal: float | None) -> None:
    print(
        f"one chunk: {ours['audio_seconds']:.2f} s from a reference of {ours['reference_seconds']:.2f} s "
        f"({ours['frames']} frames), NFE {ours['nfe']}, {precision}: {ours['seconds']:.2f} s, "
        f"{ours['cpu_seconds']:.2f} CPU seconds, RTF {ours['rtf']:.2f}"
    )
    if theirs:
        print(
            f"  f5-tts in fp32: {theirs['seconds']:.2f} s, {theirs['cpu_seconds']:.2f} CPU seconds, RTF "
            f"{theirs['rtf']:.2f}; {theirs['peak_mib']:.0f} MiB resident at its peak, Python and all"
        )
        show_ratio(ours, theirs, goal)
    for name, part in ours["components"].items():
        share = f"{part['share_of_limit']:6.0%} of the limit" if "share_of_limit" in part else ""
        print(f"    {name:16} {1000 * part['seconds']:9.1f} ms {share}")


def show_ratio(
    ours: dict[str, Any], theirs: dict[str, Any], goal: float | None, beside: str = "f5-tts"
) -> None:
    by_cpu = ours["cpu_seconds"] / theirs["cpu_seconds"]
    wanted = "" if goal is None else f"; goal: at most {goal:g}"
    print(
        f"  ours / {beside}: {ours['seconds'] / theirs['seconds']:.2f} (by CPU seconds {by_cpu:.2f}){wanted}"
    )


def show_memory(memory: dict[str, float], loading_peak_mib: float) -> None:
    counted = memory["weights_mib"] + memory["activations_mib"]
    print(
        f"  memory: {memory['running_peak_mib']:.0f} MiB at its peak above "
        f"{memory['before_loading_mib']:.0f} of Python and PyTorch = "
        f"{memory['running_peak_mib'] / counted:.2f} x weights ({memory['weights_mib']:.0f}) and activations "
        f"({memory['activations_mib']:.0f}); goal: at most {GOALS['memory']:g}; while loading "
        f"{loading_peak_mib:.0f} MiB"
    )


def show_first_audio(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    print(
        f"first audio of a text of 25 s (reference of 5.3 s, NFE {LONG_NFE}): {ours['seconds']:.2f} s, for a "
        f"first chunk of {ours['new_frames']} new frames"
    )
    for part, what in (("long", "infer_process"), ("long_server", "its socket server")):
        if part in theirs:
            print(
                f"  f5-tts, streamed, cut as in {what}: {theirs[part]['seconds']:.2f} s, for "
                f"{theirs[part]['new_frames']} new frames"
            )
            show_ratio(ours, theirs[part], GOALS.get(part), f"f5-tts as in {what}")


def show_together(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    is_whole = all(one["is_whole"] for one in ours.values())
    how = "" if is_whole else ", their middle steps counted from one of them"
    print(f"requests of 2 s at once (reference of 2.8 s, NFE {SHORT_NFE}{how}): seconds of audio per second")
    for n_requests, rate in ours.items():
        beside = f", f5-tts {theirs[n_requests]['audio_per_second']:.3f}" if n_requests in theirs else ""
        print(f"  {n_requests:>3}: {rate['audio_per_second']:.3f} ({rate['seconds']:.1f} s){beside}")


def show_growth(growth: dict[str, Any]) -> None:
    if "not_run" in growth:
        print(f"\nmany requests: not run: {growth['not_run']}")
        return
    one = growth["growth"]
    print(
        f"\n{one['requests']} short requests, NFE {one['nfe']}, to the small model: "
        f"{one['before_mib']:.1f} MiB before, {one['after_mib']:.1f} after: "
        f"{one['kib_per_request']:+.2f} KiB each"
    )


def show_cuda(cuda: dict[str, Any]) -> None:
    print("\n== GPU, fp16, network compiled")
    if "not_run" in cuda:
        print(f"{cuda['not_run']}: not run")
        return
    print(f"{cuda['device']}, CFG {CFG_STRENGTH:g}, loaded and compiled in {cuda['load_seconds']:.0f} s")
    print(f"{EQUAL.seconds:.1f} s from a reference of 5.3 s, and first audio of a text of 25 s, by NFE:")
    for row in cuda["grid"]:
        print(f"  {row['nfe']:>3}: RTF {row['rtf']:.4f}, first audio {1000 * row['first_audio']:.0f} ms")
    show_together(cuda["together"], {})
    print(f"goals at NFE 7: RTF 0.03, first audio 100 ms; {PUBLISHED_GPU}")
