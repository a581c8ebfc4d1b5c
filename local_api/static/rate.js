// The touch page. A touch is sent with a key of its own until the node answers; nobody is thanked before that. What was
// touched is not marked any longer than the finger needs to feel it: whoever stands beside it could read it.
"use strict";

const READY_EVERY_MS = 3000;
const ANSWER_MS = 5000; // longer than this is no answer: ask again with the same key
const RETRY_MS = 1000;
const SLOW_MS = 400; // until then the pressed tile is answer enough
const LATE_MS = 5000; // then somebody in the hall should know
const GIVE_UP_MS = 60000; // later than this it would count for a moment that is long over
const FAILED_MS = 8000;
const THANKS_MS = 2500; // at the least
const DOWN_MS = 180;
const FORGET_MS = 60000; // language and reach go back for the next person
const PASSING = new Set([408, 425, 429]); // besides 5xx: try again

const html = document.documentElement;
const page = document.getElementById("rate");
const tiles = [...page.querySelectorAll("[data-level]")];
const counter = page.dataset.counter;
const correctionMs = Number(page.dataset.correctionS) * 1000;
const lockoutMs = Number(page.dataset.lockoutS) * 1000;

let state = "starting"; // starting, question, sending, late, failed, thanks, done, away
let ready = false;
let missed = 0;
let sending = null; // the level that is on its way
let newest = null; // what was touched after it: the newest word counts
let act = null; // the answer that may still be corrected: its level, since when at the latest, and when that was known
let timer = 0;

function become(next) {
  state = next;
  document.body.dataset.state = next;
}

function after(ms, then) {
  clearTimeout(timer);
  timer = setTimeout(then, ms);
}

function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}

function newKey() {
  // Not randomUUID: that needs https, and a kiosk on the hall's network may have none.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- what a citizen touched ----

function touch(level) {
  flash(level);
  if (sending !== null) {
    if (state !== "late" && level !== (newest ?? sending)) newest = level;
    return;
  }
  if (state === "question" || (state === "thanks" && level !== act.level)) send(level);
}

async function send(level) {
  clearTimeout(timer);
  sending = level;
  const since = performance.now();
  const outcome = await deliver({ level, key: newKey(), since });
  sending = null;
  if (outcome !== "kept") {
    newest = null;
    become("failed");
    // Refused: the node answers, and knows another site file than this page, which is fetched anew.
    after(FAILED_MS, outcome === "refused" ? () => location.reload() : settle);
    return;
  }
  act = act === null ? { level, since, known: performance.now() } : { ...act, level };
  const next = newest;
  newest = null;
  if (next !== null && next !== level && correctionLeft() > 0) send(next);
  else thank();
}

// The same key until there is an answer, so that it counts once whatever was lost on the way.
async function deliver(rating) {
  const timers = [setTimeout(() => become("sending"), SLOW_MS), setTimeout(() => become("late"), LATE_MS)];
  let outcome = "unknown";
  while (outcome === "unknown" && performance.now() - rating.since < GIVE_UP_MS) {
    outcome = await ask(rating);
    if (outcome === "unknown") await pause(RETRY_MS);
  }
  timers.forEach(clearTimeout);
  return outcome;
}

async function ask({ level, key }) {
  try {
    const answer = await fetch("/api/v1/ratings", {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key },
      body: JSON.stringify({ counter, level, ticket: null }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (answer.status === 201) return "kept";
    return answer.status < 400 || answer.status >= 500 || PASSING.has(answer.status) ? "unknown" : "refused";
  } catch {
    return "unknown"; // no answer: it may or may not be kept
  }
}

// ---- thanks, and the time to correct ----

function correctionLeft() {
  return act.since + correctionMs - performance.now();
}

function thank() {
  document.activeElement?.blur(); // the outline would stay on what was chosen
  if (correctionLeft() < 1000) {
    done();
    return;
  }
  become("thanks");
  countDown();
}

function countDown() {
  const left = correctionLeft();
  if (left <= 0) {
    done();
    return;
  }
  const seconds = String(Math.ceil(left / 1000));
  for (const place of page.querySelectorAll("[data-seconds]")) {
    if (place.textContent !== seconds) place.textContent = seconds;
  }
  after(100, countDown);
}

// Thanks stay while the node would not count another press: nobody's answer is dropped in silence.
function done() {
  become("done");
  after(Math.max(THANKS_MS, act.known + correctionMs + lockoutMs - performance.now()), settle);
}

function settle() {
  clearTimeout(timer);
  act = null;
  become(ready ? "question" : "away");
}

// ---- whether presses are taken ----

async function watch() {
  try {
    const answer = await fetch("/readyz", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    missed = answer.ok ? 0 : 2; // it says itself that it takes none
  } catch {
    missed += 1; // one lost answer is no outage
  }
  ready = missed === 0 || (ready && missed < 2);
  if (state === "starting" || (state === "question" && !ready) || (state === "away" && ready)) settle();
  setTimeout(watch, READY_EVERY_MS);
}

// ---- hands ----

function flash(level) {
  const tile = tiles.find((one) => Number(one.dataset.level) === level);
  tile.classList.add("down");
  setTimeout(() => tile.classList.remove("down"), DOWN_MS);
}

for (const tile of tiles) {
  const level = Number(tile.dataset.level);
  let finger = null;
  // By the finger's own going down and up: a long touch ends without a click.
  tile.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    finger = event.pointerId;
    tile.setPointerCapture(finger);
    tile.classList.add("down");
  });
  tile.addEventListener("pointerup", (event) => {
    if (finger !== event.pointerId) return;
    finger = null;
    tile.classList.remove("down");
    if (tile.contains(document.elementFromPoint(event.clientX, event.clientY))) touch(level);
  });
  tile.addEventListener("pointercancel", () => {
    finger = null;
    tile.classList.remove("down");
  });
  tile.addEventListener("click", (event) => { if (event.detail === 0) touch(level); }); // Enter, Space, a screen reader
}

addEventListener("keydown", (event) => {
  forgetLater();
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1] ?? /^[1-9]$/.exec(event.key)?.[0];
  if (digit === undefined || Number(digit) > tiles.length) return;
  event.preventDefault();
  touch(Number(digit));
});

// ---- language and reach: for one person, then as before ----

let forgetting = 0;

function forgetLater() {
  clearTimeout(forgetting);
  forgetting = setTimeout(() => {
    speak("vi");
    reach("alwaysLow" in page.dataset);
  }, FORGET_MS);
}

function speak(language) {
  html.lang = language;
}

function reach(low) {
  document.body.classList.toggle("low", low);
  document.querySelector("[data-reach]").setAttribute("aria-pressed", String(low));
}

document.querySelector("[data-language]").addEventListener("click", () => speak(html.lang === "vi" ? "en" : "vi"));
document.querySelector("[data-reach]").addEventListener("click", () => reach(!document.body.classList.contains("low")));
addEventListener("pointerdown", forgetLater);
addEventListener("contextmenu", (event) => event.preventDefault());

// ---- a kiosk's screen stays on ----

async function stayAwake() {
  try {
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
  } catch {
    return; // refused on battery, or the page is not on https: the kiosk's own settings do it
  }
}

document.addEventListener("visibilitychange", stayAwake);
stayAwake();
if (html.lang !== "vi") forgetLater();
watch();
