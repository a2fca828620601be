"use strict";
// What one listener has said: kept in localStorage, so that a closed page goes on where it was. No element of the
// page is touched here but the data in it.
const data = JSON.parse(document.getElementById("data").textContent);
const settings = JSON.parse(new TextDecoder().decode(bytes(data.key)));
const SIDES = ["a", "b"];
const STORE = `ttsops-listening-${data.id}`;
const addresses = new Map();
let state = null;
let trials = [];

function bytes(base64) {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

function generator(seed) {
  // mulberry32: the same seed, the same order, in every browser.
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function drawn(n) {
  return Array.from(crypto.getRandomValues(new Uint32Array(n)), (part) => part.toString(16).padStart(8, "0"));
}

function fresh() {
  const asked = /[#&]seed=(\d+)/.exec(location.hash);
  const seed = asked ? Number(asked[1]) : parseInt(drawn(1)[0], 16);
  return { session: drawn(2).join(""), seed, listener: "", at: 0, begun: false, ratings: {}, unsent: [] };
}

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORE));
    if (kept && kept.begun && kept.ratings) return kept;
  } catch { /* no storage here, or not ours */ }
  return fresh();
}

function save() {
  try {
    localStorage.setItem(STORE, JSON.stringify(state));
    return true;
  } catch {
    return false;
  }
}

function arrange() {
  // Which is first and which is A are drawn from one seed, pair by pair.
  const random = generator(state.seed);
  trials = data.pairs.map((pair) => {
    const [one, other] = pair.clips;
    return { pair, clips: random() < 0.5 ? { a: one, b: other } : { a: other, b: one } };
  });
  for (let i = trials.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [trials[i], trials[j]] = [trials[j], trials[i]];
  }
}

function address(clip) {
  if (!addresses.has(clip)) {
    addresses.set(clip, URL.createObjectURL(new Blob([bytes(data.audio[clip])], { type: "audio/flac" })));
  }
  return addresses.get(clip);
}

function answer(trial) {
  const kept = state.ratings[trial.pair.id] || {};
  return { a: null, b: null, preferred: null, plays: { a: 0, b: 0 }, ...kept };
}

function keep(trial, change) {
  state.ratings[trial.pair.id] = { ...answer(trial), ...change };
  return save();
}

function missing(given) {
  // What has not been done yet, first things first; null if all has.
  for (const side of SIDES) if (!given.plays[side]) return ["play", side];
  for (const side of SIDES) if (!given[side]) return ["grade", side];
  return given.preferred ? null : ["preferred", ""];
}

function record(trial) {
  const given = answer(trial);
  const side = (name) => ({
    setting: settings[trial.clips[name]], rating: given[name], plays: given.plays[name],
  });
  return {
    page: data.id, session: state.session, listener: state.listener, pair: trial.pair.id,
    text: trial.pair.label, a: side("a"), b: side("b"), preferred: given.preferred, at: given.at,
    note: data.note,
  };
}

function complete() {
  return trials.filter((trial) => !missing(answer(trial)) && answer(trial).at);
}

async function send() {
  for (const id of [...state.unsent]) {
    const trial = trials.find((one) => one.pair.id === id);
    try {
      const response = await fetch(data.post, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(record(trial)),
      });
      if (!response.ok) throw new Error(`status ${response.status}`);
      state.unsent = state.unsent.filter((one) => one !== id);
      save();
    } catch {
      return; // kept, and sent with the next one
    }
  }
}
