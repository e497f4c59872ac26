/** Files on a message: images show, everything else is a card to download. */

import { el } from "./dom.js";
import { fileSize } from "./format.js";
import { icon } from "./icons.js";

/** The node for the `files` of a message. */
export function renderFiles(files) {
  return el("div", { class: "files" }, files.map(fileCard));
}

function fileCard(file) {
  const address = localAddress(file.url_private ?? file.permalink);
  const download = el(
    "a",
    {
      class: "file-download",
      href: address,
      download: file.name,
      "aria-label": `Download ${file.name}`,
      title: "Download",
    },
    icon("download"),
  );
  const name = el("span", { class: "file-name" }, file.title || file.name, el("small", { text: fileSize(file.size) }));
  const isImage = file.mimetype?.startsWith("image/") && address;
  return el(
    "div",
    { class: `file ${isImage ? "file-image" : ""}`, dataset: { test: "file" } },
    el("div", { class: "file-head" }, icon("file"), name, address && download),
    isImage &&
      el(
        "a",
        { href: address, target: "_blank" },
        el("img", { src: address, alt: file.alt_txt ?? file.title ?? file.name, loading: "lazy" }),
      ),
  );
}

/** The path of a file that this workspace serves; null for one elsewhere. */
function localAddress(url) {
  if (!url) return null;
  const parsed = new URL(url, location.href);
  return parsed.port === location.port ? parsed.pathname + parsed.search : null;
}
