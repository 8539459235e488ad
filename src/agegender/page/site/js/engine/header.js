/** What an image file is, and how large its picture, read from its first bytes and not from its name. */

/**
 * @typedef {object} Header
 * @property {"jpeg" | "png" | "gif" | "webp" | "avif" | "heic"} format
 * @property {number | null} width As stored, before any turn; null: not said within these bytes.
 * @property {number | null} height
 */

const HEIC_BRANDS = ["heic", "heix", "hevc", "heim", "heis", "hevx", "mif1", "msf1"];
const AVIF_BRANDS = ["avif", "avis"];

/**
 * @param {Uint8Array} bytes The beginning of a file.
 * @returns {Header | null} null: no image of a known format.
 */
export function readHeader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return png(view) ?? gif(view) ?? webp(view) ?? boxed(view) ?? jpeg(view);
  } catch (error) {
    if (error instanceof RangeError) return withoutSize(view);
    throw error;
  }
}

/**
 * @param {DataView} view
 * @param {number} start
 * @param {number} length
 */
const text = (view, start, length) =>
  String.fromCharCode(...Array.from({ length }, (_, i) => (start + i < view.byteLength ? view.getUint8(start + i) : 0)));

/** @param {DataView} view @returns {Header | null} */
function png(view) {
  if (text(view, 1, 7) !== "PNG\r\n\x1a\n") return null;
  return { format: "png", width: view.getUint32(16), height: view.getUint32(20) };
}

/** @param {DataView} view @returns {Header | null} */
function gif(view) {
  if (text(view, 0, 4) !== "GIF8") return null;
  return { format: "gif", width: view.getUint16(6, true), height: view.getUint16(8, true) };
}

/** @param {DataView} view @returns {Header | null} */
function webp(view) {
  if (text(view, 0, 4) !== "RIFF" || text(view, 8, 4) !== "WEBP") return null;
  const kind = text(view, 12, 4);
  if (kind === "VP8X") {
    const [width, height] = [24, 27].map((at) => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1);
    return { format: "webp", width, height };
  }
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { format: "webp", width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return { format: "webp", width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

/** AVIF and HEIC; their size stands too deep to be looked for. @param {DataView} view @returns {Header | null} */
function boxed(view) {
  if (text(view, 4, 4) !== "ftyp") return null;
  const brand = text(view, 8, 4);
  if (AVIF_BRANDS.includes(brand)) return { format: "avif", width: null, height: null };
  if (HEIC_BRANDS.includes(brand)) return { format: "heic", width: null, height: null };
  return null;
}

/** @param {DataView} view @returns {Header | null} */
function jpeg(view) {
  if (view.byteLength < 3 || view.getUint8(0) !== 0xff || view.getUint8(1) !== 0xd8) return null;
  for (let at = 2; ; ) {
    if (view.getUint8(at) !== 0xff) return { format: "jpeg", width: null, height: null };
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { format: "jpeg", width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    // Fill bytes stand alone; every other segment before the frame says its length.
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
}

/** The bytes end before the size. @param {DataView} view @returns {Header | null} */
function withoutSize(view) {
  const starts = /** @type {const} */ ([["png", 1, "PNG"], ["gif", 0, "GIF8"], ["webp", 0, "RIFF"]]);
  const found = starts.find(([, at, word]) => text(view, at, word.length) === word);
  const format = found ? found[0] : /** @type {const} */ ("jpeg");
  return { format, width: null, height: null };
}
