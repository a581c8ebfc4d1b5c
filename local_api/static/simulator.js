// The simulator page: sends what a hand would do, and shows what the node says. All words come from the node.
"use strict";

const SILENT_MS = 5000; // the node speaks at least every two seconds
const HOLD_FROM_MS = 700; // a finger that stays longer holds the button
const HOLD_MAX_S = 60;
const SCORE_EVERY_MS = 1000;
const REFUSAL_SHOWN_MS = 8000;
const WAYS = {
  plain: { bounces: 0, hold_s: 0.1 },
  bounce: { bounces: 10, hold_s: 0.1 },
  hold: { bounces: 0, hold_s: 3 },
};

const page = document.getElementById("simulator");
const stale = document.getElementById("stale");
const city = page.querySelector(".city");
const panels = new Map([...page.querySelectorAll("[data-device]")].map((card) => [card.dataset.device, card]));

function setText(element, text) {
  // Only what changed: a screen reader would repeat the rest.
  if (element.textContent !== text) element.textContent = text;
}

async function send(url, body, card) {
  const shown = card.querySelector("[data-refused]");
  shown.hidden = true;
  let problem = page.dataset.failed;
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) return;
    problem = (await answer.json()).detail;
  } catch (error) {
    console.warn(error);
  }
  shown.textContent = problem;
  shown.hidden = false;
  setTimeout(() => { shown.hidden = true; }, REFUSAL_SHOWN_MS);
}

// ---- what a hand does ----

function press(card, key, heldMs) {
  const way = { ...WAYS[card.querySelector(".choice input:checked").value] };
  if (heldMs >= HOLD_FROM_MS) way.hold_s = Math.min(heldMs / 1000, HOLD_MAX_S);
  send(`${card.dataset.url}/press`, { button: Number(key.dataset.button), ...way }, card);
}

for (const card of panels.values()) {
  for (const key of card.querySelectorAll(".key")) {
    let downAt = null;
    key.addEventListener("pointerdown", () => { downAt = performance.now(); });
    key.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is a hold here
    key.addEventListener("click", () => {
      press(card, key, downAt === null ? 0 : performance.now() - downAt);
      downAt = null;
    });
  }
  const plug = card.querySelector("[data-plug]");
  plug.addEventListener("click", () => {
    send(`${card.dataset.url}/${card.classList.contains("unplugged") ? "plug" : "unplug"}`, {}, card);
  });
}

for (const choice of city.querySelectorAll("input[name=city]")) {
  choice.addEventListener("change", () => send("/api/v1/simulate/city", { state: choice.value }, city));
}

// ---- what the node says ----

function showPanel(state) {
  const card = panels.get(state.id);
  if (card === undefined) return;
  card.dataset.light = state.light ?? "";
  card.classList.toggle("unplugged", !state.plugged);
  card.classList.toggle("unavailable", !state.available);
  for (const lamp of card.querySelectorAll("[data-lamp]")) {
    lamp.hidden = !(lamp.dataset.lamp in state.lamps);
    lamp.classList.toggle("lit", Boolean(state.lamps[lamp.dataset.lamp]));
  }
  for (const key of card.querySelectorAll(".key")) {
    key.classList.toggle("down", state.pressed.includes(Number(key.dataset.button)));
  }
  setText(card.querySelector("[data-state]"), state.text);
  setText(card.querySelector("[data-plug]"), state.plugged ? page.dataset.unplug : page.dataset.plug);
  card.querySelector("[data-wire]").hidden = state.frames.length === 0;
  setText(card.querySelector("[data-frames]"), state.frames.join("\n"));
}

function showNews(events) {
  const list = page.querySelector("[data-news]");
  const ids = events.map((event) => event.id).join(" ");
  if (events.length === 0 || list.dataset.ids === ids) return;
  list.dataset.ids = ids;
  list.replaceChildren(...events.map((event) => {
    const item = document.createElement("li");
    const time = document.createElement("time");
    const text = document.createElement("span");
    time.textContent = event.time;
    text.textContent = event.text;
    item.append(time, text);
    return item;
  }));
}

function showState(state) {
  state.devices.forEach(showPanel);
  showNews(state.events);
  setText(city.querySelector("[data-outbox]"), state.outbox);
  const choice = city.querySelector(`input[name=city][value="${state.city}"]`);
  if (choice !== null) choice.checked = true;
  showAlarm(state.ready ? "" : state.ready_text);
}

function showAlarm(text, { old = false } = {}) {
  setText(stale, text);
  stale.hidden = text === "";
  document.body.classList.toggle("old", old);
}

function showScore(score) {
  const count = city.querySelector(".count");
  const number = city.querySelector("[data-n]");
  city.querySelector("[data-score]").setAttribute("aria-busy", "false");
  setText(city.querySelector("[data-n-text]"), score.text);
  setText(document.querySelector("[data-tally]"), score.reachable ? String(score.n) : "–");
  setText(document.querySelector("[data-tally-text]"), score.text);
  if (!score.reachable) {
    setText(number, "–");
    for (const part of city.querySelectorAll("[data-figures]")) part.hidden = true;
    city.querySelector("[data-notes]").replaceChildren();
    return;
  }
  if (score.n > Number(number.textContent)) {
    count.classList.remove("grown");
    void count.offsetWidth; // starts the animation again
    count.classList.add("grown");
  }
  setText(number, String(score.n));
  setText(city.querySelector("[data-rate]"), score.rate);
  for (const part of city.querySelectorAll("[data-figures]")) part.hidden = false;
  for (const level of score.levels) {
    const row = city.querySelector(`[data-level="${level.level}"]`);
    setText(row.querySelector("[data-figure]"), String(level.n));
    row.querySelector(".bar").style.width = `${100 * level.share}%`;
  }
  city.querySelector("[data-notes]").replaceChildren(...score.notes.map((note) => {
    const item = document.createElement("li");
    item.textContent = note;
    return item;
  }));
}

// ---- the two lines to the node ----

let heardAt = performance.now();
let stream = null;

function listen() {
  stream = new EventSource(page.dataset.stream);
  stream.addEventListener("state", (event) => {
    heardAt = performance.now();
    showState(JSON.parse(event.data));
  });
}

function watch() {
  if (performance.now() - heardAt > SILENT_MS) {
    showAlarm(stale.dataset.lost, { old: true });
    // A browser gives up for good after some errors (a 503, for one): then start anew.
    if (stream.readyState === EventSource.CLOSED) listen();
  }
}

async function readScore() {
  try {
    const answer = await fetch(page.dataset.scoreboard);
    if (answer.ok) showScore(await answer.json());
  } catch (error) {
    console.warn(error); // the stream's own silence is already shown
  }
  setTimeout(readScore, SCORE_EVERY_MS);
}

listen();
readScore();
setInterval(watch, 1000);
