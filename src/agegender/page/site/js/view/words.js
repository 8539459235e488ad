/** Answers as people read them. */

/** @typedef {import("../engine/pipeline.js").Face} Face */
/** @typedef {import("../engine/pipeline.js").ModelAnswer} ModelAnswer */

/** @type {Record<string, string>} */
const DOUBTS = {
  small: "small in the picture",
  tilted: "tilted",
  turned_away: "turned away",
  cut_off: "partly outside the picture",
  faint: "perhaps no face",
  turned_picture: "the picture lies on its side or head",
  gender: "gender unclear",
  wide: "very wide interval",
};

/** @param {number} count @param {string} one @param {string} many */
export const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

/** @param {number} age Years. */
export const years = (age) => String(Math.round(age));

/** Never torn apart at the end of a line. @param {number} share */
export const percent = (share) => `${Math.round(100 * share)}\u00a0%`;

/** @param {ModelAnswer} answer */
export const intervalWords = ({ interval }) => (interval ? `${interval.low} to ${interval.high}` : "");

/** @param {ModelAnswer} answer */
export const genderWords = ({ gender, genderProbability }) => `${gender} ${percent(genderProbability)}`;

/**
 * Why an answer should not be relied on; empty where nothing speaks against it.
 * @param {Face} face
 * @param {ModelAnswer} answer
 */
export const doubtsOf = (face, answer) => [...face.notes, ...answer.doubts].map((word) => DOUBTS[word] ?? word);

/**
 * One sentence on a face, for those who hear the page.
 * @param {Face} face
 * @param {ModelAnswer} answer
 */
export function spoken(face, answer) {
  const reach = answer.interval ? `, ${intervalWords(answer)}` : "";
  const doubts = doubtsOf(face, answer);
  const unsure = doubts.length ? `, unsure: ${doubts.join(", ")}` : "";
  return `${years(answer.age)} years${reach}, ${genderWords(answer)}${unsure}`;
}

/**
 * What a photograph came to, in a few words.
 * @param {number} faces
 */
export const found = (faces) => (faces ? counted(faces, "face", "faces") : "No face found");
