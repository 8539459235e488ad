/**
 * Faces and five landmarks in a picture: MTCNN's three networks, everything between them in plain arrays;
 * `inference/detector.py` and `inference/turning.py` in JavaScript.
 */

import { cropFace, inverse, moved, scaledTo, similarity } from "./align.js";
import { descending, patches, shifted, square, suppress } from "./boxes.js";
import { mirrored, rint, shrunk, turned } from "./pixels.js";

/** @typedef {import("./boxes.js").Box} Box */
/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {import("./align.js").Points} Points */
/** @typedef {import("./align.js").CropFacts} CropFacts */

/**
 * @typedef {object} Detection
 * @property {Box} box In pixels; may reach beyond the picture.
 * @property {number} score Probability of a face, 0..1.
 * @property {Points} landmarks Left eye, right eye, nose, left and right corner of the mouth, as seen.
 */

/**
 * @typedef {object} DetectorFacts As the site's settings hold them; what each means: `DetectorSettings` in Python.
 * @property {number} cell
 * @property {number} stride
 * @property {number} largest_patch
 * @property {number} patches_a_run
 * @property {number} sure_turned
 * @property {number} min_face
 * @property {number} largest_level
 * @property {number} pyramid_step
 * @property {number} proposal
 * @property {number} refined
 * @property {number} answered
 * @property {number} confirmed
 * @property {number} most_proposals
 */

/** @typedef {"pnet" | "rnet" | "onet"} NetworkName */
/** @typedef {{data: Float32Array, dims: readonly number[]}} Answer */
/** @typedef {(name: NetworkName, pixels: Float32Array, dims: number[]) => Promise<Record<string, Answer>>} RunNetwork */

/** Which landmark each of the five is in the mirror. */
const MIRRORED = [1, 0, 2, 4, 3];

export class FaceDetector {
  /**
   * @param {RunNetwork} run
   * @param {DetectorFacts} facts
   * @param {CropFacts} crop How a face is cut out, for the models.
   */
  constructor(run, facts, crop) {
    this.run = run;
    this.facts = facts;
    this.crop = scaledTo(crop, facts.largest_patch);
  }

  /**
   * Find faces upright, or in the one of three quarter turns that shows likelier ones.
   * @param {Pixels} pixels
   * @returns {Promise<{found: Detection[], turned: boolean}>} In the picture's own pixels, highest score first.
   */
  async detectAnyWayUp(pixels) {
    const upright = await this.detect(pixels);
    const votes = await this.turnVotes(pixels, upright);
    if (votes.length && votes.filter((vote) => vote === 0).length / votes.length >= 0.5) {
      return { found: upright, turned: false };
    }
    let best = upright;
    for (const quarters of votes.length ? [mostFrequent(votes)] : [2, 1, 3]) {
      const found = (await this.detect(turned(pixels, quarters))).filter(({ score }) => score >= this.facts.sure_turned);
      if (total(found) > total(best)) {
        best = found.map((one) => turnedBack(one, quarters, pixels.width, pixels.height));
      }
    }
    return { found: best, turned: best !== upright };
  }

  /**
   * Find the faces of an upright picture, highest score first.
   * @param {Pixels} pixels
   * @returns {Promise<Detection[]>}
   */
  async detect(pixels) {
    let boxes = await this.proposed(pixels);
    if (boxes.length) boxes = await this.refined(pixels, boxes.map(square));
    return boxes.length ? this.confirmed(pixels, await this.answered(pixels, boxes.map(square))) : [];
  }

  /**
   * For each face the number of quarter turns after which it looks most like one.
   * @param {Pixels} pixels
   * @param {Detection[]} found
   */
  async turnVotes(pixels, found) {
    const side = this.facts.largest_patch;
    const votes = [];
    for (const { box } of found) {
      const patch = { data: Uint8Array.from(patches(pixels, [square(box)], side)), width: side, height: side };
      const four = new Float32Array(4 * patch.data.length);
      for (let quarters = 0; quarters < 4; quarters++) {
        four.set(turned(patch, quarters).data, quarters * patch.data.length);
      }
      const { score } = await this.run("onet", four, [4, side, side, 3]);
      const shares = [0, 1, 2, 3].map((quarters) => score.data[2 * quarters + 1]);
      votes.push(shares.indexOf(Math.max(...shares)));
    }
    return votes;
  }

  /**
   * The first network over an image pyramid: where faces may be.
   * @param {Pixels} pixels
   */
  async proposed(pixels) {
    const { cell, stride, most_proposals: most, proposal } = this.facts;
    /** @type {Box[]} */ const boxes = [];
    /** @type {number[]} */ const scores = [];
    for (const level of this.pyramid(pixels)) {
      const answer = await this.run("pnet", Float32Array.from(level.data), [1, level.height, level.width, 3]);
      const columns = answer.score.dims[2];
      /** @type {number[]} */ const likely = [];
      for (let i = 0; 2 * i < answer.score.data.length; i++) {
        if (answer.score.data[2 * i + 1] > proposal) likely.push(i);
      }
      const face = likely.map((i) => answer.score.data[2 * i + 1]);
      const order = descending(face).slice(0, most);
      const [scaleX, scaleY] = [level.width / pixels.width, level.height / pixels.height];
      const score = order.map((k) => face[k]);
      const windows = order.map((k) => {
        const [x, y] = [stride * (likely[k] % columns), stride * Math.floor(likely[k] / columns)];
        const offset = answer.box.data.subarray(4 * likely[k], 4 * likely[k] + 4);
        // As the networks were trained: windows from 1 to 12, edges moved by shares of 11 pixels.
        const edges = [x + 1, y + 1, x + cell, y + cell].map((edge, i) => edge + offset[i] * (cell - 1));
        return /** @type {Box} */ (edges);
      });
      for (const k of suppress(windows, score, 0.5)) {
        const [left, top, right, bottom] = windows[k];
        boxes.push([left / scaleX, top / scaleY, right / scaleX, bottom / scaleY]);
        scores.push(score[k]);
      }
    }
    return suppress(boxes, scores, 0.7).slice(0, most).map((k) => boxes[k]);
  }

  /**
   * The picture in sizes, so that a face of any size fills a window in one of them.
   * @param {Pixels} pixels
   * @returns {Generator<Pixels>}
   */
  *pyramid(pixels) {
    const { cell, min_face: smallest, largest_level: largest, pyramid_step: step } = this.facts;
    const { width, height } = pixels;
    let scale = Math.min(cell / smallest, largest / Math.max(width, height));
    let level = pixels;
    while (Math.min(width, height) * scale >= cell) {
      // From the level before: nearly as good as from the picture itself, and much cheaper.
      level = shrunk(level, Math.max(rint(width * scale), cell), Math.max(rint(height * scale), cell));
      yield level;
      scale *= step;
    }
  }

  /**
   * The second network: fewer windows, better placed.
   * @param {Pixels} pixels
   * @param {Box[]} boxes
   */
  async refined(pixels, boxes) {
    const { score, box } = await this.runOnPatches("rnet", pixels, boxes, 24);
    const likely = boxes.map((_, i) => i).filter((i) => score[i][1] > this.facts.refined);
    const moved = likely.map((i) => shifted(boxes[i], box[i]));
    const face = likely.map((i) => score[i][1]);
    return suppress(moved, face, 0.7).map((k) => moved[k]);
  }

  /**
   * The third network: faces and their landmarks.
   * @param {Pixels} pixels
   * @param {Box[]} boxes
   * @returns {Promise<Detection[]>}
   */
  async answered(pixels, boxes) {
    const { score, box, landmarks } = await this.runOnPatches("onet", pixels, boxes, this.facts.largest_patch);
    const likely = boxes.map((_, i) => i).filter((i) => score[i][1] > this.facts.answered);
    const found = likely.map((i) => {
      const [left, top, right, bottom] = boxes[i];
      const [width, height] = [right - left + 1, bottom - top + 1];
      const points = /** @type {Points} */ (
        [0, 1, 2, 3, 4].map((p) => [left + landmarks[i][p] * width - 1, top + landmarks[i][p + 5] * height - 1])
      );
      return { box: shifted(boxes[i], box[i]), score: score[i][1], landmarks: points };
    });
    const kept = suppress(found.map((one) => one.box), found.map((one) => one.score), 0.7, true);
    return kept.map((k) => found[k]);
  }

  /**
   * The third network again, on each face as the models see it: upright, in its place, and in the mirror.
   * @param {Pixels} pixels
   * @param {Detection[]} found
   * @returns {Promise<Detection[]>}
   */
  async confirmed(pixels, found) {
    const side = this.crop.side;
    const size = 3 * side * side;
    /** @type {Detection[]} */ const sure = [];
    for (const one of found) {
      const data = cropFace(pixels, one.landmarks, this.crop);
      const both = new Float32Array(2 * size);
      both.set(data);
      both.set(mirrored({ data, width: side, height: side }).data, size);
      const { score, landmarks } = await this.run("onet", both, [2, side, side, 3]);
      const likely = Math.min(score.data[1], score.data[3]);
      if (!(likely > this.facts.confirmed)) continue;
      const back = inverse(similarity(one.landmarks, this.crop.template));
      const points = /** @type {Points} */ (
        MIRRORED.map((other, p) => {
          const x = (landmarks.data[p] * side - 0.5 + (side - 1) - (landmarks.data[10 + other] * side - 0.5)) / 2;
          const y = (landmarks.data[p + 5] * side - 0.5 + landmarks.data[15 + other] * side - 0.5) / 2;
          return moved(back, x, y);
        })
      );
      sure.push({ box: one.box, score: likely, landmarks: points });
    }
    return descending(sure.map(({ score }) => score)).map((k) => sure[k]);
  }

  /**
   * A network's answers, by name and then by box.
   * @param {NetworkName} network
   * @param {Pixels} pixels
   * @param {Box[]} boxes
   * @param {number} side
   */
  async runOnPatches(network, pixels, boxes, side) {
    /** @type {Record<string, Float32Array[]>} */ const all = { score: [], box: [], landmarks: [] };
    for (let start = 0; start < boxes.length; start += this.facts.patches_a_run) {
      const part = boxes.slice(start, start + this.facts.patches_a_run);
      const answers = await this.run(network, patches(pixels, part, side), [part.length, side, side, 3]);
      for (const [name, { data }] of Object.entries(answers)) {
        const width = data.length / part.length;
        part.forEach((_, i) => all[name].push(data.subarray(i * width, (i + 1) * width)));
      }
    }
    return all;
  }
}

/** @param {Detection[]} found */
const total = (found) => found.reduce((sum, { score }) => sum + score, 0);

/** @param {number[]} votes 0..3; the smallest of equally frequent ones. */
function mostFrequent(votes) {
  const counts = [0, 1, 2, 3].map((turn) => votes.filter((vote) => vote === turn).length);
  return counts.indexOf(Math.max(...counts));
}

/**
 * What was found in a turned picture, in places of the picture itself.
 * @param {Detection} one
 * @param {number} quarters 1 to 3.
 * @param {number} width Of the picture itself.
 * @param {number} height
 * @returns {Detection}
 */
export function turnedBack({ box, score, landmarks }, quarters, width, height) {
  /** @param {[number, number]} point @returns {[number, number]} */
  const back = ([x, y]) => {
    if (quarters === 1) return [width - 1 - y, x]; // the picture's right edge became the top
    if (quarters === 2) return [width - 1 - x, height - 1 - y];
    return [y, height - 1 - x];
  };
  const [[x0, y0], [x1, y1]] = [back([box[0], box[1]]), back([box[2], box[3]])];
  return {
    box: [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)],
    score,
    landmarks: landmarks.map(back),
  };
}
