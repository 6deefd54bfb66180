// Draws what zhiyin.serving.dashboard.charts describes, in the colours of the page.
import { locale } from "./locale.js";
import { init } from "./vendor/echarts.js";

const charts = new Map(); // place on the page to its chart
const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** The colours and the font of the page, as a canvas wants them. */
export function colours() {
  const probe = document.body.appendChild(document.createElement("i")); // only a used colour is resolved to one
  const of = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = {
    ink: of("ink"), faint: of("faint"), line: of("line"), paper: of("paper"),
    series: [1, 2, 3, 4, 5].map((n) => of(`series-${n}`)), font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return found;
}

/** A value with its unit. */
export function written(value, spec) {
  if (value == null) return "–";
  const options = { minimumFractionDigits: spec.digits, maximumFractionDigits: spec.digits };
  return new Intl.NumberFormat(locale, options).format(value) + (spec.unit ? `\u00a0${spec.unit}` : "");
}

function short(label) {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(label) ? new Date(`${label}T00:00:00Z`) : null;
  return day ? new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", timeZone: "UTC" }).format(day) : label;
}

function drawn(series, place, colour) {
  const shared = { name: series.name, data: series.values, itemStyle: { color: colour } };
  if (series.kind === "line") {
    return { ...shared, type: "line", symbolSize: 7, lineStyle: { color: colour, width: 2.5 }, connectNulls: false };
  }
  return { ...shared, type: "bar", stack: series.stack || undefined, barMaxWidth: 34, barCategoryGap: "28%" };
}

function option(spec) {
  const { ink, faint, line, paper, series, font } = colours();
  const text = { color: faint, fontFamily: font, fontSize: 12 };
  return {
    animation: !still.matches,
    aria: { enabled: false }, // the place on the page has a name, and the table beside it the numbers
    textStyle: { fontFamily: font },
    grid: { left: 4, right: 12, top: spec.series.length > 1 ? 36 : 16, bottom: 4, containLabel: true },
    legend: { show: spec.series.length > 1, left: 0, top: 0, icon: "rect", itemWidth: 12, itemHeight: 12, textStyle: { ...text, color: ink } },
    tooltip: {
      trigger: "axis", renderMode: "richText", // HTML would need styles that our policy forbids
      backgroundColor: paper, borderColor: line, textStyle: { ...text, color: ink },
      valueFormatter: (value) => written(value, spec),
    },
    xAxis: {
      type: "category", data: spec.labels.map(short), axisTick: { show: false },
      axisLine: { lineStyle: { color: ink } }, axisLabel: { ...text, hideOverlap: true },
    },
    yAxis: {
      type: "value", min: 0, minInterval: spec.digits === 0 ? 1 : 0, splitNumber: 4, axisLabel: { ...text, formatter: (value) => written(value, { ...spec, digits: 0 }) },
      splitLine: { lineStyle: { color: line, type: [2, 4] } },
    },
    series: spec.series.map((one, place) => drawn(one, place, series[place % series.length])),
  };
}

/** Draws the chart of a place, or draws it anew. */
export function draw(place) {
  const known = charts.get(place) ?? init(place, null, { renderer: "canvas" });
  if (!charts.has(place)) {
    charts.set(place, known);
    new ResizeObserver(() => (place.isConnected ? known.resize() : forget(place))).observe(place);
  }
  known.setOption(option(JSON.parse(place.dataset.chart)), true);
  place.dataset.drawn = "true";
}

function forget(place) {
  charts.get(place)?.dispose();
  charts.delete(place);
}

dark.addEventListener("change", () => {
  for (const place of charts.keys()) draw(place);
});
