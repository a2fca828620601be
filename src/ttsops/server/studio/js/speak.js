// The view in which text becomes speech.
import { ApiError, call } from "./api.js";
import { engineOf, fillPair } from "./engines.js";
import * as history from "./history.js";
import { $, make, ms, save, seconds, tried } from "./page.js";
import { Player, SAMPLE_RATE, toWav } from "./player.js";
import { Scope } from "./scope.js";
import { speak } from "./speaking.js";

const FORMATS = ["wav", "mp3", "opus", "aac", "flac"];
export const player = new Player((report) => onReport(report));
const scope = new Scope($("wave"), $("spectrum"), player);
let now = null; // what is being spoken: its parts, marks and times

export async function init() {
  await fillPair($("engine"), $("voice"), showOptions);
  $("speak-form").onsubmit = (event) => { event.preventDefault(); void start(); };
  $("cancel").onclick = stop;
  $("text-file").onchange = tried(async () => { const [file] = $("text-file").files; if (file) $("text").value = await file.text(); });
  $("forget").onclick = tried(async () => { await history.forget(); await showHistory(); });
  await showHistory();
}

function showOptions(engine) {
  $("speed").disabled = !engine.has_speed;
  if (!engine.has_speed) $("speed").value = "1";
  $("options").replaceChildren(...engine.options.map((option) => {
    const label = make("label", option.name, { title: option.help });
    const input = option.choices.length || option.kind === "bool" ? make("select") : make("input");
    if (input.tagName === "SELECT") {
      const choices = option.kind === "bool" ? ["true", "false"] : option.choices;
      input.replaceChildren(...choices.map((one) => make("option", one, { value: one })));
    } else {
      input.type = option.kind === "str" ? "text" : "number";
      if (option.minimum != null) input.min = option.minimum;
      if (option.maximum != null) input.max = option.maximum;
      input.step = option.kind === "int" ? "1" : "any";
    }
    input.value = String(option.default);
    input.dataset.option = option.name; input.dataset.kind = option.kind; input.dataset.standard = String(option.default);
    label.append(input);
    return label;
  }));
  if (!engine.options.length) $("options").textContent = "Nothing.";
}

/** Only what was changed: the server knows its own defaults. */
function chosenOptions() {
  const found = {};
  for (const input of $("options").querySelectorAll("[data-option]")) {
    if (input.value === input.dataset.standard) continue;
    found[input.dataset.option] = { bool: (v) => v === "true", int: (v) => parseInt(v, 10), float: Number, str: String }[input.dataset.kind](input.value);
  }
  return found;
}

function wishOf() {
  const wish = { model: $("engine").value, voice: $("voice").value, text: $("text").value, speed: Number($("speed").value), options: chosenOptions() };
  wish.seed = $("seed").value === "" ? Math.floor(Math.random() * 2 ** 31) : Number($("seed").value);
  return wish;
}

const start = tried(async () => {
  stop();
  if (!$("text").value.trim()) throw new ApiError("The text is empty", { hint: "write what is to be said" });
  const wish = wishOf(), aborting = new AbortController();
  now = { wish, aborting, parts: [], marks: [], text: wish.text, askedAt: performance.now(), firstAt: null, doneAt: null };
  const mine = now;
  await player.open();
  if (now !== mine) return; // stopped, or asked again, while the browser opened its audio
  player.stop();
  setPlaying(true); scope.start(); showFigures(); showWords(-1);
  $("downloads").replaceChildren();
  mine.askedAt = performance.now();
  try {
    await speak(wish, {
      onText: (text) => { mine.text = text; showWords(-1); },
      onMarks: (marks) => mine.marks.push(...marks.filter(({ kind }) => kind === "word")),
      onSamples: (samples) => {
        mine.firstAt ??= performance.now();
        mine.parts.push(samples.slice());
        player.push(samples);
      },
    }, aborting.signal);
  } catch (error) {
    if (now === mine) { setPlaying(false); player.stop(); scope.stop(); }
    throw error;
  }
  mine.doneAt = performance.now();
  player.end();
  await finish(mine);
});

function stop() {
  if (!now) return;
  const askedAt = performance.now();
  now.aborting.abort();
  now = null;
  player.stop();
  setPlaying(false);
  const silent = () => { document.body.dataset.stopMs = String(performance.now() - askedAt); scope.stop(); };
  if (player.context) setTimeout(silent, 1000 * (player.context.outputLatency || 0)); else silent();
}

async function finish(mine) {
  const n = mine.parts.reduce((sum, part) => sum + part.length, 0);
  mine.seconds = n / SAMPLE_RATE;
  showFigures();
  showDownloads(mine.wish, mine.parts);
  const { text, ...rest } = mine.wish;
  await history.add({ text, ...rest, at: Date.now(), seconds: mine.seconds, audio: toWav(mine.parts) }).catch(() => {});
  await showHistory(); // says so where nothing can be kept
}

function showDownloads(wish, parts) {
  $("downloads").replaceChildren(make("span", "Download", { className: "soft" }), ...FORMATS.map((format) => {
    const button = make("button", format, { type: "button" });
    button.onclick = tried(async () => {
      if (format === "wav" && parts) { save(toWav(parts), "speech.wav"); return; }
      const { text, ...rest } = wish;
      const response = await call("/v1/audio/speech", { method: "POST", json: { ...rest, input: text, response_format: format } });
      save(await response.blob(), `speech.${format}`);
    });
    return button;
  }));
}

function onReport({ played, queued, underruns, isOver }) {
  if (!now) return;
  $("f-played").textContent = seconds(played / SAMPLE_RATE);
  $("f-buffered").textContent = seconds(queued / SAMPLE_RATE);
  $("f-underruns").textContent = String(underruns);
  highlight(played / SAMPLE_RATE);
  if (isOver && now.doneAt) { setPlaying(false); scope.stop(); showWords(-1); now = null; }
}

function highlight(at) {
  if (!now?.marks.length) return;
  let found = -1;
  for (let i = 0; i < now.marks.length && now.marks[i].start_seconds <= at; i += 1) found = i;
  if (found !== now.shown) { now.shown = found; showWords(found); }
}

function showWords(index) {
  const text = now?.text ?? "", mark = index >= 0 ? now.marks[index] : null;
  if (!mark) { $("words").textContent = text; return; }
  const end = mark.text_start + mark.text_length;
  const word = make("span", text.slice(mark.text_start, end), { className: "now" });
  $("words").replaceChildren(text.slice(0, mark.text_start), word, text.slice(end));
}

function showFigures() {
  $("f-first").textContent = now?.firstAt ? ms((now.firstAt - now.askedAt) / 1000) : "–";
  $("f-rtf").textContent = now?.doneAt && now.seconds ? ((now.doneAt - now.askedAt) / 1000 / now.seconds).toFixed(3) : "–";
  if (!now?.firstAt) { $("f-underruns").textContent = "0"; $("f-played").textContent = $("f-buffered").textContent = "–"; }
}

function setPlaying(isPlaying) { $("cancel").disabled = !isPlaying; }

const addresses = new Map(); // of the audio in the history, by its id

async function showHistory() {
  let entries;
  try { entries = await history.all(); } catch { $("history").replaceChildren(make("li", "This browser keeps nothing for this page.")); return; }
  for (const [id, address] of addresses) if (!entries.some((entry) => entry.id === id)) { URL.revokeObjectURL(address); addresses.delete(id); }
  $("history").replaceChildren(...entries.map((entry) => {
    const item = make("li");
    const text = make("span", entry.text.length > 160 ? `${entry.text.slice(0, 160)}…` : entry.text);
    const facts = make("small", `${entry.model} · ${entry.voice} · ${entry.seconds.toFixed(1)} s · seed ${entry.seed}`);
    if (!addresses.has(entry.id)) addresses.set(entry.id, URL.createObjectURL(entry.audio));
    const replay = make("audio", "", { controls: true, preload: "none", src: addresses.get(entry.id) });
    replay.setAttribute("aria-label", `Replay: ${entry.text.slice(0, 60)}`);
    const again = make("button", "Use again", { type: "button" });
    again.onclick = tried(async () => {
      $("text").value = entry.text; $("seed").value = entry.seed; $("speed").value = entry.speed;
      if (engineOf(entry.model)) { $("engine").value = entry.model; await $("engine").onchange(); $("voice").value = entry.voice; }
      for (const input of $("options").querySelectorAll("[data-option]")) input.value = String(entry.options?.[input.dataset.option] ?? input.dataset.standard);
    });
    item.append(text, facts, replay, again);
    return item;
  }));
  if (!entries.length) $("history").append(make("li", "Nothing yet."));
}
