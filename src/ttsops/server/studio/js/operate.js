// The view of whoever keeps the server well.
import { call, getJson } from "./api.js";
import { $, make, ms, seconds, showError } from "./page.js";

const EVERY_MS = 2000;
let timer = null, isShown = false, isAsking = false, isFailing = false;

export async function show() {
  isShown = true;
  await poll();
  if (isShown) timer ??= setInterval(poll, EVERY_MS);
}
export function hide() { isShown = false; clearInterval(timer); timer = null; }

/** Once more, if the last time is over. What it complained of it takes back itself, and nothing else. */
async function poll() {
  if (isAsking) return;
  isAsking = true;
  try {
    await refresh();
    if (isFailing) showError(null);
    isFailing = false;
  } catch (error) {
    isFailing = true;
    if (isShown) showError(error);
  } finally { isAsking = false; }
}

async function refresh() {
  const [health, facts] = await Promise.all([call("/health").then((answer) => answer.json()), getJson("/api/studio/operate")]);
  showHealth(health, facts);
  rows("streams", facts.streams.map((one) => [one.engine, one.voice, seconds(one.audio_seconds), one.is_live ? seconds(one.buffered_seconds) : "a file", seconds(one.unread_seconds), one.underruns]), 6, "Nobody is spoken to.");
  const { accept, golden, models } = facts.reports, at = facts.reported_at;
  rows("models", facts.models.map((one) => [one.name, one.engine, integrity(one, models, at.models), one.licence]), 4, "None.");
  showAccept(accept, at.accept);
  showGolden(golden, at.golden);
  showMonitor(facts.monitor);
  $("log").textContent = facts.log.map(({ time, level, event, ...rest }) => {
    const { logger, ...fields } = rest;
    return `${(time ?? "").slice(11, 19)} ${level} ${event} ${Object.entries(fields).map(([k, v]) => `${k}=${v}`).join(" ")}`;
  }).join("\n") || "Nothing was logged yet.";
}

function showHealth(health, facts) {
  const recent = health.recent ?? {};
  const total = (values) => Object.values(values).reduce((sum, one) => sum + one, 0);
  const figures = {
    status: health.status, version: health.version, up: `${Math.floor(health.uptime_seconds / 60)} min`,
    "live / places": `${facts.streams.length} / ${total(facts.capacity)}`, waiting: total(facts.queued),
    "first audio, p95": ms(recent.first_chunk_seconds?.p95), "RTF, p95": recent.rtf?.p95?.toFixed(3) ?? "–",
    succeeded: recent.success_rate == null ? "–" : `${(100 * recent.success_rate).toFixed(1)} %`,
  };
  $("health").replaceChildren(...Object.entries(figures).map(([name, value]) => {
    const box = make("div");
    box.append(make("dt", name), make("dd", String(value)));
    return box;
  }));
}

function rows(id, table, width, none) {
  $(id).replaceChildren(...table.map((cells) => { const row = make("tr"); row.append(...cells.map((cell) => make("td", String(cell)))); return row; }));
  if (!table.length) { const row = make("tr"); row.append(make("td", none, { colSpan: width, className: "soft" })); $(id).append(row); }
}

const minute = (iso) => iso.slice(0, 16).replace("T", " ");

/** What is here now, by names and sizes; and what a check of every byte said last. */
function integrity(model, report, at) {
  if (!model.is_here) return "no";
  if (model.problems.length) return model.problems.join("; ");
  const checked = report?.models?.find(({ name }) => name === model.name);
  if (!checked) return "yes; sizes are right";
  if (checked.is_whole) return `yes; every byte was right on ${minute(at)}`;
  return `DAMAGED on ${minute(at)}: ${checked.problems.map(({ file, what }) => `${file ?? "it"} ${what}`).join("; ")}`;
}

function verdict(where, isOk, lines, at) {
  $(where).replaceChildren(make("p", isOk ? "passed" : "FAILED", { className: isOk ? "ok" : "bad" }), ...lines.map((line) => make("p", line, { className: "soft" })));
  if (at) $(where).append(make("p", `Written ${minute(at)} UTC`, { className: "soft" }));
}

function showAccept(report, at) {
  if (!report?.engines) { $("accept").textContent = "No report: ttsops accept --json > accept.json"; return; }
  const gates = report.engines.flatMap(({ engine, gates: own }) => own.map((gate) => ({ engine, ...gate })));
  const failed = gates.filter(({ outcome }) => outcome === "failed");
  const asked = gates.filter(({ outcome }) => outcome !== "skipped").length;
  verdict("accept", report.ok, [`${report.engines.map(({ engine }) => engine).join(", ")}: ${asked} of ${gates.length} gates asked`, ...failed.map(({ engine, gate, detail }) => `${engine}, ${gate}: ${detail}`)], at);
}

function showGolden(report, at) {
  if (!Array.isArray(report) || !report.length) { $("golden").textContent = "No report: ttsops golden check DIR --json > golden.json"; return; }
  const far = report.filter(({ ok }) => !ok);
  verdict("golden", !far.length, [`${report.length} ${report.length === 1 ? "recording" : "recordings"}`, ...far.map(({ folder, failure }) => `${(folder ?? "").split("/").at(-1)}: ${failure || "too far"}`)], at);
}

/** What the monitor's runs are drawn by: [name, its figure, how it is written]. */
const TRENDS = [
  ["RTF", "rtf_mean", (value) => value.toPrecision(3)],
  ["first audible", "ttfa", ms],
  ["memory", "worker_bytes", (value) => `${(value / 2 ** 20).toFixed(0)} MiB`],
];

function showMonitor(runs) {
  const last = runs.filter(({ figures }) => figures).at(-1);
  if (!last) { $("monitor").textContent = "No runs: ttsops monitor run"; return; }
  const word = last.verdict?.word ?? "";
  const trends = make("div", "", { className: "grid" });
  trends.append(...TRENDS.map(([name, figure, written]) => trend(name, runs.map(({ figures }) => figures?.[figure]).filter((one) => one != null), written)));
  $("monitor").replaceChildren(
    make("p", word, { className: word === "regression" ? "bad" : "ok" }),
    trends,
    make("p", `${runs.length} runs, the last on ${minute(last.time)} UTC`, { className: "soft" }),
  );
}

/** One figure over the runs, from zero up. @param {number[]} values oldest first */
function trend(name, values, written) {
  const box = make("div");
  if (!values.length) { box.textContent = `${name} –`; return box; }
  const most = Math.max(...values) || 1, said = `${name} ${written(values.at(-1))}`;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ class: "trend", viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": `${said}, the last of ${values.length} runs` })) svg.setAttribute(key, value);
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  line.setAttribute("points", values.map((value, i) => `${values.length > 1 ? (100 * i) / (values.length - 1) : 50},${95 - (85 * value) / most}`).join(" "));
  svg.append(line);
  box.append(make("span", said, { className: "soft" }), svg);
  return box;
}
