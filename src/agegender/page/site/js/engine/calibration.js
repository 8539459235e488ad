/**
 * A model's answer by the calibration in its manifest; applying `agegender.uncertainty` in JavaScript. Without a
 * calibration there is no interval, and a gender below a plain limit is unsure.
 */

import { rint } from "./pixels.js";

/** @typedef {{low: number, high: number, level: number}} AgeInterval Whole years, both ends included. */

/**
 * @typedef {object} Fitted
 * @property {string} method
 * @property {number} level
 * @property {number[]} edges
 * @property {(number | null)[]} thresholds null: infinite.
 */

/**
 * @typedef {object} CalibrationRecord
 * @property {number} version
 * @property {Fitted} age
 * @property {{temperature: {temperature: number}, unsure: {distance: number | null}}} gender
 */

/**
 * @typedef {object} Reading
 * @property {AgeInterval | null} interval
 * @property {number} female Probability of female, 0..1, calibrated where it was.
 * @property {boolean} unsureGender
 */

const VERSION = 1;
const LAST_AGE = 116;
const PROBABILITY_FLOOR = 1e-7;

/**
 * @param {CalibrationRecord | null} record
 * @param {number} age
 * @param {ArrayLike<number>} distribution
 * @param {number} female
 * @param {number} unsureBelow
 * @returns {Reading}
 */
export function read(record, age, distribution, female, unsureBelow) {
  if (!record) {
    return { interval: null, female, unsureGender: Math.max(female, 1 - female) < unsureBelow };
  }
  const size = logit(female);
  const { distance } = record.gender.unsure;
  return {
    interval: interval(record.age, age, distribution),
    female: sigmoid(size / record.gender.temperature.temperature),
    unsureGender: distance === null || Math.abs(size) < distance,
  };
}

/**
 * Refuse a calibration that this page cannot apply, before it is used.
 * @param {CalibrationRecord | null} record
 */
export function checkRecord(record) {
  if (!record) return;
  const { age, version } = record;
  if (version !== VERSION || !(age.method in LIMITS) || age.thresholds.length !== age.edges.length + 1) {
    throw new Error(`a calibration of version ${version} and method ${age?.method} is not known to this page`);
  }
}

/**
 * @param {Fitted} fitted
 * @param {number} age
 * @param {ArrayLike<number>} distribution
 * @returns {AgeInterval}
 */
export function interval(fitted, age, distribution) {
  const sum = Array.from(distribution).reduce((total, share) => total + share, 0);
  const shares = Array.from(distribution, (share) => share / sum);
  const group = fitted.edges.filter((edge) => edge <= age).length;
  const [low, high] = LIMITS[fitted.method](age, shares, fitted.thresholds[group] ?? Infinity, fitted.level);
  let [first, last] = [Math.ceil(low - 1e-9), Math.floor(high + 1e-9)];
  if (first > last) first = last = rint((low + high) / 2);
  return { low: withinAges(first), high: withinAges(last), level: fitted.level };
}

/** @param {number} year */
const withinAges = (year) => Math.min(Math.max(year, 0), LAST_AGE);

/** @param {number} probability */
function logit(probability) {
  const kept = Math.min(Math.max(probability, PROBABILITY_FLOOR), 1 - PROBABILITY_FLOOR);
  return Math.log(kept) - Math.log1p(-kept);
}

/** @param {number} value */
function sigmoid(value) {
  const small = Math.exp(-Math.abs(value));
  return value >= 0 ? 1 / (1 + small) : small / (1 + small);
}

/** @typedef {(age: number, shares: number[], threshold: number, level: number) => [number, number]} Limits */

/** Both ends in years, by method. @type {Record<string, Limits>} */
const LIMITS = {
  shortest: (_age, shares, threshold) => grown(shares, threshold),
  quantiles: (_age, shares, threshold, level) => {
    const [low, high] = middle(shares, level);
    return finite(low - threshold, high + threshold);
  },
  scaled: (age, shares, threshold) => {
    const half = threshold * spread(shares);
    return finite(age - half, age + half);
  },
  constant: (age, _shares, threshold) => finite(age - threshold, age + threshold),
  raw: (_age, shares, _threshold, level) => middle(shares, level),
};

/**
 * An infinite threshold means all ages.
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
const finite = (low, high) => [Math.max(low, -1), Math.min(high, LAST_AGE + 1)];

/**
 * @param {number[]} shares
 * @param {number} level
 * @returns {[number, number]}
 */
const middle = (shares, level) => [quantile(shares, (1 - level) / 2), quantile(shares, (1 + level) / 2)];

/**
 * The interval that grows from the likeliest year by the likelier neighbour while its mass is at most the threshold.
 * @param {number[]} shares
 * @param {number} threshold
 * @returns {[number, number]}
 */
function grown(shares, threshold) {
  let low = shares.indexOf(Math.max(...shares));
  let high = low;
  let mass = shares[low];
  let [first, last] = [low, high];
  for (let taken = 1; taken < shares.length; taken++) {
    const downwards = (shares[low - 1] ?? -1) >= (shares[high + 1] ?? -1);
    mass += downwards ? shares[--low] : shares[++high];
    if (Math.min(mass, 1) > threshold) break;
    [first, last] = [low, high];
  }
  return [first, last];
}

/**
 * The age below which a share of the distribution lies; each year's probability is spread evenly over the year.
 * @param {number[]} shares
 * @param {number} share
 */
function quantile(shares, share) {
  let before = 0;
  let place = 0;
  while (place < shares.length - 1 && before + shares[place] < share) before += shares[place++];
  const mass = shares[place];
  const part = mass > 0 ? (share - before) / mass : 0.5;
  return place - 0.5 + Math.min(Math.max(part, 0), 1);
}

/**
 * The standard deviation, that of a single year's width at the least.
 * @param {number[]} shares
 */
function spread(shares) {
  const mean = shares.reduce((sum, share, year) => sum + share * year, 0);
  const square = shares.reduce((sum, share, year) => sum + share * year * year, 0);
  return Math.sqrt(Math.max(square - mean * mean, 0) + 1 / 12);
}
