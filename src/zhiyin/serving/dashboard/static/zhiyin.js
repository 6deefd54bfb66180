// What the pages do in a browser: local dates, dialogs, charts. Everything works without it, only plainer.
import { locale } from "./locale.js";

const STYLES = {
  moment: { dateStyle: "medium", timeStyle: "short" },
  day: { dateStyle: "medium" },
};
const STEPS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** "2 hours ago", in the language of the page. */
function ago(moment) {
  const seconds = (moment - Date.now()) / 1_000;
  const [unit, length] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(Math.trunc(seconds / length), unit);
}

/** Writes every <time> of a part of the page in the time of the reader. */
function writeTimes(part) {
  for (const time of part.querySelectorAll("time[data-style]")) {
    const moment = new Date(time.dateTime);
    const full = new Intl.DateTimeFormat(locale, STYLES.moment).format(moment);
    const style = time.dataset.style;
    time.textContent = style === "ago" ? ago(moment) : new Intl.DateTimeFormat(locale, STYLES[style]).format(moment);
    if (style !== "moment") time.title = full;
  }
}

/** Draws every chart of a part of the page; the library comes only where there is one. */
async function drawCharts(part) {
  const places = part.querySelectorAll("[data-chart]");
  if (places.length === 0) return;
  const { draw } = await import("./charts.js");
  for (const place of places) draw(place);
}

function enhance(part) {
  writeTimes(part);
  drawCharts(part);
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog).showModal();
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
});
document.addEventListener("htmx:afterSwap", (event) => enhance(event.detail.target ?? event.target));
document.addEventListener("htmx:sseBeforeMessage", (event) => {
  if (event.target.querySelector("dialog[open]")) event.preventDefault(); // nobody's question goes away under their hands
});
document.addEventListener("htmx:sseMessage", (event) => enhance(event.target));
document.addEventListener("zhiyin:shown", (event) => enhance(event.detail.target)); // of a page's own script
setInterval(() => writeTimes(document), 30_000); // what is "a minute ago" does not stay so
enhance(document);
