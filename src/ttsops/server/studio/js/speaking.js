// One utterance from the server, samples as they are made, and words where they are told.
import { ApiError, socket } from "./api.js";
import { PcmReader } from "./player.js";

const STREAM = "/v1/audio/speech/stream";

/**
 * @param {object} wish model, voice, speed, seed, options, text
 * @param {{onSamples: Function, onText: Function, onMarks: Function}} listener
 * @param {AbortSignal} signal
 * @returns {Promise<void>} Until the last sample is here. Rejects with `ApiError`, or `AbortError` when stopped.
 */
export function speak(wish, listener, signal) {
  return new Promise((resolve, reject) => {
    const { text, ...config } = wish;
    const line = socket(STREAM), pcm = new PcmReader();
    const stop = () => { if (line.readyState === 1) line.send(JSON.stringify({ type: "input.cancel" })); line.close(); reject(new DOMException("stopped", "AbortError")); };
    signal.addEventListener("abort", stop, { once: true });
    line.onopen = () => {
      for (const message of [
        { type: "session.config", response_format: "pcm", stream_audio: true, marks: true, ...config },
        { type: "input.text", text }, { type: "input.done" },
      ]) line.send(JSON.stringify(message));
    };
    line.onmessage = ({ data }) => {
      if (typeof data !== "string") { const samples = pcm.read(new Uint8Array(data)); if (samples.length) listener.onSamples(samples); return; }
      const event = JSON.parse(data);
      if (event.type === "audio.start") listener.onText(event.sentence_text ?? text);
      else if (event.type === "audio.marks") listener.onMarks(event.marks);
      else if (event.type === "error") { line.onclose = null; line.close(); reject(new ApiError(event.message, event)); }
      else if (event.type === "session.done") {
        line.onclose = null; line.close();
        if (event.error) reject(new ApiError(`It was not spoken: ${event.error}`, { code: event.error })); else resolve();
      }
    };
    line.onclose = () => reject(new ApiError("The connection was lost"));
  });
}
