// The view in which a language model answers, aloud.
import { ApiError, getJson, socket } from "./api.js";
import { $, make, showError, tried } from "./page.js";
import { PcmReader, Player } from "./player.js";

export const player = new Player(({ isOver }) => { if (isOver) setAnswering(false); });
let line = null, answer = null, pcm = null;

export async function show() {
  const { has_agent: hasAgent } = await getJson("/api/studio/operate");
  $("talk-off").hidden = hasAgent;
  $("talk-on").hidden = !hasAgent;
}

export function init() {
  $("talk-form").onsubmit = (event) => { event.preventDefault(); void send(); };
  $("interrupt").onclick = interrupt;
  const Recogniser = window.SpeechRecognition ?? window.webkitSpeechRecognition;
  if (Recogniser) {
    $("listen").hidden = false;
    $("listen").onclick = () => {
      interrupt();
      const recogniser = new Recogniser();
      recogniser.onresult = ({ results }) => { $("question").value = results[0][0].transcript; void send(); };
      recogniser.onerror = ({ error }) => showError(new ApiError(`The browser's recogniser failed: ${error}`));
      recogniser.start();
    };
  }
}

const send = tried(async () => {
  const text = $("question").value.trim();
  if (!text) return;
  await player.open();
  const one = await connected();
  interrupt();
  player.stop();
  say("you", text);
  answer = say("answer", "");
  pcm = new PcmReader();
  $("question").value = "";
  setAnswering(true);
  one.send(JSON.stringify({ type: "input.text", text }));
});

function connected() {
  if (line?.readyState === WebSocket.OPEN) return Promise.resolve(line);
  return new Promise((resolve, reject) => {
    const one = socket("/chat/stream");
    one.onopen = () => { line = one; one.send(JSON.stringify({ type: "session.config", response_format: "pcm" })); resolve(one); };
    one.onmessage = ({ data }) => onMessage(data);
    one.onerror = () => reject(new ApiError("The agent cannot be reached"));
    one.onclose = () => { line = null; };
  });
}

function onMessage(data) {
  if (typeof data !== "string") { const samples = pcm?.read(new Uint8Array(data)); if (samples?.length) player.push(samples); return; }
  const event = JSON.parse(data);
  if (event.type === "text.delta" && answer) answer.textContent += event.text;
  else if (event.type === "turn.done") {
    if (event.reason === "interrupted" && answer) answer.textContent = event.remembered ? `${event.remembered} …` : "…";
    if (event.reason === "complete") player.end(); else setAnswering(false);
  } else if (event.type === "turn.cut") {
    // It was all sent, and not all heard.
    const turns = document.querySelectorAll("#turns li.answer");
    const cut = turns[event.turn];
    if (cut) cut.textContent = event.remembered ? `${event.remembered} …` : "…";
  } else if (event.type === "error") { setAnswering(false); showError(new ApiError(event.message, event)); }
}

/** Silence here at once; the server is told what was heard. */
function interrupt() {
  if ($("interrupt").disabled) return;
  const played = player.playedSeconds;
  player.stop();
  setAnswering(false);
  if (line?.readyState === WebSocket.OPEN) line.send(JSON.stringify({ type: "interrupt", played_seconds: played }));
}

function say(who, text) {
  const turn = make("li", text, { className: who });
  $("turns").append(turn);
  turn.scrollIntoView({ block: "nearest" });
  return turn;
}

function setAnswering(isAnswering) { $("interrupt").disabled = !isAnswering; }
