// Which view is shown, and how the server is.
import { call, key } from "./api.js";
import * as compare from "./compare.js";
import { forget } from "./engines.js";
import * as operate from "./operate.js";
import { $, tried } from "./page.js";
import * as speak from "./speak.js";
import * as talk from "./talk.js";
import * as voices from "./voices.js";

const views = { speak, talk, voices, compare, operate };
let isReady = false;

const show = tried(async () => {
  const wanted = location.hash.slice(1) in views ? location.hash.slice(1) : "speak";
  for (const [name, view] of Object.entries(views)) {
    $(name).hidden = name !== wanted;
    if (name !== wanted) view.hide?.();
  }
  for (const link of $("tabs").children) {
    if (link.hash === `#${wanted}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  }
  document.title = `${wanted[0].toUpperCase()}${wanted.slice(1)} · tts-ops studio`;
  scrollTo({ top: 0, behavior: "instant" });
  if (isReady) await views[wanted].show?.();
});

const begin = tried(async () => {
  await speak.init();
  isReady = true;
  $("key-form").hidden = true;
  await show();
});

async function showState() {
  try {
    const health = await (await call("/health")).json();
    $("state").textContent = health.status === "ok" ? "ready" : health.status;
  } catch { $("state").textContent = "does not answer"; }
}

$("key-form").onsubmit = (event) => { event.preventDefault(); key.set($("key").value.trim()); forget(); void begin(); };
for (const view of [talk, voices, compare]) view.init();
addEventListener("hashchange", () => { void show(); $("main").focus({ preventScroll: true }); });
void show();
void begin();
void showState();
setInterval(showState, 10000);
document.body.dataset.loaded = "true";
