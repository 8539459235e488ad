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
  await check(bytes, file);
  return bytes;
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
  const bytes = await received(await asked(file, base), (count) => {
    const within = Math.min(count, file.bytes - counted);
    counted += within;
    onBytes(within);
  });
  if (!GZIP.every((value, i) => bytes[i] === value)) return bytes;
  await check(bytes, file);
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(unpacked).arrayBuffer());
}

/**
 * @param {SiteFile} file
 * @param {URL} base
 */
async function asked(file, base) {
  const url = new URL(file.file, base);
  url.searchParams.set("v", file.sha256.slice(0, 12)); // a new version is a new address, whatever a cache keeps
  const response = await fetch(url);
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
 * @param {Uint8Array} bytes
 * @param {SiteFile} file
 */
async function check(bytes, file) {
  if (bytes.length !== file.bytes) {
    throw new Error(`${file.file} came with ${bytes.length} bytes, expected ${file.bytes}`);
  }
  // Hashing is only there where the connection is safe: over https, and on this machine.
  if (!globalThis.crypto?.subtle) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== file.sha256) throw new Error(`${file.file} is not the file that the site names; reload the page`);
}
