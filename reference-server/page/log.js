// A log: what its events mean, and which of its entries are new after a cut.

class LogSource {
  constructor(scope, { jobId, step, level }) {
    this.scope = scope;
    this.jobId = jobId;
    this.query = new URLSearchParams({ scope, level, limit: scope === "job" ? "1000" : "500" });
    if (scope === "job") this.query.set("job_id", jobId);
    if (scope === "job" && step) this.query.set("step", step);
    this.lastSequence = -1;
    this.isFirst = true;
  }

  get name() {
    return "log";
  }

  get url() {
    return `/api/logs/stream?${this.query}`;
  }

  /** Where the same entries can be had without an event stream. */
  get pollUrl() {
    return `/api/logs?${this.query}`;
  }

  async prepare(signal) {
    if (this.scope !== "job") return;
    const response = await fetch(`/api/jobs/${encodeURIComponent(this.jobId)}/status`, { cache: "no-store", signal });
    if (response.ok) showStatus(await response.json());
  }

  begin() {
    this.isFirst = true;
  }

  take({ name, data }) {
    if (name === "logs") {
      this.merge(JSON.parse(data), this.isFirst);
      this.isFirst = false;
    } else if (name === "status") {
      showStatus(JSON.parse(data));
    }
  }

  /** Adds the entries that are new; a first batch or a poll also brings those already shown. */
  merge({ logs, meta }, mayRepeat) {
    const newest = logs.at(-1)?.sequence;
    if (mayRepeat && newest !== undefined && newest < this.lastSequence) {
      lines.note("The server began anew.");
      this.lastSequence = -1;
    }
    const fresh = logs.filter((entry) => entry.sequence > this.lastSequence);
    if (mayRepeat && this.lastSequence >= 0 && fresh.length === logs.length && meta.has_more) {
      lines.note("Some lines may be missing here: more came than are sent at once.");
    }
    if (meta.dropped > 0) {
      lines.note(`The server let up to ${meta.dropped} lines go before they were read here.`);
    }
    if (fresh.length === 0) return;
    this.lastSequence = fresh.at(-1).sequence;
    lines.add(fresh.map(({ timestamp, level, step_name, message }) =>
      ({ time: timestamp, level, step: step_name, text: message })));
  }
}

function showStatus({ job, steps = [] }) {
  const parts = [`job ${job.id}: ${job.status}`, ...steps.map((step) => `${step.name || step.id} ${step.status}`)];
  byId("job").value = parts.join(" · ");
}
