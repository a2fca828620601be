// The view in which a language model answers, aloud.
import { ApiError, getJson, socket } from "./api.js";
import { $, make, showError, tried } from "./page.js";
import { PcmReader, Player } from "./player.js";

/**
 * One question and its answer.
 * @typedef {{item: HTMLElement, pcm: PcmReader, isSilent: boolean, isDone: boolean}} Turn
 * `isSilent`: it was interrupted here, and what is still on its way is dropped. `isDone`: the server has sent it all.
 */

export const player = new Player(({ isOver }) => { if (isOver) setAnswering(false); });
/** @type {WebSocket | null} With its `asked`, turns the server has not begun, and its `turns`, by the server's numbers. */
let line = null;
/** @type {Turn | null} The last one. */
let current = null;
let conversationId = ""; // of all sockets, one after the other

export async function show() {
  const { has_agent: hasAgent } = await getJson("/api/studio/operate");
  $("talk-off").hidden = hasAgent;
  $("talk-on").hidden = !hasAgent;
}

export function init() {
  $("talk-form").onsubmit = (event) => { event.preventDefault(); void send(); };
  $("interrupt").onclick = interrupt;
  $("anew").onclick = beginAnew;
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
  current = { item: say("answer", ""), pcm: new PcmReader(), isSilent: false, isDone: false };
  one.asked.push(current);
  $("question").value = "";
  setAnswering(true);
  one.send(JSON.stringify({ type: "input.text", text }));
});

function connected() {
  if (line?.readyState === WebSocket.OPEN) return Promise.resolve(line);
  return new Promise((resolve, reject) => {
    const one = Object.assign(socket("/chat/stream"), { asked: [], turns: [], announced: null });
    const config = { type: "session.config", response_format: "pcm" };
    if (conversationId) config.conversation_id = conversationId;
    one.onopen = () => one.send(JSON.stringify(config));
    one.onmessage = ({ data }) => {
      if (typeof data !== "string") { onFrame(one.announced, data); return; }
      const event = JSON.parse(data);
      if (event.type === "session.ready") { line = one; conversationId = event.conversation_id; resolve(one); }
      else if (line === one) onEvent(one, event);
      else if (event.type === "error") { conversationId = ""; one.close(); reject(new ApiError(event.message, event)); }
    };
    one.onerror = () => reject(new ApiError("The agent cannot be reached"));
    one.onclose = () => { reject(new ApiError("The agent cannot be reached")); onLost(one); };
  });
}

/** Audio of a turn: heard only while that is the last one, and nobody has interrupted it. */
function onFrame(turn, data) {
  if (!turn || turn !== current || turn.isSilent) return;
  const samples = turn.pcm.read(new Uint8Array(data));
  if (samples.length) player.push(samples);
}

function onEvent(one, event) {
  const turn = one.turns[event.turn];
  if (event.type === "turn.start") one.turns[event.turn] = one.asked.shift();
  else if (event.type === "text.delta") turn.item.textContent += event.text;
  else if (event.type === "audio.delta") one.announced = turn;
  else if (event.type === "turn.cut") showRemembered(turn, event.remembered); // all was sent, and not all heard
  else if (event.type === "turn.done") {
    turn.isDone = true;
    if (event.reason === "interrupted") showRemembered(turn, event.remembered);
    turn.item.textContent ||= "…";
    if (turn === current && !turn.isSilent) player.end(); // of a failed one, too, what has come is heard
  } else if (event.type === "error") {
    if (event.utterance_index == null) onRefused(one.asked.shift());
    showError(new ApiError(event.message, event));
  }
}

/** A question that the server does not take: there is no turn. */
function onRefused(turn) {
  turn?.item.remove();
  if (turn === current) { current = null; setAnswering(false); }
}

function onLost(one) {
  if (line === one) line = null;
  if (!current || current.isDone || ![...one.asked, ...one.turns].includes(current)) return;
  current.isDone = true;
  current.item.textContent ||= "…";
  if (current.isSilent) return;
  player.end();
  showError(new ApiError("The connection was lost", { hint: "ask again: the conversation goes on" }));
}

/** Silence here at once; the server is told what was heard. */
function interrupt() {
  if ($("interrupt").disabled) return;
  const played = player.playedSeconds;
  if (current) current.isSilent = true;
  player.stop();
  setAnswering(false);
  if (line?.readyState === WebSocket.OPEN) line.send(JSON.stringify({ type: "interrupt", played_seconds: played }));
}

function beginAnew() {
  interrupt();
  const one = line;
  line = current = null;
  conversationId = "";
  one?.close();
  $("turns").replaceChildren();
  showError(null);
  $("question").focus();
}

function showRemembered(turn, remembered) { turn.item.textContent = remembered ? `${remembered} …` : "…"; }

function say(who, text) {
  const turn = make("li", text, { className: who });
  $("turns").append(turn);
  turn.scrollIntoView({ block: "nearest" });
  return turn;
}

function setAnswering(isAnswering) { $("interrupt").disabled = !isAnswering; }
