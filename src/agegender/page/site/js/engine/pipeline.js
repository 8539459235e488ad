/** From a decoded picture to faces with each model's answer; `inference/pipeline.py` in JavaScript. */

import { cropFace } from "./align.js";
import { checkRecord, read } from "./calibration.js";
import { FaceDetector } from "./detector.js";
import { qualityNotes } from "./quality.js";

/** @typedef {import("./pixels.js").Pixels} Pixels */
/** @typedef {import("./calibration.js").AgeInterval} AgeInterval */

/**
 * @typedef {object} ModelAnswer
 * @property {number} age Years.
 * @property {AgeInterval | null} interval null: the model was not calibrated.
 * @property {Float32Array} distribution Probabilities of the ages 0 to 116.
 * @property {"male" | "female"} gender The likelier of the data set's two labels.
 * @property {number} genderProbability Of that label.
 * @property {string[]} doubts Why this answer should not be relied on: `gender`, `wide`; beside the face's own notes.
 */

/**
 * @typedef {object} Face
 * @property {import("./boxes.js").Box} box
 * @property {import("./align.js").Points} landmarks
 * @property {number} score
 * @property {string[]} notes What makes the picture of it poor.
 * @property {Uint8Array} crop RGB, what the models saw.
 * @property {ModelAnswer[]} answers One a model, in the site's order.
 */

/** @typedef {import("./site.js").Site} Site */
/** @typedef {import("./calibration.js").CalibrationRecord} CalibrationRecord */
/** @typedef {Record<string, import("./detector.js").Answer>} Outputs */

/**
 * @typedef {object} Networks What runs the ONNX files.
 * @property {import("./detector.js").RunNetwork} detector
 * @property {{run: (image: Float32Array, dims: number[]) => Promise<Outputs>, calibration: CalibrationRecord | null}[]} models
 */

export class FacePredictor {
  /**
   * @param {Networks} networks
   * @param {Site} site
   */
  constructor(networks, site) {
    networks.models.forEach(({ calibration }) => checkRecord(calibration));
    this.models = networks.models;
    this.site = site;
    this.detector = new FaceDetector(networks.detector, site.detector.settings, site.crop);
  }

  /**
   * @param {Pixels} pixels An upright picture.
   * @returns {Promise<Face[]>} From left to right.
   */
  async predict(pixels) {
    const { crop, quality, answers } = this.site;
    const { found, turned } = await this.detector.detectAnyWayUp(pixels);
    const kept = found.slice(0, answers.most_faces).sort((a, b) => a.box[0] - b.box[0]);
    const faces = kept.map((one) => ({
      ...one,
      notes: qualityNotes(one, pixels, turned, crop, quality),
      crop: cropFace(pixels, one.landmarks, crop),
      answers: /** @type {ModelAnswer[]} */ ([]),
    }));
    for (let start = 0; start < faces.length; start += answers.batch) {
      await this.answer(faces.slice(start, start + answers.batch));
    }
    return faces;
  }

  /** @param {Face[]} faces Receive an answer of each model. */
  async answer(faces) {
    const { side } = this.site.crop;
    const size = 3 * side * side;
    const image = new Float32Array(size * faces.length);
    faces.forEach(({ crop }, i) => crop.forEach((value, j) => (image[i * size + j] = value / 255)));
    for (const { run, calibration } of this.models) {
      const outputs = await run(image, [faces.length, side, side, 3]);
      const years = outputs.age_distribution.data.length / faces.length;
      faces.forEach((face, i) => {
        const distribution = outputs.age_distribution.data.slice(i * years, (i + 1) * years);
        face.answers.push(this.reading(outputs.age.data[i], distribution, outputs.gender.data[i], calibration));
      });
    }
  }

  /**
   * @param {number} age
   * @param {Float32Array} distribution
   * @param {number} rawFemale
   * @param {CalibrationRecord | null} calibration
   * @returns {ModelAnswer}
   */
  reading(age, distribution, rawFemale, calibration) {
    if (!Number.isFinite(age) || !Number.isFinite(rawFemale)) throw new Error("a model answered no finite number");
    const { unsure_below: unsureBelow, unsure_from_years: widest, female_from: femaleFrom } = this.site.answers;
    const { interval, female, unsureGender } = read(calibration, age, distribution, rawFemale, unsureBelow);
    const gender = female >= femaleFrom ? "female" : "male";
    const doubts = unsureGender ? ["gender"] : [];
    if (interval && interval.high - interval.low > widest) doubts.push("wide");
    const genderProbability = gender === "female" ? female : 1 - female;
    return { age, interval, distribution, gender, genderProbability, doubts };
  }
}
