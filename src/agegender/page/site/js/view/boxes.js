/** Boxes over a photograph, each a button with its answer. */

import { element } from "./elements.js";
import { doubtsOf, genderWords, intervalWords, years } from "./words.js";

/** @typedef {import("../engine/pipeline.js").Face} Face */

const DENSE_FROM = 5;
const NARROW = 0.16;

/**
 * The picture, and nothing over it yet.
 * @param {string} address
 * @param {string} name
 */
export function stageOf(address, name) {
  return element("div", { class: "stage" }, element("img", { src: address, alt: `The photograph ${name}` }));
}

/**
 * @param {import("../engine.js").Seen} seen
 * @param {number} model Whose answers are shown.
 * @param {string} title Of that model.
 * @param {(face: number) => void} choose
 */
export function boxesOf({ width, height, faces }, model, title, choose) {
  return faces.map((face, i) => {
    const answer = face.answers[model];
    const doubts = doubtsOf(face, answer);
    const [left, top, right, bottom] = within(face.box, width, height);
    const classes = ["box", doubts.length ? "unsure" : "", top < 0.1 ? "top" : "", left + right > 1 ? "right" : ""];
    const box = element("button", { type: "button", class: classes.join(" ").trim() });
    box.style.left = `${100 * left}%`;
    box.style.top = `${100 * top}%`;
    box.style.width = `${100 * (right - left)}%`;
    box.style.height = `${100 * (bottom - top)}%`;
    const tag = tagOf(answer, doubts.length > 0);
    // What is heard holds what is seen, for those who steer by voice.
    const why = doubts.length ? `: ${doubts.join(", ")}` : "";
    box.setAttribute("aria-label", `Face ${i + 1} of ${faces.length}, ${title}: ${tag.textContent}${why}`);
    box.append(tag);
    for (const event of ["pointerenter", "focus", "click"]) box.addEventListener(event, () => choose(i));
    return box;
  });
}

/**
 * Whether whole labels would lie over each other.
 * @param {import("../engine.js").Seen} seen
 */
export function isDense({ width, faces }) {
  return faces.length >= DENSE_FROM || faces.some(({ box }) => faces.length > 1 && box[2] - box[0] < NARROW * width);
}

/**
 * @param {import("../engine/pipeline.js").ModelAnswer} answer
 * @param {boolean} unsure
 */
function tagOf(answer, unsure) {
  const reach = answer.interval ? ` (${intervalWords(answer)})` : "";
  const rest = element("span", {}, `${reach} · ${genderWords(answer)}${unsure ? " · unsure" : ""}`);
  return element("span", { class: "tag" }, element("b", {}, years(answer.age)), rest);
}

/**
 * A box as shares of the picture, cut off at its edges.
 * @param {import("../engine/boxes.js").Box} box
 * @param {number} width
 * @param {number} height
 */
function within([left, top, right, bottom], width, height) {
  /** @param {number} share */
  const kept = (share) => Math.min(Math.max(share, 0), 1);
  return [kept(left / width), kept(top / height), kept(right / width), kept(bottom / height)];
}
