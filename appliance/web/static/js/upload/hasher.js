// A worker: reads a file and answers with its SHA-256, without holding up the page.
import { Sha256 } from "./sha256.js";

const STEP = 8 << 20;

self.addEventListener("message", async ({ data: { id, file } }) => {
  try {
    const hash = new Sha256();
    for (let at = 0; at < file.size; at += STEP) {
      hash.update(new Uint8Array(await file.slice(at, at + STEP).arrayBuffer()));
      self.postMessage({ id, read: Math.min(file.size, at + STEP) });
    }
    self.postMessage({ id, sha256: hash.hex() });
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
});
