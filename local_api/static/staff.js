// The staff's page stays true by itself: what the node says is put in its place. All words come from the node.
"use strict";

const SILENT_MS = 5000; // the node speaks at least every two seconds

const page = document.getElementById("staff");
const stale = document.getElementById("stale");
const notices = document.getElementById("notices");

function setText(element, text) {
  // Only what changed: a chart is drawn again when its table changes.
  if (element.textContent !== text) element.textContent = text;
}

function at(state, path) {
  return path.split(".").reduce((part, name) => part[name], state);
}

function showNotices(state) {
  const told = JSON.stringify(state.notices);
  if (notices.dataset.told === told) return;
  notices.dataset.told = told;
  notices.className = state.fine ? "calm" : "alarm";
  if (state.fine) {
    const calm = document.createElement("p");
    calm.textContent = notices.dataset.fine;
    notices.replaceChildren(calm);
    return;
  }
  const list = document.createElement("ul");
  list.append(...state.notices.map((notice) => {
    const item = document.createElement("li");
    const what = document.createElement("strong");
    const why = document.createElement("span");
    what.textContent = `${notice.what}.`;
    why.textContent = notice.why;
    if (notice.vietnamese) why.lang = "vi";
    item.append(what, " ", why, ` ${notice.todo}`);
    return item;
  }));
  notices.replaceChildren(list);
}

function showRows(body, bars) {
  while (body.rows.length > bars.length) body.deleteRow(-1);
  const columns = body.closest("table").tHead.rows[0].cells.length;
  bars.forEach((bar, index) => {
    let row = body.rows[index];
    if (row === undefined) {
      row = body.insertRow();
      const head = document.createElement("th");
      head.scope = "row";
      row.append(head);
      while (row.cells.length < columns) row.insertCell();
    }
    showCell(row.cells[0], bar.title, "label", bar.label);
    showCell(row.cells[1], bar.n_text, "value", body.dataset.rows === "days" && bar.n === 0 ? "" : String(bar.n));
    if (columns > 2) showCell(row.cells[2], bar.rate_text, "value", bar.rate_percent);
  });
}

function showCell(cell, text, name, value) {
  setText(cell, text);
  if (cell.dataset[name] !== value) cell.dataset[name] = value;
}

function show(state) {
  if (state.shape !== page.dataset.shape) return location.reload(); // other counters or devices: a new page
  for (const element of document.querySelectorAll("[data-say]")) setText(element, at(state, element.dataset.say));
  for (const element of document.querySelectorAll("[data-shown]")) element.hidden = at(state, element.dataset.shown) === "";
  for (const bar of document.querySelectorAll("[data-bar]")) {
    const part = at(state, bar.dataset.bar);
    bar.setAttribute("x", part.start);
    bar.setAttribute("width", part.width);
  }
  for (const row of document.querySelectorAll("[data-device]")) {
    const device = at(state, row.dataset.device);
    row.classList.toggle("needs", device.needs);
    const todo = row.querySelector(".todo");
    if (device.vietnamese) todo.lang = "vi";
    else todo.removeAttribute("lang");
  }
  for (const body of document.querySelectorAll("[data-rows]")) showRows(body, state[body.dataset.rows]);
  showNotices(state);
}

// ---- the line to the node ----

let heardAt = performance.now();
let heardTime = page.dataset.time;
let stream = null;

function showStale(isStale) {
  setText(stale, isStale ? stale.dataset.lost.replace("{time}", heardTime) : "");
  stale.hidden = !isStale;
  document.body.classList.toggle("old", isStale);
}

function listen() {
  stream = new EventSource(page.dataset.stream);
  stream.addEventListener("state", (event) => {
    const state = JSON.parse(event.data);
    heardAt = performance.now();
    heardTime = state.time;
    showStale(false);
    show(state);
  });
}

listen();
setInterval(() => {
  if (performance.now() - heardAt <= SILENT_MS) return;
  showStale(true);
  // A browser gives up for good after some errors (a 503, for one): then start anew.
  if (stream.readyState === EventSource.CLOSED) listen();
}, 1000);
