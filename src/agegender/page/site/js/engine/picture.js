/** An image file to upright RGB pixels within limits, or one error that says why not. */

import { readHeader } from "./header.js";
import { withoutAlpha } from "./pixels.js";

const HEAD_BYTES = 1 << 20;
const STRIP_PIXELS = 4_000_000;

/**
 * What to do with an image of a format that not every browser reads.
 * @type {Record<string, string | undefined>}
 */
const ADVICE = {
  heic:
    "This browser cannot read HEIC, the format in which iPhones keep photographs. Save it as a JPEG and choose that, " +
    "open this page in Safari, or give the file to the command “agegender predict”, which reads HEIC.",
  avif:
    "This browser cannot read this AVIF image: the file is damaged, or the browser too old. Save it as a JPEG and " +
    "choose that, or try another browser.",
};

/** A picture that cannot be used: a short stable word, as in Python, and a sentence. */
export class PictureError extends Error {
  /**
   * @param {string} reason
   * @param {string} detail
   */
  constructor(reason, detail) {
    super(detail);
    this.name = "PictureError";
    this.reason = reason;
  }
}

/**
 * Decode a photograph as it is seen: turned as its camera says, its colours as stored, transparency over white.
 * @param {Blob} file
 * @param {import("./site.js").Site["limits"]} limits
 * @returns {Promise<{pixels: import("./pixels.js").Pixels, width: number, height: number}>} Pixels and the size of the
 *   photograph, which is larger where it has more pixels than are held.
 */
export async function decodePicture(file, limits) {
  if (!file.size) throw new PictureError("empty", "The file has 0 bytes.");
  if (file.size > limits.file_bytes) {
    throw new PictureError("too_large", `The file has ${megabytes(file.size)}; at most ${megabytes(limits.file_bytes)} are read.`);
  }
  const header = readHeader(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  if (!header) {
    throw new PictureError("unreadable", "The file is no JPEG, PNG, WebP, AVIF, HEIC or GIF image, whatever its name.");
  }
  if (header.width && header.height) checkSize(header.width, header.height, limits);
  const bitmap = await decoded(file, header.format);
  try {
    checkSize(bitmap.width, bitmap.height, limits);
    return { pixels: pixelsOf(bitmap, limits.held_pixels), width: bitmap.width, height: bitmap.height };
  } finally {
    bitmap.close();
  }
}

/**
 * @param {number} width
 * @param {number} height
 * @param {import("./site.js").Site["limits"]} limits
 */
function checkSize(width, height, limits) {
  if (width * height > limits.pixels) {
    const most = Math.round(limits.pixels / 1e6);
    throw new PictureError("too_large", `The picture has ${width} x ${height} pixels; at most ${most} million are taken.`);
  }
  if (Math.min(width, height) < limits.min_side) {
    throw new PictureError("too_small", `The picture has ${width} x ${height} pixels; at least ${limits.min_side} a side are needed.`);
  }
}

/**
 * @param {Blob} file
 * @param {string} format
 */
async function decoded(file, format) {
  try {
    return await createImageBitmap(new Blob([file], { type: `image/${format}` }), {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
    });
  } catch {
    const advice = ADVICE[format];
    if (advice) throw new PictureError("unsupported", advice);
    throw new PictureError("truncated", "The image begins as one, but is cut off or damaged.");
  }
}

/**
 * Read strip by strip: phones refuse a canvas as large as their own photographs.
 * @param {ImageBitmap} bitmap
 * @param {number} most Pixels that are held, at three bytes each. A larger picture is made smaller first.
 * @returns {import("./pixels.js").Pixels}
 */
function pixelsOf(bitmap, most) {
  const scale = Math.min(1, Math.sqrt(most / (bitmap.width * bitmap.height)));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(Math.floor(side * scale), 1));
  const rows = Math.min(height, Math.max(1, Math.floor(STRIP_PIXELS / width)));
  const context = new OffscreenCanvas(width, rows).getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error("this browser gives no canvas of this size");
  context.fillStyle = "#fff";
  context.imageSmoothingQuality = "high";
  const data = new Uint8Array(3 * width * height);
  const source = bitmap.height / height;
  for (let top = 0; top < height; top += rows) {
    const tall = Math.min(rows, height - top);
    context.fillRect(0, 0, width, tall);
    context.drawImage(bitmap, 0, top * source, bitmap.width, tall * source, 0, 0, width, tall);
    data.set(withoutAlpha(context.getImageData(0, 0, width, tall)).data, 3 * width * top);
  }
  return { data, width, height };
}

/** @param {number} bytes */
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
