// Engines and their voices, asked for once.
import { getJson } from "./api.js";
import { fill } from "./page.js";

let known = null;
const voices = new Map();

export async function engines() { known ??= await getJson("/api/studio/engines"); return known; }
export function forget() { known = null; voices.clear(); }
export const engineOf = (name) => known.find((one) => one.name === name);

export async function voicesOf(engine) {
  if (!voices.has(engine)) voices.set(engine, await getJson(`/v1/audio/voices?model=${encodeURIComponent(engine)}`));
  return voices.get(engine);
}

/** Two selects that belong together. */
export async function fillPair(engineSelect, voiceSelect, onEngine = () => {}) {
  const all = await engines();
  fill(engineSelect, all.map(({ name }) => ({ value: name, label: name })));
  const change = async () => {
    const list = await voicesOf(engineSelect.value);
    const items = list.data.map(({ id, name, language }) => ({ value: id, label: `${name || id}${language ? ` · ${language}` : ""}` }));
    fill(voiceSelect, items, list.default);
    onEngine(engineOf(engineSelect.value));
  };
  engineSelect.onchange = change;
  await change();
}
