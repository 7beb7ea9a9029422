// The events of the selected gate as a file of their own: ask for it, show how far it is, offer the result.

import { toast } from "../app.js";
import { ask } from "./api.js";
import { significant, whole } from "./scale.js";

const POLL = 1000; // [ms]

/** Fills [data-exports]: buttons by format, and a line for each file. */
export class Exports {
  constructor(root, gates, data) {
    this.root = root;
    this.gates = gates;
    this.data = data;
    this.words = data.words.exports;
    this.list = root.querySelector("[data-export-list]");
    for (const button of root.querySelectorAll("[data-export]")) button.addEventListener("click", () => this.#begin(button.dataset.export));
  }

  async #begin(format) {
    if (!this.gates.active) return toast(this.words.choose);
    try {
      const found = await ask("dcor_gate_export", { id: this.data.id, gates: this.gates.list, gate: this.gates.active, format });
      const row = document.createElement("li");
      this.list.prepend(row);
      await this.#follow(found, row);
    } catch (error) {
      toast(error.message);
    }
  }

  async #follow(found, row) {
    while (found.state !== "done" && found.state !== "failed") {
      this.#show(found, row);
      await new Promise((resolve) => setTimeout(resolve, POLL));
      found = await ask("dcor_gate_export_show", { id: found.id });
    }
    this.#show(found, row);
  }

  #show(found, row) {
    if (found.state === "failed") {
      row.textContent = `${found.name}: ${found.error || this.words.failed}`;
    } else if (found.state === "done") {
      const link = document.createElement("a");
      link.href = found.url;
      link.download = found.name;
      link.textContent = found.name;
      const about = this.words.ready.replace("{count}", whole(found.events)).replace("{size}", significant(found.size / 1e6, 3));
      row.replaceChildren(link, ` ${about}`);
    } else {
      let bar = row.querySelector("progress");
      if (!bar) {
        bar = document.createElement("progress");
        bar.max = 1;
        bar.setAttribute("aria-label", found.name);
        row.replaceChildren(`${found.name} `, bar);
      }
      bar.value = found.progress;
    }
  }
}
