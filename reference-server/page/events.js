// Server-sent events, read from the body of a response.

/** Reads server-sent events from the body of a response: objects of name and data. */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let unread = "";
  let name = "";
  let data = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    // A CR at the very end may be half of a CRLF: it waits for what follows.
    const found = (unread + value).split(/\r\n|\n|\r(?!$)/);
    unread = found.pop();
    for (const line of found) {
      if (line === "") {
        if (data.length) yield { name: name || "message", data: data.join("\n") };
        name = "";
        data = [];
        continue;
      }
      const [, field, content] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
      if (field === "event") name = content ?? "";
      if (field === "data") data.push(content ?? "");
    }
  }
}
