// A stream: what its events mean, and from where to go on after a cut.

const MAX_ROW_CHARACTERS = 20000;

const streamRoot = document.querySelector('meta[name="stream-root"]').content;

class StreamSource {
  constructor(path, offset) {
    this.path = [streamRoot, ...path.split("/").map(encodeURIComponent)].join("/");
    this.offset = offset;
    this.cursor = undefined;
    this.closed = false;
    this.contentType = undefined;
    this.unfinishedRow = undefined;
  }

  get name() {
    return "stream";
  }

  /** What kind of content is to come is only said outside of the event stream. */
  async prepare(signal) {
    if (this.contentType !== undefined) return;
    const response = await fetch(this.path, { method: "HEAD", cache: "no-store", signal });
    if (!response.ok) throw await Refusal.of(response);
    const [essence] = (response.headers.get("Content-Type") ?? "").split(";");
    this.contentType = essence.trim().toLowerCase();
  }

  get url() {
    const query = new URLSearchParams();
    if (this.cursor !== undefined) query.set("cursor", this.cursor);
    query.set("live", "sse");
    query.set("offset", this.offset);
    return `${this.path}?${query}`;
  }

  begin(response) {
    this.isBase64 = response.headers.get("Stream-SSE-Data-Encoding") === "base64";
    this.uncontrolled = [];
  }

  /** Data counts once a control event says where it ends: what a cut leaves without one comes again. */
  take({ name, data }) {
    if (name === "data") {
      this.uncontrolled.push(data);
    } else if (name === "control") {
      const control = JSON.parse(data);
      for (const text of this.uncontrolled.splice(0)) this.show(text);
      this.offset = control.streamNextOffset;
      this.cursor = control.streamCursor ?? this.cursor;
      this.closed = control.streamClosed === true;
    }
  }

  show(data) {
    if (this.isBase64) {
      lines.add([{ text: hexOf(data) }]);
    } else if (this.contentType === "application/json") {
      lines.add(elementsOf(data).map((text) => ({ text })));
    } else {
      this.showText(data);
    }
  }

  /** Text comes in pieces that know nothing of lines: the last row goes on until its line ends. */
  showText(text) {
    const [first, ...rows] = text.split(/\r?\n/);
    const cell = this.unfinishedRow?.isConnected ? this.unfinishedRow.lastElementChild : undefined;
    if (cell && cell.textContent.length < MAX_ROW_CHARACTERS) {
      cell.append(first);
    } else {
      rows.unshift(first);
    }
    if (rows.length === 0) return lines.toNewest();
    const endsLine = rows.at(-1) === "";
    if (endsLine) rows.pop();
    const last = lines.add(rows.map((row) => ({ text: row })));
    this.unfinishedRow = endsLine ? undefined : last;
  }
}

/** The elements of a JSON array as they are written, so that no number loses digits. */
function elementsOf(json) {
  if (!json.trimStart().startsWith("[")) return [json];
  const elements = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},]/gs)) {
    if (token === "[" || token === "{") {
      if (++depth === 1) start = index + 1;
    } else if (token === "]" || token === "}") {
      if (--depth === 0) elements.push(json.slice(start, index).trim());
    } else if (token === "," && depth === 1) {
      elements.push(json.slice(start, index).trim());
      start = index + 1;
    }
  }
  return elements.filter((element) => element !== "");
}

function hexOf(base64) {
  const bytes = atob(base64.replace(/[\r\n]/g, ""));
  const shown = [...bytes.slice(0, 64)].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, "0"));
  return `${bytes.length} bytes: ${shown.join(" ")}${bytes.length > 64 ? " …" : ""}`;
}
