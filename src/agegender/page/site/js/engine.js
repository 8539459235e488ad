/** The page's side of the worker: a promise for each photograph, and word of the loading. */

/** @typedef {import("./engine/pipeline.js").Face} Face */
/** @typedef {{width: number, height: number, faces: Face[]}} Seen */

/** Why a photograph could not be used. */
export class Refusal extends Error {
  /**
   * @param {string} reason A short stable word.
   * @param {string} detail
   */
  constructor(reason, detail) {
    super(detail);
    this.name = "Refusal";
    this.reason = reason;
  }
}

/**
 * @typedef {object} Listener
 * @property {(done: number, total: number) => void} progress Bytes.
 * @property {() => void} ready
 * @property {(detail: string) => void} failed Nothing can be answered.
 */

export class Engine {
  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    /** @type {Map<number, {looking: () => void, resolve: (seen: Seen) => void, reject: (why: Refusal) => void}>} */
    this.waiting = new Map();
    this.count = 0;
    this.opened = false;
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => this.fail(event.message || "its worker could not be started");
  }

  /** Download and open the models; once. */
  open() {
    if (this.opened) return;
    this.opened = true;
    this.worker.postMessage({ type: "open", base: new URL(".", document.baseURI).href });
  }

  /**
   * @param {Blob} file
   * @param {() => void} looking Called when its turn has come.
   * @returns {Promise<Seen>} Rejected with a `Refusal`.
   */
  look(file, looking) {
    this.open();
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { looking, resolve, reject });
      this.worker.postMessage({ type: "look", id, file });
    });
  }

  /** @param {import("./worker.js").Reply} reply */
  hear(reply) {
    if (reply.type === "progress") return this.listener.progress(reply.done, reply.total);
    if (reply.type === "ready") return this.listener.ready();
    if (reply.type === "failed") return this.fail(reply.detail);
    const asked = this.waiting.get(reply.id);
    if (reply.type === "looking") return asked?.looking();
    this.waiting.delete(reply.id);
    if (reply.type === "faces") return asked?.resolve(reply);
    return asked?.reject(new Refusal(reply.reason, reply.detail));
  }

  /** @param {string} detail */
  fail(detail) {
    this.listener.failed(detail);
    for (const { reject } of this.waiting.values()) reject(new Refusal("failed", "The models could not be loaded."));
    this.waiting.clear();
  }
}
