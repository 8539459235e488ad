/** Loads the networks and looks at photographs, one after another, beside the page so that it stays responsive. */

import { openPredictor, totalBytes } from "./engine/open.js";
import { decodePicture, PictureError } from "./engine/picture.js";
import { readSite } from "./engine/site.js";

/** @typedef {{type: "open", base: string} | {type: "look", id: number, file: Blob}} Request */

/**
 * @typedef {{type: "progress", done: number, total: number}
 *   | {type: "ready"}
 *   | {type: "failed", detail: string}
 *   | {type: "looking", id: number}
 *   | {type: "faces", id: number, width: number, height: number, faces: import("./engine/pipeline.js").Face[]}
 *   | {type: "refused", id: number, reason: string, detail: string}} Reply
 */

/** @type {Promise<import("./engine/pipeline.js").FacePredictor> | undefined} */
let predictor;
let last = Promise.resolve();

/** @param {Reply} reply */
const tell = (reply) => postMessage(reply);

onmessage = (/** @type {MessageEvent<Request>} */ { data }) => {
  if (data.type === "open") {
    predictor = open(new URL(data.base));
    predictor.then(
      () => tell({ type: "ready" }),
      (error) => tell({ type: "failed", detail: error.message }),
    );
    return;
  }
  last = last.then(() => look(data.id, data.file));
};

/** @param {URL} base */
async function open(base) {
  const site = await readSite(new URL("site.json", base));
  const total = totalBytes(site);
  return openPredictor(site, base, (done) => tell({ type: "progress", done, total }));
}

/**
 * @param {number} id
 * @param {Blob} file
 */
async function look(id, file) {
  try {
    const ready = await predictor;
    if (!ready) throw new Error("the page asked before it opened the models");
    tell({ type: "looking", id });
    const { pixels, width, height } = await decodePicture(file, ready.site.limits);
    const faces = await ready.predict(pixels);
    const scale = width / pixels.width;
    for (const face of faces) {
      face.box = /** @type {typeof face.box} */ (face.box.map((edge) => edge * scale));
      face.landmarks = face.landmarks.map(([x, y]) => [x * scale, y * scale]);
    }
    tell({ type: "faces", id, width, height, faces });
  } catch (error) {
    const [reason, detail] =
      error instanceof PictureError
        ? [error.reason, error.message]
        : ["failed", `It could not be answered (${error instanceof Error ? error.message : error}).`];
    tell({ type: "refused", id, reason, detail });
  }
}
