/** The ways by which photographs come: chosen, dropped, pasted. */

import { known } from "./elements.js";

/**
 * @param {(files: File[]) => void} take
 * @param {(reason: string) => void} complain
 */
export function listen(take, complain) {
  const input = known("files", HTMLInputElement);
  const veil = known("veil", HTMLElement);
  input.addEventListener("change", () => {
    const files = Array.from(input.files ?? []);
    input.value = ""; // so that the same file can be chosen again
    if (files.length) take(files);
  });

  let depth = 0;
  const end = () => {
    depth = 0;
    veil.hidden = true;
  };
  document.addEventListener("dragenter", () => {
    depth++;
    veil.hidden = false;
  });
  document.addEventListener("dragleave", () => {
    if (--depth <= 0) end();
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    end();
    taken(event.dataTransfer);
  });
  document.addEventListener("paste", (event) => taken(event.clipboardData));

  /** @param {DataTransfer | null} data */
  function taken(data) {
    const files = Array.from(data?.files ?? []);
    if (files.length) take(files);
    else complain("That was no file. Save the picture first; nothing is fetched from other sites.");
  }
}
