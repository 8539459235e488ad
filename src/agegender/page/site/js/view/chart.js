/** The age distributions of one face, one curve a model, with each answer and its interval below. */

import { drawing, element } from "./elements.js";
import { intervalWords, percent, years } from "./words.js";

/** @typedef {import("../engine/pipeline.js").Face} Face */

const WIDTH = 400;
const HEIGHT = 120;
const LAST_AGE = 116;
const ROW = 12;
const DASHES = [undefined, "6 4", "2 4", "9 3 2 3"];

/** @param {number} age */
const across = (age) => (age / LAST_AGE) * WIDTH;

/** @param {number} value */
const short = (value) => value.toFixed(1);

/**
 * @param {Face} face
 * @param {number} number From 1.
 * @param {string[]} titles Of the models.
 */
export function chartOf(face, number, titles) {
  const highest = Math.max(...face.answers.flatMap(({ distribution }) => Array.from(distribution)));
  const base = HEIGHT + 8 + ROW * titles.length;
  const svg = drawing("svg", { viewBox: `0 0 ${WIDTH} ${base + 20}`, role: "img", "aria-label": summary(face, titles) });
  face.answers.forEach((answer, model) => svg.append(...curve(answer.distribution, highest, model)));
  svg.append(line(0, HEIGHT, WIDTH, HEIGHT, { class: "axis" }));
  face.answers.forEach((answer, model) => svg.append(...reach(answer, HEIGHT + 2 + ROW * (model + 0.5), model)));
  for (let age = 0; age <= 100; age += 20) {
    svg.append(line(across(age), HEIGHT, across(age), base, { class: "axis" }));
    const anchor = age === 0 ? "start" : "middle";
    svg.append(drawing("text", { x: short(across(age)), y: String(base + 15), "text-anchor": anchor }, String(age)));
  }
  const caption = element("figcaption", {}, `Face ${number}: how likely each age is, in years`);
  return element("figure", { class: "chart" }, caption, svg, element("p", {}, explanation(face)));
}

/**
 * @param {Float32Array} shares
 * @param {number} highest
 * @param {number} model
 */
function curve(shares, highest, model) {
  const places = Array.from(shares, (share, age) => {
    return `${short(across(age))},${short(HEIGHT - (share / highest) * (HEIGHT - 6))}`;
  });
  const colour = `colour-${model}`;
  return [
    drawing("polygon", { class: `area ${colour}`, fill: "currentColor", points: `0,${HEIGHT} ${places.join(" ")} ${WIDTH},${HEIGHT}` }),
    drawing("polyline", { class: `curve ${colour}`, stroke: "currentColor", "stroke-dasharray": DASHES[model], points: places.join(" ") }),
  ];
}

/**
 * @param {import("../engine/pipeline.js").ModelAnswer} answer
 * @param {number} y
 * @param {number} model
 */
function reach({ age, interval }, y, model) {
  const colour = `colour-${model}`;
  const dot = drawing("circle", { class: colour, cx: short(across(age)), cy: String(y), r: "4.5", fill: "currentColor" });
  if (!interval) return [dot];
  const [low, high] = [across(interval.low), across(interval.high)];
  return [line(low, y, high, y, { class: `reach ${colour}`, stroke: "currentColor" }), dot];
}

/**
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {Record<string, string>} attributes
 */
function line(x1, y1, x2, y2, attributes) {
  const [from, to] = [{ x1: short(x1), y1: short(y1) }, { x2: short(x2), y2: short(y2) }];
  return drawing("line", { ...from, ...to, ...attributes });
}

/** @param {Face} face */
function explanation(face) {
  const interval = face.answers.find((answer) => answer.interval)?.interval;
  const dots = "Dots: the answers.";
  if (!interval) return `${dots} These models were not calibrated, so no interval can be promised.`;
  return `${dots} Lines: intervals that held the age for ${percent(interval.level)} of other faces.`;
}

/**
 * @param {Face} face
 * @param {string[]} titles
 */
function summary(face, titles) {
  const parts = face.answers.map((answer, model) => {
    const likeliest = answer.distribution.indexOf(Math.max(...answer.distribution));
    const words = intervalWords(answer);
    const held = answer.interval ? `, ${percent(answer.interval.level)} interval ${words}` : "";
    return `${titles[model]}: answer ${years(answer.age)} years, likeliest single age ${likeliest}${held}`;
  });
  return `Distribution over ages. ${parts.join(". ")}.`;
}
