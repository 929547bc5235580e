// Keeps a page up to date: elements that come over the stream say how those of the same id look now. Nothing else on a
// page needs a script.
"use strict";

const live = document.querySelector("[data-live]");
const announce = document.getElementById("announce");
const connection = document.getElementById("connection");

// Running events count their seconds on, from what the server said when they came.
const clocks = new WeakMap();

function lasted(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

function tick() {
  const now = performance.now();
  for (const element of document.querySelectorAll("[data-runs]")) {
    if (!clocks.has(element)) clocks.set(element, now - 1000 * Number(element.dataset.runs));
    element.textContent = lasted((now - clocks.get(element)) / 1000);
  }
}

// The status that a part of the page shows, if it shows one.
function status(part) {
  const state = part.matches(".state") ? part : part.querySelector(".state");
  return state?.querySelector(".badge")?.textContent;
}

// Makes `old` look like `fresh`. Elements that stay are changed in place, so that focus, selection and scroll positions
// stay as well; whoever is about to press a button must not lose it to one that looks the same.
function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName) { old.replaceWith(fresh); return; }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) === value) continue;
    old.setAttribute(name, value);
    if (name === "data-runs") clocks.delete(old);
  }
  // An element with an id is only ever the one with that id: a link that leads elsewhere must not take its place.
  let next = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    let same = next && !next.id && !child.id ? next : null;
    if (child.id) for (same = next; same && same.id !== child.id;) same = same.nextSibling;
    if (!same) { old.insertBefore(child, next); continue; }
    while (next !== same) next = removed(next);
    next = next.nextSibling;
    morph(same, child);
  }
  while (next) next = removed(next);
}

function removed(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

// A new entry of a list goes before the others; as many stay as the list keeps.
function prepend(element) {
  const list = document.getElementById(element.dataset.into);
  if (!list) return;
  list.prepend(element);
  while (list.children.length > Number(list.dataset.keep)) list.lastElementChild.remove();
}

function patch(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  // Cells come in a table, since there are none elsewhere.
  const parts = [...template.content.children].flatMap(
    (part) => part.matches("table") ? [...part.querySelectorAll("td")] : [part]);
  const focused = document.activeElement;
  // What stands below must not jump under whoever reads it: the status may grow, but it does not shrink.
  const above = document.getElementById("status");
  if (above) above.style.minHeight = `${above.offsetHeight}px`;
  for (const element of parts) {
    const old = document.getElementById(element.id);
    if (!old) {
      if (element.dataset.into) prepend(element);
      continue;
    }
    const said = status(old);
    const says = status(element);
    if (says && announce && said !== says) announce.textContent = `${announce.dataset.what} is now: ${says}`;
    morph(old, element);
  }
  // What had the focus is gone, a button that can no longer be pressed for instance: it goes on from where that was.
  if (focused && !focused.isConnected) document.getElementById("main").focus({ preventScroll: true });
  tick();
}

// Characters of one hook's output on a page; what is longer loses its beginning, so that a flood does not slow it down.
const PRINTED_MAX = 1 << 18;

function print(output, text) {
  const find = output.dataset.find?.toLowerCase();
  for (const part of find ? text.split(/(\n)/) : [text]) {
    const mark = find && part.toLowerCase().includes(find) ? document.createElement("mark") : null;
    mark?.append(part);
    output.append(mark ?? part);
  }
  let length = output.textContent.length;
  while (length > PRINTED_MAX && output.childNodes.length > 1) {
    length -= output.firstChild.textContent.length;
    output.firstChild.remove();
    output.closest("section").querySelector(".cut").hidden = false;
  }
}

if (live && window.EventSource) {
  const stream = new EventSource(live.dataset.live);
  stream.addEventListener("open", () => { connection.hidden = true; live.dataset.connected = "yes"; });
  stream.addEventListener("error", () => { connection.hidden = false; });
  stream.addEventListener("patch", (event) => patch(event.data));
  stream.addEventListener("reload", () => { stream.close(); location.reload(); });
  stream.addEventListener("append", (event) => {
    const { id, text } = JSON.parse(event.data);
    const output = document.getElementById(id);
    if (!output) return;
    // Whoever reads further up is not moved.
    const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 40;
    output.closest("section").hidden = false;
    print(output, text);
    if (atEnd) output.scrollTop = output.scrollHeight;
  });
  stream.addEventListener("over", () => { stream.close(); live.dataset.connected = "over"; });
  addEventListener("pagehide", () => stream.close());
}
if (document.querySelector("[data-runs]") || live) {
  tick();
  setInterval(tick, 500);
}
