// Curves, by uPlot, which Grafana draws its own with. A legend below tells the last and the greatest value of each.

import { format, STEPS } from "./format.js";

const HUES = ["#3b82c4", "#e08a1e", "#2f9e77", "#c5527f", "#8467c9", "#b5a21c", "#2aa5b5", "#a8643c", "#6d8a3a", "#7c8794"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LEGEND_ROWS = 4;

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const fade = (hue, share) => hue + Math.round(share * 255).toString(16).padStart(2, "0");
const last = (values) => values.findLast((value) => value !== null) ?? null;
const greatest = (values) => values.reduce((most, value) => (value !== null && (most === null || value > most) ? value : most), null);

// Each series lies on those before it, so that the upper edge is their sum.
function heap(lists) {
  const below = new Array(lists[0]?.length ?? 0).fill(0);
  return lists.map((values) => values.map((value, at) => (value === null ? null : (below[at] += value))));
}

// Hours of the day, and the day where one begins; days alone where they are many.
function instants(chart, splits, axis, space, increment) {
  return splits.map((at, index) => {
    const said = new Date(at * 1000).toISOString();
    const day = `${Number(said.slice(8, 10))} ${MONTHS[Number(said.slice(5, 7)) - 1]}`;
    if (increment >= 86400) return day;
    return at % 86400 === 0 && index > 0 ? day : said.slice(11, increment < 60 ? 19 : 16);
  });
}

function axes(unit) {
  const grid = { stroke: css("--line"), width: 1 };
  const text = { stroke: css("--soft"), font: "11px system-ui, sans-serif", ticks: { show: false }, grid };
  return [
    { ...text, space: 64, size: 24, gap: 4, grid: { show: false }, values: instants },
    {
      ...text, space: 32, gap: 6, ...(STEPS[unit] && { incrs: STEPS[unit] }),
      size: (chart, values) => 14 + 6.4 * Math.max(3, ...(values ?? []).map((each) => String(each).length)),
      values: (chart, splits) => splits.map((value) => format(value, unit)),
    },
  ];
}

function limits(thresholds, style) {
  return (chart) => {
    if (!style || style === "off") return;
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.lineWidth = devicePixelRatio;
    for (const { value, color } of thresholds?.steps ?? []) {
      if (value === null || value > chart.scales.y.max || value < chart.scales.y.min) continue;
      const y = chart.valToPos(value, "y", true);
      ctx.strokeStyle = css(`--${color}`);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.restore();
  };
}

// What lies under the pointer: the instant, and the series by size.
function tip(names, hues, lists, unit, decimals) {
  const box = document.createElement("div");
  box.className = "tip";
  return {
    hooks: {
      init: (chart) => {
        chart.over.append(box);
        chart.over.addEventListener("mouseleave", () => (box.hidden = true));
        box.hidden = true;
      },
      setCursor: (chart) => {
        const { idx, left, top } = chart.cursor;
        box.hidden = idx === null || idx === undefined || left < 0 || !chart.over.matches(":hover");
        if (box.hidden) return;
        const present = names
          .map((name, at) => ({ name, hue: hues[at], value: lists[at][idx] }))
          .filter(({ value }) => value !== null && value !== undefined)
          .sort((one, other) => other.value - one.value);
        box.replaceChildren();
        const when = document.createElement("b");
        when.textContent = new Date(chart.data[0][idx] * 1000).toISOString().slice(0, 19).replace("T", " ") + " UTC";
        box.append(when);
        for (const { name, hue, value } of present.slice(0, 10)) {
          const row = document.createElement("div");
          const mark = document.createElement("i");
          mark.style.background = hue;
          const words = document.createElement("span");
          words.textContent = name;
          const figure = document.createElement("em");
          figure.textContent = format(value, unit, decimals);
          row.append(mark, words, figure);
          box.append(row);
        }
        const right = left > chart.over.clientWidth / 2;
        box.style.left = right ? "" : `${left + 14}px`;
        box.style.right = right ? `${chart.over.clientWidth - left + 14}px` : "";
        box.style.top = `${Math.max(0, Math.min(top, chart.over.clientHeight - box.clientHeight))}px`;
      },
    },
  };
}

// `order` tells at which place each series of the chart stands in the lists.
function legend(chart, order, names, hues, lists, unit, decimals) {
  const table = document.createElement("table");
  table.className = "legend";
  const head = table.createTHead().insertRow();
  for (const title of ["", "last", "most"]) head.append(Object.assign(document.createElement("th"), { textContent: title }));
  const body = table.createTBody();
  names.forEach((name, at) => {
    const row = body.insertRow();
    const cell = row.insertCell();
    const mark = document.createElement("i");
    mark.style.background = hues[at];
    const button = document.createElement("button");
    button.append(mark, name);
    button.title = `Show or hide ${name}`;
    button.addEventListener("click", () => {
      const drawnAs = order.indexOf(at) + 1;
      const shown = !chart.series[drawnAs].show;
      chart.setSeries(drawnAs, { show: shown });
      row.classList.toggle("off", !shown);
    });
    cell.append(button);
    row.insertCell().textContent = format(last(lists[at]), unit, decimals);
    row.insertCell().textContent = format(greatest(lists[at]), unit, decimals);
  });
  return table;
}

/**
 * Draw series into an element.
 *
 * @param element what holds the chart; it has its size already.
 * @param instants,series the answer of Prometheus; every series with a name.
 * @param defaults the panel's fieldConfig.defaults.
 * @param onZoom called with the stretch of time that a person marked.
 */
export function drawChart(element, instants, series, defaults, onZoom) {
  const { unit, decimals, custom = {} } = defaults;
  const stacked = custom.stacking?.mode === "normal";
  // A series keeps its colour whatever its size; the largest come first in the legend and lie lowest in a heap.
  const hueOf = new Map(series.map(({ name }) => name).sort().map((name, at) => [name, HUES[at % HUES.length]]));
  const sorted = [...series].sort((one, other) => greatest(other.values) - greatest(one.values));
  const names = sorted.map(({ name }) => name);
  const hues = names.map((name) => hueOf.get(name));
  const lists = sorted.map(({ values }) => values);
  const drawn = stacked ? heap(lists) : lists;
  const plot = document.createElement("div");
  plot.className = "plot";
  element.replaceChildren(plot);

  // uPlot fills to zero; later series lie behind, so that each area shows only what it adds.
  const order = stacked ? [...names.keys()].reverse() : [...names.keys()];
  const height = Math.max(90, element.clientHeight - 19 * Math.min(names.length, LEGEND_ROWS) - 20);
  const lines = order.map((at) => ({
    label: names[at], stroke: hues[at], width: 1.5, points: { show: instants.length < 3 },
    fill: stacked ? fade(hues[at], 1) : fade(hues[at], (custom.fillOpacity ?? 0) / 100),
    spanGaps: false,
  }));
  const options = {
    width: element.clientWidth, height, tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    series: [{}, ...lines], axes: axes(unit), legend: { show: false },
    scales: {
      y: {
        range: (chart, low, high) => {
          const top = defaults.max ?? (high > 0 ? high * 1.08 : 1);
          return [Math.min(defaults.min ?? low ?? 0, low ?? 0), top];
        },
      },
    },
    cursor: { y: false, sync: { key: "all", scales: ["x", null] }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
    hooks: {
      draw: [limits(defaults.thresholds, custom.thresholdsStyle?.mode)],
      setSelect: [(chart) => {
        if (chart.select.width < 6) return;
        const from = chart.posToVal(chart.select.left, "x");
        onZoom(from, chart.posToVal(chart.select.left + chart.select.width, "x"));
      }],
    },
    plugins: [tip(names, hues, lists, unit, decimals)],
  };
  const chart = new uPlot(options, [instants, ...order.map((at) => drawn[at])], plot);
  const scroll = document.createElement("div");
  scroll.className = "legend-box";
  scroll.append(legend(chart, order, names, hues, lists, unit, decimals));
  element.append(scroll);
  return chart;
}

/** A curve without axes, to lie behind a figure. */
export function drawSpark(element, instants, values, hue) {
  const options = {
    width: element.clientWidth, height: element.clientHeight, legend: { show: false }, cursor: { show: false },
    axes: [{ show: false }, { show: false }], padding: [2, 0, 0, 0],
    series: [{}, { stroke: hue, width: 1.5, fill: fade(hue, 0.12), points: { show: false } }],
  };
  return new uPlot(options, [instants, values], element);
}
