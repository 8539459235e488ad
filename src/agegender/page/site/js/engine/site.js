/** What `agegender page` says of the site's files and of the limits that Python and page share: `site.json`. */

/** @typedef {{file: string, bytes: number, sha256: string}} SiteFile Path from the page. */

/**
 * @typedef {object} SiteModel
 * @property {string} name
 * @property {string} title What people read.
 * @property {SiteFile} weights
 * @property {SiteFile} manifest
 */

/**
 * @typedef {object} Site
 * @property {string} software Version of the package that wrote it.
 * @property {SiteFile} runtime
 * @property {{networks: Record<import("./detector.js").NetworkName, SiteFile>,
 *   settings: import("./detector.js").DetectorFacts}} detector
 * @property {import("./align.js").CropFacts} crop
 * @property {import("./quality.js").QualityFacts} quality
 * @property {{most_faces: number, unsure_from_years: number, unsure_below: number, female_from: number,
 *   batch: number}} answers
 * @property {{file_bytes: number, pixels: number, min_side: number, held_pixels: number}} limits
 * @property {SiteModel[]} models
 */

const FORMAT = "agegender-page";
const VERSION = 1;

/**
 * @param {URL} url
 * @returns {Promise<Site>}
 */
export async function readSite(url) {
  const response = await fetch(url, { cache: "no-cache" });
  if (!response.ok) throw new Error(`${url.pathname} was answered ${response.status}`);
  const site = await response.json();
  if (site.format !== FORMAT || site.version !== VERSION) {
    throw new Error(`${url.pathname} is of another version than this page; reload the page`);
  }
  return site;
}
