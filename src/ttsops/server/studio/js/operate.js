// The view of whoever keeps the server well.
import { call, getJson } from "./api.js";
import { $, make, ms, seconds, tried } from "./page.js";

const EVERY_MS = 2000;
let timer = null;

export async function show() { await refresh(); timer ??= setInterval(tried(refresh), EVERY_MS); }
export function hide() { clearInterval(timer); timer = null; }

async function refresh() {
  const [health, facts] = await Promise.all([call("/health").then((answer) => answer.json()), getJson("/api/studio/operate")]);
  showHealth(health, facts);
  rows("streams", facts.streams.map((one) => [one.engine, one.voice, seconds(one.audio_seconds), one.is_live ? seconds(one.buffered_seconds) : "a file", seconds(one.unread_seconds), one.underruns]), 6, "Nobody is spoken to.");
  rows("models", facts.models.map((one) => [one.name, one.engine, !one.is_here ? "no" : one.problems.length ? one.problems.join("; ") : "yes, whole", one.licence]), 4, "None.");
  showAccept(facts.reports.accept);
  showGolden(facts.reports.golden);
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

function verdict(where, isOk, lines) {
  $(where).replaceChildren(make("p", isOk ? "passed" : "FAILED", { className: isOk ? "ok" : "bad" }), ...lines.map((line) => make("p", line, { className: "soft" })));
}

function showAccept(report) {
  if (!report?.engines) { $("accept").textContent = "No report: ttsops accept --json > accept.json"; return; }
  const gates = report.engines.flatMap(({ engine, gates: own }) => own.map((gate) => ({ engine, ...gate })));
  const failed = gates.filter(({ outcome }) => outcome === "failed");
  const asked = gates.filter(({ outcome }) => outcome !== "skipped").length;
  verdict("accept", report.ok, [`${report.engines.map(({ engine }) => engine).join(", ")}: ${asked} of ${gates.length} gates asked`, ...failed.map(({ engine, gate, detail }) => `${engine}, ${gate}: ${detail}`)]);
}

function showGolden(report) {
  if (!Array.isArray(report) || !report.length) { $("golden").textContent = "No report: ttsops golden check DIR --json > golden.json"; return; }
  const far = report.filter(({ ok }) => !ok);
  verdict("golden", !far.length, [`${report.length} cases`, ...far.map(({ folder, failure }) => `${(folder ?? "").split("/").at(-1)}: ${failure || "too far"}`)]);
}

function showMonitor(runs) {
  const points = runs.map(({ time, figures, verdict: said }) => ({ time, rtf: figures?.rtf_mean ?? null, word: said?.word })).filter(({ rtf }) => rtf != null);
  if (!points.length) { $("monitor").textContent = "No runs: ttsops monitor run"; return; }
  const most = Math.max(...points.map(({ rtf }) => rtf)), last = points.at(-1);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "trend"); svg.setAttribute("viewBox", "0 0 100 100"); svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img"); svg.setAttribute("aria-label", `RTF of ${points.length} runs, the last ${last.rtf.toPrecision(3)}`);
  const trend = document.createElementNS(svg.namespaceURI, "polyline");
  trend.setAttribute("points", points.map(({ rtf }, i) => `${points.length > 1 ? (100 * i) / (points.length - 1) : 50},${95 - (85 * rtf) / most}`).join(" "));
  svg.append(trend);
  $("monitor").replaceChildren(make("p", last.word, { className: last.word === "regression" ? "bad" : "ok" }), svg, make("p", `RTF ${last.rtf.toPrecision(3)} on ${last.time.slice(0, 16).replace("T", " ")}, ${points.length} runs`, { className: "soft" }));
}
