/** Five landmarks to the crop that the models were trained on; `inference/align.py` in JavaScript. */

import { rint, sampled } from "./pixels.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {import("./pixels.js").Affine} Affine */
/** @typedef {[number, number][]} Points x, y in pixels. */

/**
 * @typedef {object} CropFacts As the site's settings hold them.
 * @property {number} side
 * @property {number} most_samples
 * @property {Points} template
 */

/**
 * The rotation, uniform scale and shift that bring points closest to others (Umeyama, TPAMI 1991).
 * @param {Points} source
 * @param {Points} target
 * @returns {Affine}
 */
export function similarity(source, target) {
  const [fromX, fromY] = centre(source);
  const [toX, toY] = centre(target);
  let spread = 0;
  let cosine = 0;
  let sine = 0;
  source.forEach(([sourceX, sourceY], i) => {
    const [x, y] = [sourceX - fromX, sourceY - fromY];
    const [u, v] = [target[i][0] - toX, target[i][1] - toY];
    spread += x * x + y * y;
    cosine += x * u + y * v;
    sine += x * v - y * u;
  });
  if (spread < 1e-9) throw new Error("The points lie all in one place.");
  cosine /= spread;
  sine /= spread;
  return [cosine, -sine, toX - cosine * fromX + sine * fromY, sine, cosine, toY - sine * fromX - cosine * fromY];
}

/**
 * Pixels of the crop a pixel of the picture.
 * @param {Affine} transform
 */
export const scaleOf = (transform) => Math.hypot(transform[0], transform[3]);

/**
 * @param {Affine} transform
 * @param {number} x
 * @param {number} y
 * @returns {[number, number]}
 */
export function moved([a, b, c, d, e, f], x, y) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/**
 * @param {Affine} transform
 * @returns {Affine}
 */
export function inverse([a, b, c, d, e, f]) {
  const determinant = a * e - b * d;
  const [p, q, r, s] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [p, q, -(p * c + q * f), r, s, -(r * c + s * f)];
}

/**
 * Cut a face out so that its landmarks come to lie on the template; black outside the picture. A large face is
 * averaged down from up to `most_samples` samples an axis, so that fine detail does not alias.
 * @param {Pixels} pixels
 * @param {Points} landmarks
 * @param {CropFacts} facts
 * @returns {Uint8Array} RGB, side x side x 3.
 */
export function cropFace(pixels, landmarks, facts) {
  const { side, most_samples: most, template } = facts;
  const back = inverse(similarity(landmarks, template));
  const samples = Math.min(Math.max(Math.ceil(scaleOf(back)), 1), most);
  const count = samples * samples;
  const crop = new Uint8Array(side * side * 3);
  const colour = new Float64Array(3);
  let to = 0;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const sums = [0, 0, 0];
      for (let i = 0; i < count; i++) {
        // Places of the finer grid, whose samples lie evenly within the crop's pixel.
        const x = column + ((i % samples) + 0.5) / samples - 0.5;
        const y = row + (Math.floor(i / samples) + 0.5) / samples - 0.5;
        sampled(pixels, back[0] * x + back[1] * y + back[2], back[3] * x + back[4] * y + back[5], colour);
        for (let c = 0; c < 3; c++) sums[c] += colour[c];
      }
      for (const sum of sums) crop[to++] = samples === 2 ? Math.floor((sum + 2) / 4) : rint(sum / count);
    }
  }
  return crop;
}

/**
 * The same crop with another side; (0, 0) is the centre of the first pixel.
 * @param {CropFacts} facts
 * @param {number} side
 * @returns {CropFacts}
 */
export function scaledTo(facts, side) {
  /** @param {number} place */
  const scaled = (place) => ((place + 0.5) * side) / facts.side - 0.5;
  return { ...facts, side, template: facts.template.map(([x, y]) => [scaled(x), scaled(y)]) };
}

/**
 * How far a face is tilted to its shoulder, -180..180, clockwise above 0.
 * @param {Points} landmarks
 * @param {CropFacts} facts
 */
export function rollDegrees(landmarks, facts) {
  const back = similarity(facts.template, landmarks);
  return (Math.atan2(back[3], back[0]) * 180) / Math.PI;
}

/**
 * Which share of a face's crop lies outside the picture, 0..1, on a grid of 16 by 16 points.
 * @param {Points} landmarks
 * @param {number} width
 * @param {number} height
 * @param {CropFacts} facts
 */
export function shareOutside(landmarks, width, height, facts) {
  const back = inverse(similarity(landmarks, facts.template));
  let outside = 0;
  for (let i = 0; i < 256; i++) {
    const place = [i % 16, Math.floor(i / 16)].map((step) => ((step + 0.5) * facts.side) / 16 - 0.5);
    const [x, y] = moved(back, place[0], place[1]);
    if (x < -0.5 || x > width - 0.5 || y < -0.5 || y > height - 0.5) outside++;
  }
  return outside / 256;
}

/** @param {Points} points */
function centre(points) {
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
}
