/** Arithmetic of boxes [left, top, right, bottom]; `inference/boxes.py` in JavaScript. */

import { enlarged, rint, shrunk } from "./pixels.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {[number, number, number, number]} Box */

const GREY = 128;

/**
 * Greedy non-maximum suppression: of boxes that overlap too much, the one with the highest score stays.
 * @param {Box[]} boxes
 * @param {number[]} scores
 * @param {number} mostOverlap Share of the union that two kept boxes may have in common.
 * @param {boolean} ofSmaller Take the share of the smaller box instead, which also drops a box within another.
 * @returns {number[]} Numbers of the boxes kept, highest score first.
 */
export function suppress(boxes, scores, mostOverlap, ofSmaller = false) {
  const areas = boxes.map(([left, top, right, bottom]) => Math.max(right - left, 0) * Math.max(bottom - top, 0));
  let waiting = descending(scores);
  const kept = [];
  while (waiting.length) {
    const [best, ...others] = waiting;
    kept.push(best);
    const [left, top, right, bottom] = boxes[best];
    waiting = others.filter((other) => {
      const width = Math.min(right, boxes[other][2]) - Math.max(left, boxes[other][0]);
      const height = Math.min(bottom, boxes[other][3]) - Math.max(top, boxes[other][1]);
      const common = Math.max(width, 0) * Math.max(height, 0);
      const whole = ofSmaller ? Math.min(areas[best], areas[other]) : areas[best] + areas[other] - common;
      return common <= mostOverlap * Math.max(whole, 1e-9);
    });
  }
  return kept;
}

/**
 * Numbers of scores, highest first; equal ones in their order.
 * @param {number[]} scores
 */
export function descending(scores) {
  return scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
}

/**
 * The smallest square around a box with the same centre.
 * @param {Box} box
 * @returns {Box}
 */
export function square([left, top, right, bottom]) {
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  const half = Math.max(right - left, bottom - top) / 2;
  return [x - half, y - half, x + half, y + half];
}

/**
 * A box with each edge moved by a share of its size, as the networks answer it.
 * @param {Box} box
 * @param {ArrayLike<number>} offsets
 * @returns {Box}
 */
export function shifted([left, top, right, bottom], offsets) {
  const [width, height] = [right - left + 1, bottom - top + 1];
  return [
    left + offsets[0] * width,
    top + offsets[1] * height,
    right + offsets[2] * width,
    bottom + offsets[3] * height,
  ];
}

/**
 * Cut a box out, edges included, and bring it to one size; what lies outside the picture is grey.
 * @param {Pixels} picture
 * @param {Box} box
 * @param {number} side
 * @returns {Pixels | null} null: wholly outside.
 */
export function patch(picture, box, side) {
  const [left, top, right, bottom] = box.map(rint);
  const x0 = Math.max(left, 0);
  const y0 = Math.max(top, 0);
  const x1 = Math.min(right, picture.width - 1);
  const y1 = Math.min(bottom, picture.height - 1);
  if (x1 < x0 || y1 < y0) return null;
  const [width, height] = [right - left + 1, bottom - top + 1];
  const data = new Uint8Array(3 * width * height).fill(GREY);
  for (let y = y0; y <= y1; y++) {
    const from = 3 * (y * picture.width + x0);
    data.set(picture.data.subarray(from, from + 3 * (x1 - x0 + 1)), 3 * ((y - top) * width + x0 - left));
  }
  const piece = { data, width, height };
  if (width === side && height === side) return piece;
  return Math.min(width, height) > side ? shrunk(piece, side, side) : enlarged(piece, side, side);
}

/**
 * Patches of boxes as a network takes them; one wholly outside the picture is grey.
 * @param {Pixels} picture
 * @param {Box[]} boxes
 * @param {number} side
 * @returns {Float32Array} (n, side, side, 3), 0..255.
 */
export function patches(picture, boxes, side) {
  const size = 3 * side * side;
  const all = new Float32Array(size * boxes.length).fill(127.5);
  boxes.forEach((box, i) => {
    const piece = patch(picture, box, side);
    if (piece) all.set(piece.data, i * size);
  });
  return all;
}
