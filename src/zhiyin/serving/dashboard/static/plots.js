// Draws what the pages on models compare: means with their ranges, and trials as points.
import { colours, written } from "./charts.js";
import { init } from "./vendor/echarts.js";

const plots = new Map(); // place on the page to its plot
const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const ROW = 38; // px of one model

function shared(look) {
  const text = { color: look.faint, fontFamily: look.font, fontSize: 12 };
  return {
    animation: !still.matches,
    aria: { enabled: false }, // the place has a name, and the table beside it the numbers
    textStyle: { fontFamily: look.font },
    tooltip: {
      renderMode: "richText", // HTML would need styles that our policy forbids
      backgroundColor: look.paper, borderColor: look.line, textStyle: { ...text, color: look.ink },
    },
    text,
  };
}

/** A row for each model, the best on top; a dashed line where the baseline stands. */
function intervals(spec, look) {
  const { text, ...rest } = shared(look);
  const rows = [...spec.rows].reverse();
  const colour = (row) => (row.role === "baseline" ? look.faint : row.role === "ceiling" ? look.series[2] : look.series[0]);
  const bar = (_, api) => {
    const row = rows[api.value(0)];
    const [mid, y] = api.coord([row.mean, api.value(0)]);
    const stroke = { stroke: colour(row), lineWidth: 2, fill: null };
    const dot = { type: "circle", shape: { cx: mid, cy: y, r: 5 }, style: { fill: colour(row) } };
    if (row.low == null) return { type: "group", children: [dot] };
    const [low] = api.coord([row.low, api.value(0)]);
    const [high] = api.coord([row.high, api.value(0)]);
    const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: stroke });
    return { type: "group", children: [line(low, y, high, y), line(low, y - 5, low, y + 5), line(high, y - 5, high, y + 5), dot] };
  };
  const range = (row) => (row.low == null ? "" : `\n${written(row.low, spec)} – ${written(row.high, spec)}`);
  return {
    ...rest,
    grid: { left: 4, right: 20, top: 8, bottom: 4, containLabel: true },
    tooltip: { ...rest.tooltip, trigger: "item", formatter: ({ dataIndex }) => `${rows[dataIndex].name}\n${written(rows[dataIndex].mean, spec)}${range(rows[dataIndex])}` },
    xAxis: {
      type: "value", scale: true, splitNumber: 4, axisLabel: { ...text, hideOverlap: true, formatter: (value) => written(value, { ...spec, digits: 3 }) },
      splitLine: { lineStyle: { color: look.line, type: [2, 4] } },
    },
    yAxis: {
      type: "category", data: rows.map((row) => row.name), axisTick: { show: false }, axisLine: { show: false },
      axisLabel: { ...text, color: look.ink, width: 130, overflow: "truncate" },
    },
    series: [{
      type: "custom", renderItem: bar, encode: { x: [1, 2, 3], y: 0 }, clip: false,
      data: rows.map((row, place) => [place, row.mean, row.low ?? row.mean, row.high ?? row.mean]),
      markLine: spec.base == null ? undefined : {
        silent: true, symbol: "none", precision: 8, label: { show: false }, lineStyle: { color: look.faint, type: [4, 4] }, data: [{ xAxis: spec.base }],
      },
    }],
  };
}

/** Trials in their order; who found what is told by colour, and by the table. */
function points(spec, look) {
  const { text, ...rest } = shared(look);
  return {
    ...rest,
    grid: { left: 4, right: 16, top: 36, bottom: 4, containLabel: true },
    legend: { left: 0, top: 0, type: "scroll", itemWidth: 10, itemHeight: 10, textStyle: { ...text, color: look.ink } },
    tooltip: { ...rest.tooltip, trigger: "item", formatter: ({ seriesName, value }) => `${seriesName} ${value[0]}\n${written(value[1], spec)}` },
    xAxis: { type: "value", min: 1, minInterval: 1, axisLabel: text, axisLine: { lineStyle: { color: look.ink } }, splitLine: { show: false } },
    yAxis: {
      type: "value", scale: true, splitNumber: 4, axisLabel: { ...text, formatter: (value) => written(value, { ...spec, digits: 3 }) },
      splitLine: { lineStyle: { color: look.line, type: [2, 4] } },
    },
    series: spec.series.map((one, place) => ({
      type: "scatter", name: one.name, data: one.points, symbolSize: 8, symbol: ["circle", "rect", "triangle", "diamond"][Math.floor(place / look.series.length) % 4],
      itemStyle: { color: look.series[place % look.series.length] },
    })),
  };
}

function draw(place) {
  const spec = JSON.parse(place.dataset.plot);
  if (spec.kind === "intervals") place.style.height = `${ROW * spec.rows.length + 46}px`;
  const known = plots.get(place) ?? init(place, null, { renderer: "canvas" });
  if (!plots.has(place)) {
    plots.set(place, known);
    new ResizeObserver(() => (place.isConnected ? known.resize() : forget(place))).observe(place);
  }
  known.setOption((spec.kind === "intervals" ? intervals : points)(spec, colours()), true);
  place.dataset.drawn = "true";
}

function forget(place) {
  plots.get(place)?.dispose();
  plots.delete(place);
}

function drawAll(part) {
  for (const place of part.querySelectorAll("[data-plot]")) draw(place);
}

dark.addEventListener("change", () => drawAll(document));
document.addEventListener("htmx:afterSwap", (event) => drawAll(event.detail.target ?? event.target));
drawAll(document);
