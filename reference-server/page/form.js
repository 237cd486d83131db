// The form, the buttons, and the address of the page.

const choice = byId("choice");
let session;

function sourceOf(values) {
  const value = (name) => (values.get(name) ?? "").trim();
  if (value("source") !== "stream") {
    if (value("source") === "job" && !value("job_id")) throw new Error("a job id is needed");
    return new LogSource(value("source"), { jobId: value("job_id"), step: value("step"), level: value("level") });
  }
  const path = value("path").replace(/^\/+/, "");
  if (!path) throw new Error("the path of a stream is needed");
  if (path.split("/").some((segment) => segment === "." || segment === "..")) {
    throw new Error("the path cannot have . or .. in it");
  }
  return new StreamSource(path, value("offset"));
}

function follow() {
  stop();
  lines.clear();
  byId("job").value = "";
  const values = new URLSearchParams(new FormData(choice));
  let source;
  try {
    source = sourceOf(values);
  } catch (error) {
    light("idle", error.message);
    return;
  }
  history.replaceState(null, "", `#${values}`);
  document.title = `${values.get("path") || values.get("job_id") || "service"} (${source.name})`;
  session = new Session(source);
  session.run();
}

function stop() {
  session?.stop();
  session = undefined;
  light("idle", "not following");
}

/** Shows, and sends, only the fields that the chosen source has. */
function offerFields() {
  const source = choice.elements.source.value;
  for (const label of choice.querySelectorAll("[data-for]")) {
    label.hidden = !label.dataset.for.split(" ").includes(source);
    label.querySelector("input, select").disabled = label.hidden;
  }
}

choice.addEventListener("submit", (event) => {
  event.preventDefault();
  follow();
});
choice.elements.source.addEventListener("change", offerFields);
for (const name of ["level", "step"]) {
  choice.elements[name].addEventListener("change", () => { if (session) follow(); });
}
byId("stop").addEventListener("click", stop);
byId("clear").addEventListener("click", () => lines.clear());
byId("again").addEventListener("click", () => session?.hurry());
addEventListener("online", () => session?.hurry());
byId("scroll").addEventListener("change", () => lines.toNewest());
lines.box.addEventListener("scroll", () => {
  const { scrollTop, clientHeight, scrollHeight } = lines.box;
  if (scrollHeight - scrollTop - clientHeight > 4) byId("scroll").checked = false;
});
new ResizeObserver(() => lines.toNewest()).observe(lines.box);

byId("root").textContent = `${streamRoot}/`;
// The address of the page remembers what was followed.
for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
  if (choice.elements[name] instanceof HTMLElement) choice.elements[name].value = value;
}
offerFields();
if (location.hash.length > 1) follow();
