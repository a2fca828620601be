// The view of everybody who can speak, and of recordings that become voices.
import { call, getJson } from "./api.js";
import { engineOf, engines, forget, voicesOf } from "./engines.js";
import { $, fill, make, showError, tried } from "./page.js";

const SAMPLE_TEXT = "This is how I sound on a calm day.";
let recorded = null;

export async function show() {
  const all = await engines();
  const chosen = $("voices-engine").value || all[0].name;
  fill($("voices-engine"), all.map(({ name }) => ({ value: name, label: name })), chosen);
  const { has_library: hasLibrary } = await getJson("/api/studio/operate");
  $("import-form").hidden = !hasLibrary;
  await list();
}

export function init() {
  $("voices-engine").onchange = tried(list);
  $("voices-filter").oninput = tried(list);
  $("import-form").onsubmit = (event) => { event.preventDefault(); void importVoice(); };
  $("record").onclick = tried(record);
  $("import-file").onchange = () => { if ($("import-file").files.length) forgetRecorded(); };
}

/** Of a file and the microphone, the one that was chosen last is sent. */
function forgetRecorded() { recorded = null; $("record-state").textContent = ""; }

async function list() {
  const engine = $("voices-engine").value, wanted = $("voices-filter").value.trim().toLowerCase();
  const { data } = await voicesOf(engine);
  const found = data.filter(({ id, name, language }) => `${id} ${name} ${language}`.toLowerCase().includes(wanted));
  $("voice-list").replaceChildren(...found.map((voice) => item(engine, voice)));
  if (!found.length) $("voice-list").append(make("li", "Nobody."));
}

function item(engine, voice) {
  const one = make("li"), name = make("span");
  name.append(make("strong", voice.name || voice.id), " ", make("small", [voice.id, voice.language, voice.gender].filter(Boolean).join(" · ")));
  const hear = make("button", "Listen", { type: "button" });
  hear.setAttribute("aria-label", `Listen to ${voice.name || voice.id}`);
  hear.onclick = tried(async () => {
    const response = await call("/v1/audio/speech", { method: "POST", json: { model: engine, voice: voice.id, input: SAMPLE_TEXT, response_format: "wav" } });
    play(one, await response.blob());
  });
  one.append(name, hear);
  if (engineOf(engine).clones_voices) one.append(...referenceButtons(one, voice));
  return one;
}

function referenceButtons(one, voice) {
  const path = `/api/voices/${encodeURIComponent(voice.id)}/reference`;
  const reference = make("button", "Its recording", { type: "button" });
  reference.onclick = tried(async () => {
    const [facts, audio] = [await getJson(path), await (await call(`${path}/audio`)).blob()];
    play(one, audio);
    showFacts(one, path, facts, audio);
  });
  return [reference];
}

function showFacts(one, path, facts, audio) {
  one.querySelector(".facts")?.remove();
  const box = make("div", "", { className: "facts" });
  const kept = facts[facts.active] ?? null;
  box.append(make("p", kept ? `Speaks from its ${facts.active === "override" ? "other" : "own"} recording: ${kept.seconds.toFixed(1)} s, ${(20 * Math.log10(kept.rms)).toFixed(1)} dBFS.` : "It has no recording with a transcript."));
  for (const warning of kept?.warnings ?? []) box.append(make("p", `Will be heard: ${warning}`, { className: "bad" }));
  if (kept) box.append(make("p", `“${kept.transcript}” — ${kept.consent}`, { className: "soft" }));
  if (audio) void picture(audio).then((canvas) => box.prepend(canvas));
  const file = make("input", "", { type: "file", accept: "audio/*" });
  const transcript = make("input", "", { placeholder: "what is said in it" });
  const consent = make("input", "", { placeholder: "who agreed, and when" });
  const replace = make("button", "Speak from this one", { type: "button" });
  replace.onclick = tried(async () => {
    const form = new FormData();
    form.set("file", file.files[0] ?? new Blob()); form.set("transcript", transcript.value); form.set("consent", consent.value);
    await changed(one, path, await (await call(path, { method: "POST", form })).json());
  });
  const restore = make("button", "Restore its own", { type: "button" });
  restore.onclick = tried(async () => changed(one, path, await (await call(path, { method: "DELETE" })).json()));
  for (const [text, input] of [["Another recording", file], ["Transcript", transcript], ["Consent", consent]]) {
    const label = make("label", text); label.append(input); box.append(label);
  }
  const row = make("p", "", { className: "row" });
  row.append(replace, restore); box.append(row);
  one.append(box);
}

/** Another recording is heard from now on: hear and see it. */
async function changed(one, path, facts) {
  const audio = await (await call(`${path}/audio`)).blob();
  play(one, audio);
  showFacts(one, path, facts, audio);
}

/** Peak and RMS of every hundredth of a recording: what is too quiet, clipped or silent is seen. */
async function picture(blob) {
  const context = new OfflineAudioContext(1, 1, 24000);
  const samples = (await context.decodeAudioData(await blob.arrayBuffer())).getChannelData(0);
  const canvas = make("canvas", "", { width: 800, height: 120 }), pen = canvas.getContext("2d");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Loudness of the recording over time");
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const n = Math.ceil(samples.length / canvas.width);
  for (let x = 0; x < canvas.width; x += 1) {
    let peak = 0, sum = 0;
    for (let i = x * n; i < Math.min(samples.length, (x + 1) * n); i += 1) { peak = Math.max(peak, Math.abs(samples[i])); sum += samples[i] ** 2; }
    const rms = Math.sqrt(sum / n);
    pen.fillStyle = peak > 0.99 ? css("--alarm") : css("--line");
    pen.fillRect(x, 60 - 58 * peak, 1, Math.max(1, 116 * peak));
    pen.fillStyle = css("--accent");
    pen.fillRect(x, 60 - 58 * rms, 1, Math.max(1, 116 * rms));
  }
  return canvas;
}

function play(where, blob) {
  const old = where.querySelector("audio");
  if (old) { URL.revokeObjectURL(old.src); old.remove(); }
  const audio = make("audio", "", { controls: true, autoplay: true, src: URL.createObjectURL(blob) });
  audio.setAttribute("aria-label", "Sample");
  where.append(audio);
}

async function record() {
  if (!navigator.mediaDevices) throw new Error("Browsers give a page the microphone over HTTPS or on this machine only.");
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false, noiseSuppression: false } });
  const recorder = new MediaRecorder(stream), parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.onstop = () => {
    stream.getTracks().forEach((track) => track.stop());
    recorded = new File([new Blob(parts)], "microphone.webm", { type: recorder.mimeType });
    $("import-file").value = "";
    $("record-state").textContent = `Recorded ${(recorded.size / 1024).toFixed(0)} kB.`;
    $("record").textContent = "Record again"; $("record").onclick = tried(record);
  };
  recorder.start();
  $("record-state").textContent = "Recording…";
  $("record").textContent = "Stop"; $("record").onclick = () => recorder.stop();
}

const importVoice = tried(async () => {
  $("import-done").textContent = "";
  const file = $("import-file").files[0] ?? recorded;
  if (!file) { showError(new Error("Choose a recording, or make one with the microphone.")); return; }
  const form = new FormData();
  form.set("name", $("import-name").value); form.set("audio_sample", file); form.set("consent", $("import-consent").value);
  for (const name of ["transcript", "language"]) { const value = $(`import-${name}`).value.trim(); if (value) form.set(name, value); }
  const made = await (await call("/v1/audio/voices", { method: "POST", form })).json();
  $("import-done").textContent = `${made.name ?? made.id} can speak now.`;
  $("import-form").reset();
  forgetRecorded();
  forget();
  await show();
});
