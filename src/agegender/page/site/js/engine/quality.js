/** What makes a face hard to read, as short stable words; `inference/quality.py` in JavaScript. */

import { moved, rollDegrees, scaleOf, shareOutside, similarity } from "./align.js";

/**
 * @typedef {object} QualityFacts As the site's settings hold them.
 * @property {number} small_below_pixels
 * @property {number} tilted_from_degrees
 * @property {number} turned_away_from
 * @property {number} cut_off_from
 * @property {number} faint_below
 */

/**
 * @param {import("./detector.js").Detection} face
 * @param {{width: number, height: number}} picture
 * @param {boolean} turned The face was only found after the picture was turned on its side or head.
 * @param {import("./align.js").CropFacts} crop
 * @param {QualityFacts} limits
 * @returns {string[]}
 */
export function qualityNotes({ landmarks, score }, picture, turned, crop, limits) {
  const transform = similarity(landmarks, crop.template);
  const [left, right, nose] = landmarks.slice(0, 3).map(([x, y]) => moved(transform, x, y));
  const eyeDistance = Math.max(Math.hypot(right[0] - left[0], right[1] - left[1]), 1e-6);
  const beside = Math.abs(nose[0] - (left[0] + right[0]) / 2) / eyeDistance;
  const outside = shareOutside(landmarks, picture.width, picture.height, crop);
  const found = {
    small: crop.side / scaleOf(transform) < limits.small_below_pixels,
    tilted: !turned && Math.abs(rollDegrees(landmarks, crop)) >= limits.tilted_from_degrees,
    turned_away: beside >= limits.turned_away_from,
    cut_off: outside >= limits.cut_off_from,
    faint: score < limits.faint_below,
    turned_picture: turned,
  };
  return Object.entries(found).filter(([, holds]) => holds).map(([note]) => note);
}
