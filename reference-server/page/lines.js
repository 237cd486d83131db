"use strict";

// What is shown: the lines and the light.

const MAX_LINES = 1000;

const byId = (id) => document.getElementById(id);

const lines = {
  box: byId("lines"),
  gone: 0,

  add(rows) {
    const kept = rows.slice(-MAX_LINES);
    this.gone += rows.length - kept.length;
    const fragment = document.createDocumentFragment();
    for (const row of kept) fragment.append(rowElement(row));
    this.box.append(fragment);
    const excess = this.box.childElementCount - MAX_LINES;
    for (let i = 0; i < excess; i++) this.box.firstElementChild.remove();
    this.gone += Math.max(excess, 0);
    this.shown();
    return this.box.lastElementChild;
  },

  note(text) {
    this.add([{ note: true, text }]);
  },

  clear() {
    this.box.replaceChildren();
    this.gone = 0;
    this.shown();
  },

  shown() {
    const held = this.box.childElementCount;
    byId("count").value = `${held} ${held === 1 ? "line" : "lines"}` + (this.gone ? `, ${this.gone} older let go` : "");
    this.toNewest();
  },

  toNewest() {
    if (byId("scroll").checked) this.box.scrollTop = this.box.scrollHeight;
  },
};

function rowElement({ time, level, step, text, note }) {
  const row = document.createElement("div");
  row.className = note ? "row note" : "row";
  const cell = (className, content) => {
    const span = document.createElement("span");
    span.className = className;
    span.textContent = content;
    row.append(span);
  };
  if (time !== undefined) cell("time", time);
  if (level !== undefined) cell(`level ${/^[a-z]+$/.test(level) ? level : ""}`, level);
  if (step) cell("step", step);
  cell("text", text);
  return row;
}

function light(state, text) {
  const element = byId("light");
  element.dataset.state = state;
  element.textContent = text;
  byId("stop").hidden = state === "idle" || state === "closed";
  byId("again").hidden = state !== "waiting" && state !== "lost" && state !== "polling";
}
