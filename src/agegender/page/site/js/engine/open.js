/** Everything that a prediction needs, downloaded and opened. */

import { download, downloadCompressed } from "./download.js";
import { FacePredictor } from "./pipeline.js";
import { openNetwork, useRuntime } from "./runtime.js";

/** @typedef {import("./site.js").Site} Site */
/** @typedef {import("./detector.js").NetworkName} NetworkName */

/**
 * @param {Site} site
 * @returns {number} Bytes that are downloaded.
 */
export function totalBytes(site) {
  const files = [site.runtime, ...Object.values(site.detector.networks)];
  return [...files, ...site.models.flatMap((model) => [model.weights, model.manifest])].reduce(
    (sum, { bytes }) => sum + bytes,
    0,
  );
}

/**
 * @param {Site} site
 * @param {URL} base The page's address.
 * @param {(done: number) => void} onProgress Told how many bytes have come.
 * @returns {Promise<FacePredictor>}
 */
export async function openPredictor(site, base, onProgress) {
  let done = 0;
  /** @param {number} bytes */
  const onBytes = (bytes) => onProgress((done += bytes));
  useRuntime(await downloadCompressed(site.runtime, base, onBytes));
  /** @type {Partial<Record<NetworkName, Awaited<ReturnType<typeof openNetwork>>>>} */
  const networks = {};
  for (const [name, file] of Object.entries(site.detector.networks)) {
    networks[/** @type {NetworkName} */ (name)] = await openNetwork(await download(file, base, onBytes), "pixels", true);
  }
  const models = [];
  for (const { weights, manifest } of site.models) {
    const known = JSON.parse(new TextDecoder().decode(await download(manifest, base, onBytes)));
    const run = await openNetwork(await download(weights, base, onBytes), known.input.name, false);
    models.push({ run, calibration: known.calibration });
  }
  return new FacePredictor(
    {
      detector: (name, pixels, dims) => /** @type {NonNullable<typeof networks["pnet"]>} */ (networks[name])(pixels, dims),
      models,
    },
    site,
  );
}
