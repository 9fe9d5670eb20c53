// What is asked of Prometheus, through the server that this page comes from.

const SCRAPE_SECONDS = 30; // the longest scrape_interval of infra/prometheus/prometheus.yml
const PART_OF = [
  ["shoplake_", "lake"], ["mysql_", "mysql"], ["node_", "node"], ["airflow_", "airflow"], ["prometheus_", "prometheus"],
  ["ALERTS", "prometheus"],
];

async function ask(path, parameters) {
  const answer = await fetch(`/api/v1/${path}`, { method: "POST", body: new URLSearchParams(parameters) });
  let body;
  try {
    body = await answer.json();
  } catch {
    throw new Error(`Prometheus answered ${answer.status}, and nothing that can be read`);
  }
  if (body.status !== "success") throw new Error(body.error ?? `Prometheus answered ${answer.status}`);
  return body.data;
}

/** The expression with Grafana's variables put in. */
export function expand(expr, { time, step, chosen }) {
  const own = {
    __rate_interval: `${Math.max(4 * SCRAPE_SECONDS, step + SCRAPE_SECONDS)}s`,
    __interval: `${step}s`,
    __range: `${Math.max(60, Math.round(time.to - time.from))}s`,
  };
  return expr.replace(/\$(\w+)/g, (whole, name) => own[name] ?? chosen[name] ?? whole);
}

/** Series now: their labels and one value each. */
export async function instant(expr, at) {
  const data = await ask("query", { query: expr, time: at });
  return data.result.map((each) => ({ labels: each.metric, value: Number(each.value[1]) }));
}

/** Series over time: their labels, and a value or null for each of the common instants. */
export async function range(expr, { from, to }, step) {
  const start = Math.ceil(from / step) * step;
  const data = await ask("query_range", { query: expr, start, end: to, step });
  const instants = [];
  for (let at = start; at <= to; at += step) instants.push(at);
  const place = new Map(instants.map((at, index) => [at, index]));
  const series = data.result.map((each) => {
    const values = new Array(instants.length).fill(null);
    for (const [at, value] of each.values) {
      const number = Number(value);
      if (place.has(at) && Number.isFinite(number)) values[place.get(at)] = number;
    }
    return { labels: each.metric, values };
  });
  return { instants, series: series.filter(({ values }) => values.some((value) => value !== null)) };
}

/** Values that a label has, for `label_values(metric, label)`. */
export async function labelValues(query) {
  const [, metric, label] = query.match(/^label_values\((.+),\s*(\w+)\)$/);
  return await ask(`label/${label}/values`, { "match[]": metric });
}

/** Names of the metrics in an expression: what is neither a function, nor a label, nor a string. */
export function metricsOf(expr) {
  const bare = expr
    .replace(/"(\\.|[^"\\])*"/g, '""')
    .replace(/\{[^}]*\}/g, "{}")
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ")
    .replace(/\[[^\]]*\]/g, " ");
  const words = bare.match(/[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()/g) ?? [];
  const reserved = new Set(["and", "or", "unless", "bool", "offset"]);
  return [...new Set(words.filter((each) => !reserved.has(each)))];
}

const partOf = (metric) => PART_OF.find(([prefix]) => metric.startsWith(prefix))?.[1];

// What keeps a part from telling what it knows, in words; nothing where it tells all.
async function trouble(part, at) {
  const up = await instant(`max(up{job="${part}"})`, at);
  if (!up.length) return `Prometheus does not look at the part “${part}” at this time.`;
  if (up[0].value !== 1) return `The part “${part}” does not answer Prometheus.`;
  if (part !== "lake") return "";
  const failing = await instant("shoplake_exporter_up == 0", at);
  const names = failing.map(({ labels }) => labels.collector).sort();
  return names.length ? `The lake's exporter could not collect ${names.join(", ")}.` : "";
}

/**
 * Why expressions gave nothing: which of their metrics are missing, and what keeps their part from telling them.
 * Without a trouble it is for the panel to say what nothing means.
 */
export async function whyNothing(expressions, at) {
  const metrics = [...new Set(expressions.flatMap(metricsOf))];
  const found = await instant(`count by (__name__) ({__name__=~"${metrics.join("|")}"})`, at);
  const there = new Set(found.map(({ labels }) => labels.__name__));
  const missing = metrics.filter((name) => !there.has(name));
  const part = missing.map(partOf).find(Boolean);
  return { missing, trouble: part ? await trouble(part, at) : "" };
}
