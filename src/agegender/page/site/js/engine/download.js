/** The site's own files, whole and known to be the ones that it names, with their progress told. */

/** @typedef {import("./site.js").SiteFile} SiteFile */

const GZIP = [0x1f, 0x8b];

/**
 * @param {SiteFile} file
 * @param {URL} base The page's address.
 * @param {(bytes: number) => void} onBytes Told of every part that comes.
 * @returns {Promise<Uint8Array>}
 */
export async function download(file, base, onBytes) {
  const bytes = await received(await asked(file, base), onBytes);
  return (await faultOf(bytes, file)) ? receivedAnew(file, base) : bytes;
}

/**
 * A file that is kept compressed, unpacked; some hosts unpack it on the way.
 * @param {SiteFile} file
 * @param {URL} base
 * @param {(bytes: number) => void} onBytes
 * @returns {Promise<Uint8Array>}
 */
export async function downloadCompressed(file, base, onBytes) {
  let counted = 0;
  let bytes = await received(await asked(file, base), (count) => {
    const within = Math.min(count, file.bytes - counted);
    counted += within;
    onBytes(within);
  });
  if (!GZIP.every((value, i) => bytes[i] === value)) return bytes;
  if (await faultOf(bytes, file)) bytes = await receivedAnew(file, base);
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

/**
 * Past every cache, since what a cache gave is damaged.
 * @param {SiteFile} file
 * @param {URL} base
 */
async function receivedAnew(file, base) {
  const bytes = await received(await asked(file, base, "reload"), () => {});
  const fault = await faultOf(bytes, file);
  if (fault) throw new Error(fault);
  return bytes;
}

/**
 * @param {SiteFile} file
 * @param {URL} base
 * @param {RequestCache} cache
 */
async function asked(file, base, cache = "default") {
  const url = new URL(file.file, base);
  url.searchParams.set("v", file.sha256.slice(0, 12)); // a new version is a new address, whatever a cache keeps
  const response = await fetch(url, { cache });
  if (!response.ok || !response.body) throw new Error(`${file.file} was answered ${response.status}`);
  return response.body;
}

/**
 * @param {ReadableStream<Uint8Array>} stream
 * @param {(bytes: number) => void} onBytes
 */
async function received(stream, onBytes) {
  const reader = stream.getReader();
  /** @type {Uint8Array[]} */ const parts = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    length += part.value.length;
    onBytes(part.value.length);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * What is wrong with a file; null: nothing.
 * @param {Uint8Array} bytes
 * @param {SiteFile} file
 */
async function faultOf(bytes, file) {
  if (bytes.length !== file.bytes) return `${file.file} came with ${bytes.length} bytes, expected ${file.bytes}`;
  // Hashing is only there where the connection is safe: over https, and on this machine.
  if (!globalThis.crypto?.subtle) return null;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return found === file.sha256 ? null : `${file.file} is not the file that the site names`;
}
