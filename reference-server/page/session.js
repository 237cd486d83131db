// Connections: following, failing, waiting, polling.

const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30000;
const MAX_TRIES = 10;
const STALLS_AFTER = 15000;
const POLL_EVERY = 2000;
// A connection that lived this long was a good one: the next failure begins the delays anew.
const GOOD_LIFE = 5000;
// Servers end event streams from time to time. After such an end the next one begins at once,
// unless ends follow each other faster than this.
const SHORTEST_TURN = 1000;

/** An answer that is not the stream. */
class Refusal extends Error {
  static async of(response) {
    const problem = await response.json().catch(() => ({}));
    const refusal = new Refusal(problem.detail ?? problem.title ?? `the server answers ${response.status}`);
    const { status } = response;
    refusal.isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
    if (status === 404) refusal.message = "there is no such stream";
    if (status === 410) refusal.message = "the stream was deleted";
    return refusal;
  }
}

/** Follows one source until it is closed or stopped. */
class Session {
  constructor(source) {
    this.source = source;
    this.stopping = new AbortController();
    this.isPolling = false;
    this.hurry = () => {};
  }

  get isStopped() {
    return this.stopping.signal.aborted;
  }

  stop() {
    this.stopping.abort();
    this.hurry();
  }

  async run() {
    let tries = 0;
    while (!this.isStopped) {
      const { lived, error } = await this.connectOnce();
      if (this.isStopped) return;
      if (this.source.closed) return light("closed", "the stream is closed");
      if (lived >= GOOD_LIFE) tries = 0;
      if (lived >= SHORTEST_TURN && !error) continue;
      const reason = error instanceof Refusal ? error.message : "not connected";
      if (error?.isFinal || tries === MAX_TRIES) {
        this.say("lost", error?.isFinal ? reason : `${reason}: gave up after ${MAX_TRIES} tries`);
        await new Promise((resolve) => { this.hurry = resolve; });
        tries = 0;
        continue;
      }
      const delay = Math.min(FIRST_DELAY * 2 ** tries, LONGEST_DELAY);
      tries += 1;
      this.say("waiting", `${reason}: try ${tries} of ${MAX_TRIES} in ${delay / 1000} s`);
      if (await this.pause(delay)) tries = 0;
    }
  }

  /** How long a connection gave events, in milliseconds, and why it ended, unless it ended cleanly. */
  async connectOnce() {
    const connection = new AbortController();
    const cut = () => connection.abort();
    this.stopping.signal.addEventListener("abort", cut, { once: true });
    let timer;
    const watch = (onStall) => {
      clearTimeout(timer);
      timer = setTimeout(onStall, STALLS_AFTER);
    };
    const onStall = () => {
      connection.abort();
      if (this.source.pollUrl) this.poll();
    };
    let began;
    let error;
    try {
      this.say("connecting", "connecting");
      watch(onStall);
      await this.source.prepare(connection.signal);
      const headers = { Accept: "text/event-stream" };
      const response = await fetch(this.source.url, { headers, cache: "no-store", signal: connection.signal });
      if (!response.ok) throw await Refusal.of(response);
      // A stream is silent as long as nothing is written to it; a log has a heartbeat.
      const heartbeats = this.source.pollUrl !== undefined;
      if (!heartbeats) {
        clearTimeout(timer);
        this.say("live", "connected");
      }
      this.source.begin(response);
      for await (const event of eventsOf(response.body)) {
        if (this.isStopped) break;
        began ??= performance.now();
        if (heartbeats) {
          watch(onStall);
          this.isPolling = false;
          this.say("live", "connected");
        }
        this.source.take(event);
        if (this.source.closed) break;
      }
    } catch (failure) {
      error = failure;
    } finally {
      clearTimeout(timer);
      connection.abort();
      this.stopping.signal.removeEventListener("abort", cut);
    }
    return { lived: began === undefined ? 0 : performance.now() - began, error };
  }

  /** Waits; true where the user would not. */
  pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      this.hurry = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /** Asks for the newest entries again and again while no events come. */
  async poll() {
    if (this.isPolling) return;
    this.isPolling = true;
    const signal = this.stopping.signal;
    while (this.isPolling && !this.isStopped) {
      try {
        const response = await fetch(this.source.pollUrl, { cache: "no-store", signal });
        if (!response.ok) throw await Refusal.of(response);
        const payload = await response.json();
        if (!this.isPolling || this.isStopped) return;
        this.source.merge(payload, true);
        light("polling", `no events come: asking every ${POLL_EVERY / 1000} s`);
      } catch {
        if (this.isStopped) return;
        light("lost", "not connected: neither events nor answers come");
      }
      await new Promise((resolve) => { setTimeout(resolve, POLL_EVERY); });
    }
  }

  /** While polling, the light tells of that. */
  say(state, text) {
    if (!this.isPolling && !this.isStopped) light(state, text);
  }
}
