// One file on its way to the server: begun or found again, sent in pieces with checksums, finished with the whole file's SHA-256.

const PAUSES = [1, 2, 5, 10, 20, 30, 60]; // seconds between attempts

/** Something that trying again does not mend. */
export class Refused extends Error {}

/** Sends one file. `progress(bytes)` is called while bytes go out, `state(word)` when something changes. */
export class Transfer {
  /** `insteadOf`: id of the file of the draft that it replaces. */
  constructor(dataset, file, name, { progress, state, insteadOf }) {
    Object.assign(this, { dataset, file, name, progress, state, replacing: insteadOf ? { instead_of: insteadOf } : {} });
    this.offset = 0;
  }

  /** Send what is missing. Throws Refused, or AbortError when `signal` says stop. */
  async send(signal) {
    const begun = await retried(() => json("POST", "/upload/browser", { dataset: this.dataset, name: this.name, size: this.file.size, ...this.replacing }, signal), signal, this.state);
    this.url = begun.url;
    this.offset = begun.offset;
    this.resumed = begun.offset > 0;
    this.progress(this.offset);
    while (this.offset < this.file.size) {
      await retried(() => this.#piece(begun.chunk, signal), signal, this.state);
    }
  }

  /** All bytes are there: make the file a resource. `values`: description, supplements, and `before`: id of the next file in order. */
  finish(sha256, values, signal) {
    return retried(() => json("POST", `${this.url}/finish`, { ...values, ...this.replacing, sha256 }, signal), signal, this.state);
  }

  async #piece(size, signal) {
    if (this.lost) {
      const there = await json("GET", this.url, null, signal);
      this.offset = there.offset;
      this.lost = false;
      if (this.offset >= this.file.size) return;
    }
    this.state("sending");
    const piece = this.file.slice(this.offset, this.offset + size);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await piece.arrayBuffer()));
    this.lost = true;
    const answer = await put(this.url, piece, { "Upload-Offset": String(this.offset), "Upload-Checksum": `sha256 ${btoa(String.fromCharCode(...digest))}` }, (sent) => this.progress(this.offset + sent), signal);
    if (answer.status === 204) {
      this.offset = Number(answer.offset);
      this.lost = false;
      this.progress(this.offset);
      return;
    }
    if (answer.status === 409 || answer.status === 460 || answer.status >= 500 || answer.status === 429) throw new Error(`${answer.status}`);
    throw new Refused(reasonOf(answer.text) || String(answer.status));
  }
}

/** A PATCH whose progress can be watched (fetch cannot tell it). */
function put(url, body, headers, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PATCH", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => resolve({ status: request.status, offset: request.getResponseHeader("Upload-Offset"), text: request.responseText }));
    request.addEventListener("error", () => reject(new Error("network")));
    request.addEventListener("timeout", () => reject(new Error("network")));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

async function json(method, url, body, signal) {
  const answer = await fetch(url, { method, signal, headers: { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) }, body: body ? JSON.stringify(body) : undefined });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  if (answer.status >= 500 && answer.status !== 507) throw new Error(String(answer.status));
  throw new Refused(reasonOf(text) || String(answer.status));
}

/** What a refusal says: our JSON, or a sentence. */
function reasonOf(text) {
  try {
    const found = JSON.parse(text);
    if (typeof found === "string") return found;
    const inner = found.error ?? found;
    if (typeof inner === "string") return inner;
    return Object.entries(inner)
      .filter(([key]) => !key.startsWith("__"))
      .map(([, value]) => [value].flat().join(" "))
      .join(" ");
  } catch {
    return text.trim().slice(0, 300);
  }
}

/** Try again with growing pauses while the network or the server is away. */
async function retried(act, signal, state) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (error instanceof Refused || error.name === "AbortError" || attempt >= 40) throw error;
      state("retrying");
      await pause(PAUSES[Math.min(attempt, PAUSES.length - 1)] * 1000, signal);
    }
  }
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return void reject(new DOMException("stopped", "AbortError"));
    const timer = setTimeout(done, ms);
    window.addEventListener("online", done, { once: true });
    signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")), { once: true });
    function done() {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      resolve();
    }
  });
}
