// Reads `columns.bin`: the header first, then only the byte ranges of the columns that are shown.

const MAGIC = "DCORCOL1";
const FIRST = 65536;

/** The scalar features of one measurement, fetched when they are asked for. */
export class Columns {
  constructor(url, header, dataStart) {
    this.url = url;
    this.rows = header.rows;
    this.events = header.events;
    this.subsampled = header.subsampled;
    this.info = new Map(header.columns.map((column) => [column.name, column]));
    this.names = header.columns.filter((column) => column.finite > 0).map((column) => column.name);
    this.indexOffset = header.index ? header.index.offset : null;
    this.dataStart = dataStart;
    this.loaded = new Map();
    this.computed = new Map(); // feature → address of its values
    this.stored = [...this.names];
  }

  /** Let a feature be read from `url`, where the server computes it; in place of a stored one. */
  offer(name, url) {
    this.computed.set(name, url);
    this.loaded.delete(name);
    if (!this.names.includes(name)) this.names.push(name);
  }

  /** Take back what was offered. */
  withdraw(name) {
    this.computed.delete(name);
    this.loaded.delete(name);
    if (this.names.includes(name) && !this.stored.includes(name)) this.names.splice(this.names.indexOf(name), 1);
  }

  /** Open the file at `url`. Throws Error when it is not there or not ours. */
  static async open(url) {
    const head = await range(url, 0, FIRST);
    const view = new DataView(head);
    if (head.byteLength < 12 || new TextDecoder().decode(head.slice(0, 8)) !== MAGIC) throw new Error("not a columns file");
    const length = view.getUint32(8, true);
    const text = head.byteLength >= 12 + length ? head.slice(12, 12 + length) : await range(url, 12, length);
    return new Columns(url, JSON.parse(new TextDecoder().decode(text)), 12 + length);
  }

  /** The values of a feature as Float32Array; NaN where there are none. */
  get(name) {
    if (!this.loaded.has(name)) {
      const promise = (this.computed.has(name) ? whole(this.computed.get(name)) : range(this.url, this.dataStart + this.info.get(name).offset, 4 * this.rows)).then((buffer) => new Float32Array(buffer));
      promise.catch(() => this.loaded.delete(name));
      this.loaded.set(name, promise);
    }
    return this.loaded.get(name);
  }

  /** Number of the event (from 0) that stands in `row`. */
  async eventOf(row) {
    if (this.indexOffset === null) return row;
    this.index ??= range(this.url, this.dataStart + this.indexOffset, 4 * this.rows).then((buffer) => new Uint32Array(buffer));
    return (await this.index)[row];
  }

  /** The row that shows `event`, or the nearest before it. */
  async rowOf(event) {
    if (this.indexOffset === null) return Math.max(0, Math.min(event, this.rows - 1));
    await this.eventOf(0);
    const index = await this.index;
    let low = 0;
    let high = index.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (index[middle] <= event) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** `length` bytes from `start`; a server that ignores ranges costs time, not correctness. */
async function range(url, start, length) {
  const answer = await fetch(url, { headers: { Range: `bytes=${start}-${start + length - 1}` } });
  if (answer.status === 206) return answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  const all = await answer.arrayBuffer();
  return all.slice(start, Math.min(start + length, all.byteLength));
}

/** All bytes of an address. Throws Error with the server's sentence. */
async function whole(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error((await answer.text()).trim().slice(0, 300) || String(answer.status));
  return answer.arrayBuffer();
}
