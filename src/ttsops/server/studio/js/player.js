// One audio context for the whole page, and a queue that plays while it is filled.
import { ApiError } from "./api.js";

export const SAMPLE_RATE = 24000;
/** Seconds in hand before the first sound: enough for a hiccup, too little to be noticed. */
const LEAD_SECONDS = 0.08;

export class Player {
  /** @param {(report: {played: number, queued: number, underruns: number, isOver: boolean}) => void} onReport */
  constructor(onReport) { this.onReport = onReport; this.nodes = null; this.generation = 0; }

  /** Must be called from a click the first time: browsers play nothing before. */
  async open() {
    this.nodes ??= this.build().catch((error) => { this.nodes = null; throw error; });
    const { context } = await this.nodes;
    if (context.state !== "running") await context.resume();
    return context;
  }

  async build() {
    if (!isSecureContext) throw new ApiError("Browsers play a page's stream over HTTPS or from this machine only", { hint: "put TLS before the server, or open it at 127.0.0.1" });
    const context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
    await context.audioWorklet.addModule("/studio/js/queue-worklet.js");
    const queue = new AudioWorkletNode(context, "queue-player", { numberOfInputs: 0, outputChannelCount: [1] });
    const analyser = new AnalyserNode(context, { fftSize: 1024, smoothingTimeConstant: 0 });
    queue.connect(analyser).connect(context.destination);
    queue.port.onmessage = ({ data }) => {
      if (data.generation !== this.generation) return; // of an utterance that was forgotten meanwhile
      this.last = data; this.onReport(data);
    };
    this.context = context; this.queue = queue; this.analyser = analyser;
    return { context, queue, analyser };
  }

  /** Forget what is queued and what was played, at once: before each utterance, also after one that ended by itself. */
  stop() {
    this.nGiven = 0; this.isStarted = false; this.last = null;
    if (this.queue) this.queue.port.postMessage({ reset: true, generation: (this.generation += 1) });
  }

  /** @param {Float32Array} samples */
  push(samples) {
    this.nGiven = (this.nGiven ?? 0) + samples.length;
    this.queue.port.postMessage({ samples }, [samples.buffer]);
    if (!this.isStarted && this.nGiven >= LEAD_SECONDS * SAMPLE_RATE) this.play();
  }

  play() { this.isStarted = true; this.queue.port.postMessage({ play: true }); }

  /** There is no more: running dry from here on is the end. */
  end() { if (!this.isStarted) this.play(); this.queue.port.postMessage({ end: true }); }

  get playedSeconds() { return (this.last?.played ?? 0) / SAMPLE_RATE; }
}

/** 16-bit little-endian bytes, possibly cut within a sample, to floats. */
export class PcmReader {
  constructor() { this.rest = new Uint8Array(0); }
  read(bytes) {
    const joined = new Uint8Array(this.rest.length + bytes.length);
    joined.set(this.rest); joined.set(bytes, this.rest.length);
    const n = joined.length >> 1;
    const view = new DataView(joined.buffer);
    const samples = new Float32Array(n);
    for (let i = 0; i < n; i += 1) samples[i] = view.getInt16(2 * i, true) / 32768;
    this.rest = joined.slice(2 * n);
    return samples;
  }
}

/** Samples as a WAV file. */
export function toWav(parts) {
  const n = parts.reduce((sum, part) => sum + part.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * n));
  const text = (at, s) => [...s].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + 2 * n, true); text(8, "WAVEfmt "); view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); view.setUint16(22, 1, true); view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, 2 * SAMPLE_RATE, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, "data"); view.setUint32(40, 2 * n, true);
  let at = 44;
  for (const part of parts) for (const sample of part) { view.setInt16(at, Math.max(-1, Math.min(1, sample)) * 32767, true); at += 2; }
  return new Blob([view], { type: "audio/wav" });
}
