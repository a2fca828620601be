// The page itself: what is shown, played and pressed. `state.js` comes before it.
const $ = (id) => document.getElementById(id);
const GRADES = [[1, "Bad"], [2, "Poor"], [3, "Fair"], [4, "Good"], [5, "Excellent"]];
let current = "";

function remember(trial, change) {
  if (!keep(trial, change)) say("This browser keeps nothing: download the ratings before you close the page.");
}

function show(id) {
  for (const name of ["start", "trial", "end"]) $(name).hidden = name !== id;
}

function say(text) {
  $("status").textContent = text;
}

function showTrial() {
  const trial = trials[state.at];
  const given = answer(trial);
  stop();
  mark("");
  $("where").textContent = `Pair ${state.at + 1} of ${trials.length}`;
  $("progress").max = trials.length;
  $("progress").value = state.at;
  $("text").textContent = trial.pair.text;
  $("text").hidden = !trial.pair.text;
  for (const side of SIDES) {
    $(`audio-${side}`).src = address(trial.clips[side]);
    for (const input of document.getElementsByName(`grade-${side}`)) {
      input.checked = Number(input.value) === given[side];
    }
  }
  for (const input of document.getElementsByName("preferred")) input.checked = input.value === given.preferred;
  $("back").hidden = state.at === 0;
  $("next").textContent = state.at + 1 < trials.length ? "Next" : "Finish";
  say("");
  show("trial");
  $("where").focus();
}

function stop() {
  for (const side of SIDES) $(`audio-${side}`).pause();
}

function mark(side) {
  current = side;
  for (const one of SIDES) $(`side-${one}`).classList.toggle("current", one === side);
}

function play(side) {
  const audio = $(`audio-${side}`);
  audio.currentTime = 0;
  audio.play().catch((error) => say(`This recording cannot be played: ${error.message}`));
}

function played(side) {
  $(`audio-${side === "a" ? "b" : "a"}`).pause();
  mark(side);
  const trial = trials[state.at];
  const plays = { ...answer(trial).plays };
  plays[side] += 1;
  remember(trial, { plays });
}

function grade(side, value) {
  remember(trials[state.at], { [side]: value });
  for (const input of document.getElementsByName(`grade-${side}`)) input.checked = Number(input.value) === value;
  say(`${side.toUpperCase()} is rated ${value}, ${GRADES[value - 1][1].toLowerCase()}.`);
}

function prefer(value) {
  remember(trials[state.at], { preferred: value });
  for (const input of document.getElementsByName("preferred")) input.checked = input.value === value;
  say(value === "none" ? "No difference." : `${value.toUpperCase()} is preferred.`);
}

function lacking(given) {
  const what = missing(given);
  if (!what) return null;
  const [kind, side] = what;
  const name = side.toUpperCase();
  if (kind === "play") return [`Play ${name} first.`, $(`audio-${side}`)];
  if (kind === "grade") return [`Rate ${name} first.`, document.getElementsByName(`grade-${side}`)[0]];
  return ["Say first which you prefer.", document.getElementsByName("preferred")[0]];
}

function next() {
  const trial = trials[state.at];
  const lack = lacking(answer(trial));
  if (lack) {
    say(lack[0]);
    lack[1].focus();
    return;
  }
  remember(trial, { at: new Date().toISOString() });
  if (data.post) state.unsent = [...state.unsent.filter((id) => id !== trial.pair.id), trial.pair.id];
  state.at += 1;
  save();
  const sent = send();
  if (state.at < trials.length) showTrial();
  else sent.then(showEnd);
}

function back() {
  if (state.at > 0) {
    state.at -= 1;
    save();
    showTrial();
  }
}

function cell(row, text, isHead) {
  const made = document.createElement(isHead ? "th" : "td");
  if (isHead) made.scope = "row";
  made.textContent = text;
  row.append(made);
}

function showEnd() {
  stop();
  const done = complete();
  const places = ["Your ratings are kept in this browser."];
  if (data.post) {
    places.push(state.unsent.length
      ? `${state.unsent.length} could not be sent: is the server still running? Download them instead.`
      : "All were sent to the server.");
  } else {
    places.push("Download them, and send the file to whoever asked you.");
  }
  $("kept").textContent = places.join(" ");
  $("results").replaceChildren(...done.map((trial) => {
    const row = document.createElement("tr");
    const one = record(trial);
    cell(row, one.text, true);
    for (const side of [one.a, one.b]) {
      cell(row, side.setting);
      cell(row, side.rating);
    }
    cell(row, one.preferred === "none" ? "no difference" : one[one.preferred].setting);
    return row;
  }));
  show("end");
  $("end-heading").focus();
}

function download() {
  const content = { kind: "ttsops ratings", title: data.title, note: data.note, ratings: complete().map(record) };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  link.download = `ratings-${state.session}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function pressed(event) {
  const isTyping = event.target instanceof HTMLInputElement && event.target.type === "text";
  if ($("trial").hidden || !$("shortcuts").checked || isTyping) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (SIDES.includes(key)) event.shiftKey ? prefer(key) : play(key);
  else if (/^[1-5]$/.test(key)) current ? grade(current, Number(key)) : say("Play A or B first.");
  else if (key === "0") prefer("none");
  else if (key === "n") next();
  else if (key === "p") back();
  else return;
  event.preventDefault();
}

function build() {
  document.title = `${data.title}: listen and rate`;
  $("n-pairs").textContent = String(data.pairs.length);
  $("note").textContent = data.note;
  $("note").hidden = !data.note;
  for (const side of SIDES) {
    for (const [value, word] of GRADES) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      const meaning = document.createElement("span");
      Object.assign(input, { type: "radio", name: `grade-${side}`, value: String(value) });
      meaning.textContent = word;
      label.append(input, String(value), meaning);
      $(`grades-${side}`).append(label);
      input.addEventListener("change", () => grade(side, value));
    }
    $(`audio-${side}`).addEventListener("play", () => played(side));
  }
  for (const input of document.getElementsByName("preferred")) {
    input.addEventListener("change", () => prefer(input.value));
  }
  $("next").addEventListener("click", next);
  $("back").addEventListener("click", back);
  $("download").addEventListener("click", download);
  $("again").addEventListener("click", () => { state = fresh(); save(); begin(); });
  $("begin").addEventListener("click", () => {
    state.listener = $("listener").value.trim();
    state.begun = true;
    save();
    showTrial();
  });
  document.addEventListener("keydown", pressed);
}

function begin() {
  arrange();
  $("listener").value = state.listener;
  if (!state.begun) show("start");
  else if (state.at < trials.length) showTrial();
  else send().then(showEnd);
}

build();
state = load();
begin();
