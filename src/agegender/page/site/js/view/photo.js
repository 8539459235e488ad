/** One photograph on the page: waiting, answered or refused. */

import { boxesOf, isDense, stageOf } from "./boxes.js";
import { chartOf } from "./chart.js";
import { element } from "./elements.js";
import { tableOf } from "./table.js";
import { found } from "./words.js";

/** @typedef {import("../engine.js").Seen} Seen */

const MANY_FROM = 3;

export class Photo {
  /**
   * @param {File} file
   * @param {{titles: string[], cropSide: number, shown: number}} page What the page knows; `shown` is the model whose
   *   answers lie over the photographs.
   * @param {() => void} remove
   */
  constructor(file, page, remove) {
    this.name = file.name || "pasted picture";
    this.page = page;
    this.address = URL.createObjectURL(file);
    this.state = element("p", {}, "Waiting");
    this.body = element("div", { class: "photo-body alone" });
    this.closer = element("button", { type: "button", class: "plain", "aria-label": `Remove ${this.name}` }, "Remove");
    this.closer.addEventListener("click", remove);
    const head = element("div", { class: "photo-head" }, element("h3", {}, this.name), this.state, this.closer);
    this.article = element("article", { class: "photo", "aria-label": this.name }, head, this.body);
    /** @type {Seen | undefined} */ this.seen = undefined;
    this.chosen = 0;
  }

  /** Its turn has come. */
  looking() {
    this.state.textContent = "Looking for faces";
  }

  /** @param {Seen} seen */
  show(seen) {
    this.seen = seen;
    this.state.textContent = found(seen.faces.length);
    this.stage = stageOf(this.address, this.name);
    this.stage.classList.toggle("dense", isDense(seen));
    this.body.replaceChildren(this.stage);
    if (!seen.faces.length) {
      this.body.append(element("p", { class: "note" }, "Faces under some 24 pixels, hidden or turned far away are not found."));
      return;
    }
    this.body.classList.remove("alone");
    const { titles, cropSide } = this.page;
    this.table = tableOf(seen.faces, this.name, titles, cropSide, (face) => this.choose(face));
    this.chart = element("div", { class: "curves" });
    // The chart stands by the photograph where a long table would carry it away.
    this.body.classList.toggle("many", seen.faces.length >= MANY_FROM);
    this.body.replaceChildren(element("div", { class: "view" }, this.stage, this.chart), this.table);
    this.cover();
  }

  /** Lay the boxes over the photograph, with the answers of the model that the page shows. */
  cover() {
    if (!this.seen || !this.stage) return;
    for (const box of this.boxes ?? []) box.remove();
    const { titles, shown } = this.page;
    this.boxes = boxesOf(this.seen, shown, titles[shown], (face) => this.choose(face));
    this.stage.append(...this.boxes);
    this.choose(this.chosen);
  }

  /**
   * Show one face's distribution.
   * @param {number} face
   */
  choose(face) {
    const seen = this.seen;
    if (!seen?.faces.length) return;
    const rows = this.table?.tBodies[0].rows ?? [];
    this.chosen = face;
    for (let i = 0; i < seen.faces.length; i++) {
      rows[i]?.classList.toggle("chosen", i === face && seen.faces.length > 1);
      this.boxes?.[i].classList.toggle("chosen", i === face);
    }
    this.chart?.replaceChildren(chartOf(seen.faces[face], face + 1, this.page.titles));
  }

  /** @param {Error} why */
  refuse(why) {
    this.state.textContent = "Not used";
    this.body.replaceChildren(element("p", { class: "error" }, why.message));
  }

  /** Take it off the page. */
  remove() {
    URL.revokeObjectURL(this.address);
    this.article.remove();
  }
}
