/** A table of answers: a row a face, a column a model. */

import { element } from "./elements.js";
import { doubtsOf, genderWords, intervalWords, percent, years } from "./words.js";

/** @typedef {import("../engine/pipeline.js").Face} Face */

/**
 * @param {Face[]} faces
 * @param {string} name Of the photograph.
 * @param {string[]} titles Of the models.
 * @param {number} cropSide Pixels.
 * @param {(face: number) => void} choose
 */
export function tableOf(faces, name, titles, cropSide, choose) {
  const heads = titles.map((title, model) => {
    const key = element("span", { class: `key colour-${model}${model % 2 ? " dashed" : ""}`, "aria-hidden": "true" });
    return element("th", { scope: "col" }, key, title);
  });
  const rows = faces.map((face, i) => {
    const row = element("tr", {}, headOf(face, i, cropSide), ...face.answers.map((answer) => cellOf(face, answer)));
    row.addEventListener("pointerenter", () => choose(i));
    return row;
  });
  return element(
    "table",
    {},
    element("caption", { class: "unseen" }, `Faces in ${name}, from left to right`),
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Face"), ...heads)),
    element("tbody", {}, ...rows),
  );
}

/**
 * @param {Face} face
 * @param {number} i
 * @param {number} side
 */
function headOf(face, i, side) {
  const canvas = element("canvas", { class: "crop", width: String(side), height: String(side), "aria-hidden": "true" });
  const image = new ImageData(side, side);
  for (let from = 0, to = 0; from < face.crop.length; to += 4) {
    image.data.set([face.crop[from++], face.crop[from++], face.crop[from++], 255], to);
  }
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return element("th", { scope: "row" }, element("span", { class: "unseen" }, "Face "), String(i + 1), canvas);
}

/**
 * @param {Face} face
 * @param {import("../engine/pipeline.js").ModelAnswer} answer
 */
function cellOf(face, answer) {
  const doubts = doubtsOf(face, answer);
  const exact = answer.age.toFixed(2);
  const cell = element("td", {}, element("data", { class: "age", value: exact }, years(answer.age)), " years");
  if (answer.interval) {
    const reach = `${intervalWords(answer)} (${percent(answer.interval.level)})`;
    cell.append(element("span", { class: "cell-line" }, reach));
  }
  cell.append(element("span", { class: "cell-line" }, genderWords(answer)));
  if (doubts.length) {
    cell.append(element("span", { class: "mark" }, "unsure"), element("span", { class: "cell-line" }, doubts.join(", ")));
  }
  return cell;
}
