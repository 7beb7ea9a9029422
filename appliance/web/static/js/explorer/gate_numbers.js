// The numbers of all gates, over all events, as the server computes them.

import { toast } from "../app.js";
import { statistics } from "./api.js";

const PAUSE = 250; // [ms] a gate that is being drawn asks once

/** Asks after a pause; a newer question overtakes an older one. `found` is {names, gates: {name: numbers}} or null. */
export class GateNumbers {
  constructor(id, show) {
    this.id = id;
    this.show = show;
    this.found = null;
  }

  ask(names, gates, young = null) {
    clearTimeout(this.waiting);
    this.found = null;
    this.waiting = setTimeout(() => this.#fetch(names, gates, young), PAUSE);
  }

  async #fetch(names, gates, young) {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    if (gates.length === 0) return;
    try {
      const found = await statistics(this.id, names, gates, asking.signal, young);
      if (asking.signal.aborted) return;
      this.found = { names, gates: found };
      this.show(this.found);
    } catch (error) {
      if (error.name !== "AbortError") toast(error.message);
    }
  }
}
