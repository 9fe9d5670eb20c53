// Values as people read them: Grafana's units, those of them that our dashboards use.

const SPANS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
const THOUSANDS = ["", " K", " Mil", " Bil", " Tri"];
const BINARY = [" B", " KiB", " MiB", " GiB", " TiB", " PiB"];

const digits = (value) => {
  const size = Math.abs(value);
  return size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
};

// Without zeros that say nothing, 2 and not 2.00, unless somebody asked for them.
const plain = (value, decimals, most = digits(value)) =>
  value.toLocaleString("en-US", { minimumFractionDigits: decimals ?? 0, maximumFractionDigits: decimals ?? most });

const scaled = (value, base, names, decimals) => {
  let step = 0;
  while (Math.abs(value) >= base && step < names.length - 1) {
    value /= base;
    step += 1;
  }
  return plain(value, decimals) + names[step];
};

function duration(seconds, decimals) {
  const size = Math.abs(seconds);
  if (size >= 0.0005 && size < 1) return `${plain(seconds * 1000, decimals)} ms`;
  for (const [name, length] of SPANS) {
    if (size >= length) return `${plain(seconds / length, decimals, 1)} ${name}`;
  }
  return "0 s";
}

const UNITS = {
  none: plain,
  short: (value, decimals) => scaled(value, 1000, THOUSANDS, decimals),
  locale: (value, decimals) => plain(value, decimals, Math.abs(value) >= 100 ? 0 : 1),
  percentunit: (value, decimals) => `${plain(value * 100, decimals, Math.abs(value) >= 1 ? 0 : 1)} %`,
  s: duration,
  bytes: (value, decimals) => scaled(value, 1024, BINARY, decimals),
  Bps: (value, decimals) => `${scaled(value, 1024, BINARY, decimals)}/s`,
  ops: (value, decimals) => `${scaled(value, 1000, THOUSANDS, decimals)}/s`,
  currencyUSD: (value, decimals) => `$ ${plain(value, decimals, Math.abs(value) < 1000 ? 2 : 0)}`,
};

const twice = (from, to) => Array.from({ length: to - from }, (_, at) => 2 ** (from + at));

/** Steps that an axis may have in a unit, where those of plain numbers would read badly. */
export const STEPS = {
  s: [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200,
    10800, 21600, 43200, 86400, 172800, 432000, 864000, 1728000, 4320000, 8640000,
  ],
  bytes: twice(0, 54),
  Bps: twice(0, 54),
};

export const knownUnits = Object.keys(UNITS);

/** A value in its unit; what is no number is a dash. */
export function format(value, unit = "none", decimals = undefined) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return (UNITS[unit] ?? UNITS.none)(value, decimals).replace(/^-(?=[0.]*(?![\d.]))/, "");
}

/** The colour that the thresholds give a value, by Grafana's name. */
export function level(value, thresholds) {
  let colour = "green";
  for (const step of thresholds?.steps ?? []) {
    if (step.value === null || value >= step.value) colour = step.color;
  }
  return colour;
}

/** Whether somebody set thresholds: one step alone is the colour of everything. */
export const hasLevels = (thresholds) => (thresholds?.steps?.length ?? 0) > 1;

/** The word and the colour that stand for a value, if there are such. */
export function word(value, mappings) {
  for (const mapping of mappings ?? []) {
    if (mapping.type === "value" && String(value) in mapping.options) return mapping.options[String(value)];
  }
  return undefined;
}
