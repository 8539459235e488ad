/** The page: takes photographs, shows their answers, and says what it is doing. */

import { Engine } from "./engine.js";
import { readSite } from "./engine/site.js";
import { element, known } from "./view/elements.js";
import { listen } from "./view/intake.js";
import { Photo } from "./view/photo.js";
import { counted, found, spoken } from "./view/words.js";

const state = known("state", HTMLElement);
const progress = known("progress", HTMLProgressElement);
const again = known("again", HTMLButtonElement);
const news = known("news", HTMLElement);
const results = known("results", HTMLElement);

/** @type {Set<Photo>} */
const photos = new Set();
const page = { titles: /** @type {string[]} */ ([]), cropSide: 0, shown: 0 };

const engine = new Engine({
  progress(done, total) {
    progress.hidden = false;
    [progress.value, progress.max] = [done, total];
    say(`Loading detector and models, once: ${megabytes(done)} of ${megabytes(total)} MB`);
  },
  ready() {
    progress.hidden = true;
    say("Ready. Everything is loaded: it works from here on without a connection.");
    document.documentElement.dataset.ready = "true";
  },
  failed: fail,
});

again.addEventListener("click", () => location.reload());
known("clear", HTMLButtonElement).addEventListener("click", () => {
  photos.forEach(remove);
  known("files", HTMLInputElement).focus();
});
listen(take, (reason) => say(reason, { isBad: true }));
const started = start();
started.catch((error) => fail(error.message));

/** Learn which models there are, and load them unless the visitor saves data. */
async function start() {
  say("Starting");
  const site = await readSite(new URL("site.json", document.baseURI));
  page.titles = site.models.map((model) => model.title);
  page.shown = page.titles.length - 1;
  page.cropSide = site.crop.side;
  known("version", HTMLElement).textContent = `agegender ${site.software}`;
  if (page.titles.length > 1) offerModels();
  const connection = /** @type {{saveData?: boolean} | undefined} */ (Reflect.get(navigator, "connection"));
  if (connection?.saveData) say("The first photograph loads detector and models.");
  else engine.open();
}

/** Let the visitor choose whose answers lie over the photographs. */
function offerModels() {
  const choice = known("shown", HTMLFieldSetElement);
  page.titles.forEach((title, model) => {
    const input = element("input", { type: "radio", name: "shown", id: `shown-${model}`, class: "unseen" });
    input.checked = model === page.shown;
    input.addEventListener("change", () => {
      page.shown = model;
      photos.forEach((photo) => photo.cover());
    });
    choice.append(input, element("label", { for: input.id }, title));
  });
  choice.hidden = false;
}

/** @param {File[]} files */
function take(files) {
  results.hidden = false;
  const added = files.map((file) => {
    const photo = new Photo(file, page, () => remove(photo));
    photos.add(photo);
    return { file, photo };
  });
  known("photos", HTMLElement).prepend(...added.map(({ photo }) => photo.article));
  for (const { file, photo } of added) answer(file, photo);
}

/**
 * @param {File} file
 * @param {Photo} photo
 */
async function answer(file, photo) {
  try {
    await started;
    const seen = await engine.look(file, () => photo.looking());
    if (!photos.has(photo)) return;
    photo.show(seen);
    announce(photo, seen);
  } catch (why) {
    const error = why instanceof Error ? why : new Error(String(why));
    photo.refuse(error);
    news.textContent = `${photo.name} could not be used. ${error.message}`;
  }
}

/**
 * @param {Photo} photo
 * @param {import("./engine.js").Seen} seen
 */
function announce(photo, { faces }) {
  const first = faces.slice(0, 3).map((face) => spoken(face, face.answers[page.shown]));
  const more = faces.length > first.length ? ` and ${counted(faces.length - first.length, "more", "more")}` : "";
  news.textContent = `${photo.name}: ${found(faces.length)}. ${first.join(". ")}${more}`;
}

/** @param {Photo} photo */
function remove(photo) {
  const next = photo.article.nextElementSibling?.querySelector("button");
  photo.remove();
  photos.delete(photo);
  results.hidden = !photos.size;
  (next ?? known("files", HTMLInputElement)).focus();
}

/** @param {string} why */
function fail(why) {
  progress.hidden = true;
  again.hidden = false;
  say(`The page could not be started: ${why}.`, { isBad: true });
}

/**
 * @param {string} text
 * @param {{isBad?: boolean}} kind
 */
function say(text, { isBad = false } = {}) {
  state.textContent = text;
  state.parentElement?.classList.toggle("bad", isBad);
  if (isBad) news.textContent = text;
}

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
