// Two settings, blind; what was said is kept in this browser.
import { call } from "./api.js";
import { fillPair } from "./engines.js";
import { $, make, save, showError, tried } from "./page.js";

const KEPT = "ttsops-studio-ratings";
const LISTENER = "ttsops-studio-listener"; // a random name, so that files of several browsers can be told apart
const MOST_CHARS = 200;
let pair = null;

export async function show() {
  if (!$("one-engine").options.length) {
    await fillPair($("one-engine"), $("one-voice"));
    await fillPair($("other-engine"), $("other-voice"));
  }
  showRatings();
}

export function init() {
  $("compare-form").onsubmit = (event) => { event.preventDefault(); void makePair(); };
  for (const button of document.querySelectorAll("[data-choice]")) button.onclick = () => choose(button.dataset.choice);
  $("ratings-save").onclick = () => save(new Blob([JSON.stringify(asRatings(), null, 1)], { type: "application/json" }), "ratings.json");
  $("ratings-forget").onclick = () => { localStorage.removeItem(KEPT); showRatings(); };
}

function settings(side) {
  const options = {};
  for (const part of $(`${side}-options`).value.split(",").map((one) => one.trim()).filter(Boolean)) {
    const [name, value = ""] = part.split("=").map((one) => one.trim());
    options[name] = value === "true" || value === "false" ? value === "true" : value !== "" && !Number.isNaN(Number(value)) ? Number(value) : value;
  }
  return { model: $(`${side}-engine`).value, voice: $(`${side}-voice`).value, speed: Number($(`${side}-speed`).value), options };
}

const nameOf = ({ model, voice, speed, options }) => [model, voice, speed === 1 ? "" : `speed ${speed}`, ...Object.entries(options).map(([k, v]) => `${k} ${v}`)].filter(Boolean).join(" · ");

const makePair = tried(async () => {
  const input = $("compare-text").value, sides = [settings("one"), settings("other")];
  if (nameOf(sides[0]) === nameOf(sides[1])) { showError(new Error("Both sides are the same: change something on one of them.")); return; }
  const seed = Math.floor(Math.random() * 2 ** 31);
  const blobs = await Promise.all(sides.map(async (side) => (await call("/v1/audio/speech", { method: "POST", json: { ...side, seed, input, response_format: "wav" } })).blob()));
  const isSwapped = crypto.getRandomValues(new Uint8Array(1))[0] % 2 === 1;
  pair = { names: sides.map(nameOf), isSwapped, text: input };
  const [a, b] = isSwapped ? [blobs[1], blobs[0]] : blobs;
  for (const audio of [$("audio-a"), $("audio-b")]) if (audio.src) URL.revokeObjectURL(audio.src);
  $("audio-a").src = URL.createObjectURL(a); $("audio-b").src = URL.createObjectURL(b);
  $("revealed").textContent = "";
  $("pair").hidden = false;
  $("audio-a").focus();
});

function choose(choice) {
  if (!pair) return;
  const { names: [one, other], isSwapped, text } = pair;
  const better = choice === "same" ? "same" : (choice === "a") === !isSwapped ? "one" : "other";
  localStorage.setItem(KEPT, JSON.stringify([...ratings(), { one, other, better, isSwapped, text, at: new Date().toISOString() }]));
  $("revealed").textContent = `A was ${isSwapped ? other : one}, B was ${isSwapped ? one : other}.`;
  pair = null;
  showRatings();
}

/** In the form that `ttsops quality ratings` sums up, over several browsers. */
function asRatings() {
  const session = localStorage.getItem(LISTENER) ?? crypto.getRandomValues(new Uint32Array(2)).join("-");
  localStorage.setItem(LISTENER, session);
  const short = (text) => [...text].slice(0, MOST_CHARS).join("");
  return { ratings: ratings().map(({ one, other, better, isSwapped = false, text = "", at }) => {
    const [a, b] = isSwapped ? [other, one] : [one, other];
    const preferred = better === "same" ? "none" : (better === "one") === !isSwapped ? "a" : "b";
    return { page: "studio", session, pair: at, a: { setting: short(a) }, b: { setting: short(b) }, preferred, text: short(text), at };
  }) };
}

/** @returns {{one: string, other: string, better: "one" | "same" | "other", isSwapped: boolean, text: string, at: string}[]} */
function ratings() { try { return JSON.parse(localStorage.getItem(KEPT) ?? "[]"); } catch { return []; } }

function showRatings() {
  const sums = new Map();
  for (const { one, other, better } of ratings()) {
    const id = JSON.stringify([one, other]);
    const sum = sums.get(id) ?? { one, other, counts: { one: 0, same: 0, other: 0 } };
    sum.counts[better] += 1; sums.set(id, sum);
  }
  $("ratings").replaceChildren(...[...sums.values()].map(({ one, other, counts }) => {
    const row = make("tr");
    row.append(...[one, other, counts.one, counts.same, counts.other].map((cell) => make("td", String(cell))));
    return row;
  }));
  if (!sums.size) { const row = make("tr"); row.append(make("td", "Nothing yet.", { colSpan: 5 })); $("ratings").append(row); }
}
