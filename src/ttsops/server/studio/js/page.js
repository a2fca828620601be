// Small things that every view needs.
export const $ = (id) => document.getElementById(id);

/** An element with text, never with markup: names come from people. */
export function make(tag, text = "", props = {}) {
  const element = Object.assign(document.createElement(tag), props);
  element.textContent = text;
  return element;
}

export function showError(error) {
  const box = $("error");
  box.textContent = error ? error.message : "";
  box.hidden = !error;
  if (error) box.scrollIntoView({ block: "nearest" });
  if (error?.status === 401) $("key-form").hidden = false;
}

/** Run what may fail, and show why it did. */
export const tried = (action) => async (...given) => {
  try { showError(null); return await action(...given); } catch (error) {
    if (error.name !== "AbortError") showError(error);
    return undefined;
  }
};

export const seconds = (value, digits = 1) => (value == null ? "–" : `${value.toFixed(digits)} s`);
export const ms = (value) => (value == null ? "–" : `${Math.round(1000 * value)} ms`);

export function fill(select, items, chosen) {
  select.replaceChildren(...items.map(({ value, label }) => make("option", label, { value })));
  if (chosen != null && items.some(({ value }) => value === chosen)) select.value = chosen;
}

export function save(blob, name) {
  const link = make("a", "", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
