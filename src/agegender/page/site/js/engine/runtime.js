/** The ONNX files in onnxruntime-web: plain WebAssembly on one thread, so that any static host will do. */

import * as ort from "../../ort/ort.js";

const ERROR = 3;

/** @typedef {import("./detector.js").Answer} Answer */

/**
 * To be called once, before a session is opened.
 * @param {Uint8Array} binary The WebAssembly module.
 */
export function useRuntime(binary) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = binary.buffer;
  ort.env.logLevel = "error";
}

/**
 * @param {Uint8Array} content An ONNX file.
 * @param {string} input Its input's name.
 * @param {boolean} varyingShapes Inputs differ in size from run to run: keep no memory by their shapes.
 * @returns {Promise<(data: Float32Array, dims: number[]) => Promise<Record<string, Answer>>>} Runs it.
 */
export async function openNetwork(content, input, varyingShapes) {
  const session = await ort.InferenceSession.create(content, {
    executionProviders: ["wasm"],
    enableMemPattern: !varyingShapes,
    enableCpuMemArena: !varyingShapes,
    logSeverityLevel: ERROR,
  });
  return async (data, dims) => session.run({ [input]: new ort.Tensor("float32", data, dims) });
}
