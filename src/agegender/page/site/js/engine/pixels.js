/**
 * Pictures as plain arrays: resizing, turning, and the one transform, rounded as OpenCV rounds them, so that the page
 * answers what `agegender.inference` answers.
 */

/**
 * @typedef {object} Pixels RGB, three bytes a pixel, row by row.
 * @property {Uint8Array} data
 * @property {number} width
 * @property {number} height
 */

/** A 2 x 3 matrix, row by row, to be multiplied by (x, y, 1). @typedef {[number, number, number, number, number, number]} Affine */

/**
 * Round half to even, as NumPy, Python and OpenCV do.
 * @param {number} value
 */
export function rint(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/**
 * RGB of a canvas's RGBA.
 * @param {{data: Uint8ClampedArray, width: number, height: number}} image
 * @returns {Pixels}
 */
export function withoutAlpha(image) {
  const count = image.width * image.height;
  const data = new Uint8Array(3 * count);
  for (let from = 0, to = 0; to < data.length; from += 4) {
    data[to++] = image.data[from];
    data[to++] = image.data[from + 1];
    data[to++] = image.data[from + 2];
  }
  return { data, width: image.width, height: image.height };
}

/**
 * Which source pixels each of the new ones covers, and with what weight.
 * @param {number} from Pixels along an axis.
 * @param {number} to Fewer pixels.
 */
function coverage(from, to) {
  const scale = from / to;
  const first = new Int32Array(to + 1);
  /** @type {number[]} */ const source = [];
  /** @type {number[]} */ const weight = [];
  for (let i = 0; i < to; i++) {
    first[i] = source.length;
    const start = i * scale;
    const end = start + scale;
    const cell = Math.min(scale, from - start);
    const last = Math.min(Math.floor(end), from - 1);
    const whole = Math.min(Math.ceil(start), last);
    if (whole - start > 1e-3) {
      source.push(whole - 1);
      weight.push((whole - start) / cell);
    }
    for (let s = whole; s < last; s++) {
      source.push(s);
      weight.push(1 / cell);
    }
    if (end - last > 1e-3) {
      source.push(last);
      weight.push(Math.min(end - last, 1, cell) / cell);
    }
  }
  first[to] = source.length;
  return { first, source: Int32Array.from(source), weight: Float32Array.from(weight) };
}

/**
 * Shrink by averaging the area that each new pixel covers (OpenCV's INTER_AREA).
 * @param {Pixels} picture
 * @param {number} width At most the picture's.
 * @param {number} height Likewise.
 * @returns {Pixels}
 */
export function shrunk(picture, width, height) {
  const data = new Uint8Array(3 * width * height);
  const halved = picture.width === 2 * width && picture.height === 2 * height;
  const across = coverage(picture.width, width);
  const down = coverage(picture.height, height);
  const row = new Float32Array(3 * width);
  for (let y = 0; y < height; y++) {
    row.fill(0);
    for (let j = down.first[y]; j < down.first[y + 1]; j++) {
      addRow(row, picture, down.source[j], down.weight[j], across, width);
    }
    const to = 3 * width * y;
    for (let i = 0; i < row.length; i++) {
      // Halves are rounded up where OpenCV adds four whole numbers, else to even.
      data[to + i] = halved ? Math.floor(row[i] + 0.5) : rint(row[i]);
    }
  }
  return { data, width, height };
}

/**
 * Add one source row, shrunk along x, to a row of sums.
 * @param {Float32Array} sums
 * @param {Pixels} picture
 * @param {number} y
 * @param {number} share
 * @param {ReturnType<typeof coverage>} across
 * @param {number} width
 */
function addRow(sums, picture, y, share, across, width) {
  const { data } = picture;
  const start = 3 * picture.width * y;
  for (let x = 0; x < width; x++) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let i = across.first[x]; i < across.first[x + 1]; i++) {
      const from = start + 3 * across.source[i];
      const weight = across.weight[i];
      red += weight * data[from];
      green += weight * data[from + 1];
      blue += weight * data[from + 2];
    }
    sums[3 * x] += share * red;
    sums[3 * x + 1] += share * green;
    sums[3 * x + 2] += share * blue;
  }
}

/**
 * Resize bilinearly from pixel centres (OpenCV's INTER_LINEAR), for enlarging: in its whole numbers, weights of 2048ths.
 * @param {Pixels} picture
 * @param {number} width
 * @param {number} height
 * @returns {Pixels}
 */
export function enlarged(picture, width, height) {
  const data = new Uint8Array(3 * width * height);
  const across = neighbours(picture.width, width);
  const down = neighbours(picture.height, height);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const top = 3 * picture.width * down.low[y];
    const bottom = 3 * picture.width * down.high[y];
    for (let x = 0; x < width; x++) {
      const left = 3 * across.low[x];
      const right = 3 * across.high[x];
      const [near, far] = [across.near[x], across.far[x]];
      for (let c = 0; c < 3; c++) {
        const upper = (picture.data[top + left + c] * near + picture.data[top + right + c] * far) >> 4;
        const lower = (picture.data[bottom + left + c] * near + picture.data[bottom + right + c] * far) >> 4;
        data[to++] = (((down.near[y] * upper) >> 16) + ((down.far[y] * lower) >> 16) + 2) >> 2;
      }
    }
  }
  return { data, width, height };
}

/**
 * @param {number} from
 * @param {number} to
 */
function neighbours(from, to) {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const near = new Int32Array(to);
  const far = new Int32Array(to);
  for (let i = 0; i < to; i++) {
    const place = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    low[i] = Math.floor(place);
    high[i] = Math.min(low[i] + 1, from - 1);
    near[i] = rint((1 - (place - low[i])) * 2048);
    far[i] = rint((place - low[i]) * 2048);
  }
  return { low, high, near, far };
}

/**
 * Quarter turns against the clock (`numpy.rot90`).
 * @param {Pixels} picture
 * @param {number} quarters 0 to 3.
 * @returns {Pixels}
 */
export function turned({ data, width, height }, quarters) {
  const swapped = quarters % 2 === 1;
  const [newWidth, newHeight] = swapped ? [height, width] : [width, height];
  const result = new Uint8Array(data.length);
  let to = 0;
  for (let y = 0; y < newHeight; y++) {
    for (let x = 0; x < newWidth; x++) {
      let [fromX, fromY] = [x, y];
      if (quarters === 1) [fromX, fromY] = [width - 1 - y, x];
      else if (quarters === 2) [fromX, fromY] = [width - 1 - x, height - 1 - y];
      else if (quarters === 3) [fromX, fromY] = [y, height - 1 - x];
      const from = 3 * (fromY * width + fromX);
      result[to++] = data[from];
      result[to++] = data[from + 1];
      result[to++] = data[from + 2];
    }
  }
  return { data: result, width: newWidth, height: newHeight };
}

/**
 * Left and right changed places.
 * @param {Pixels} picture
 * @returns {Pixels}
 */
export function mirrored({ data, width, height }) {
  const result = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + x);
      result.set(data.subarray(from, from + 3), 3 * (y * width + width - 1 - x));
    }
  }
  return { data: result, width, height };
}

/**
 * Weights of the four pixels around a place by cubic convolution (OpenCV's INTER_CUBIC, a = -0.75).
 * @param {number} part How far the place lies beyond the second of them, 0 to 1.
 * @param {Float64Array} weights Receives the four.
 */
function cubic(part, weights) {
  const a = -0.75;
  const before = part + 1;
  const after = 1 - part;
  weights[0] = ((a * before - 5 * a) * before + 8 * a) * before - 4 * a;
  weights[1] = ((a + 2) * part - (a + 3)) * part * part + 1;
  weights[2] = ((a + 2) * after - (a + 3)) * after * after + 1;
  weights[3] = 1 - weights[0] - weights[1] - weights[2];
}

const columnWeights = new Float64Array(4);
const rowWeights = new Float64Array(4);

/**
 * One colour at a place between pixels, by cubic convolution; black outside the picture.
 * @param {Pixels} picture
 * @param {number} x
 * @param {number} y
 * @param {Float64Array} colour Receives red, green, blue, each rounded.
 */
export function sampled({ data, width, height }, x, y, colour) {
  const left = Math.floor(x);
  const top = Math.floor(y);
  cubic(x - left, columnWeights);
  cubic(y - top, rowWeights);
  colour.fill(0);
  for (let j = 0; j < 4; j++) {
    const row = top + j - 1;
    if (row < 0 || row >= height) continue;
    for (let i = 0; i < 4; i++) {
      const column = left + i - 1;
      if (column < 0 || column >= width) continue;
      const weight = columnWeights[i] * rowWeights[j];
      const from = 3 * (row * width + column);
      colour[0] += weight * data[from];
      colour[1] += weight * data[from + 1];
      colour[2] += weight * data[from + 2];
    }
  }
  for (let c = 0; c < 3; c++) colour[c] = Math.min(Math.max(rint(colour[c]), 0), 255);
}
