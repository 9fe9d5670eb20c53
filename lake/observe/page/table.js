// Tables in pages: two thousand tables of a lake are two hundred of these.

import { format, hasLevels, level, word } from "./format.js";

/** The answers of several queries as rows: what has the same labels is one row. */
export function merge(answers, transformations) {
  const organize = transformations.find(({ id }) => id === "organize")?.options ?? {};
  const rename = organize.renameByName ?? {};
  const hidden = organize.excludeByName ?? {};
  const place = organize.indexByName ?? {};
  const rows = new Map();
  const names = new Set();
  for (const { refId, result } of answers) {
    const value = answers.length === 1 ? "Value" : `Value #${refId}`;
    names.add(value);
    for (const { labels, value: figure } of result) {
      const key = JSON.stringify(Object.entries(labels).sort());
      if (!rows.has(key)) rows.set(key, { ...labels });
      rows.get(key)[value] = figure;
      Object.keys(labels).forEach((name) => names.add(name));
    }
  }
  const columns = [...names]
    .filter((name) => !hidden[name])
    .sort((one, other) => (place[one] ?? 99) - (place[other] ?? 99))
    .map((name) => ({ key: name, title: rename[name] ?? name, isFigure: name.startsWith("Value") }));
  return { columns, rows: [...rows.values()] };
}

function compare(key, descending) {
  const sign = descending ? -1 : 1;
  return (one, other) => {
    const [left, right] = [one[key], other[key]];
    if (left === undefined || right === undefined) return (left === undefined) - (right === undefined);
    return sign * (typeof left === "number" ? left - right : String(left).localeCompare(String(right)));
  };
}

function settingsOf(title, fieldConfig) {
  const own = fieldConfig.overrides.find(({ matcher }) => matcher.options === title)?.properties ?? [];
  return Object.fromEntries(own.map(({ id, value }) => [id, value]));
}

function fill(cell, value, { unit, decimals, mappings, thresholds }) {
  if (typeof value !== "number") {
    cell.textContent = value ?? "–";
    return;
  }
  const said = word(value, mappings);
  cell.textContent = said?.text ?? format(value, unit, decimals);
  const colour = said?.color ?? (hasLevels(thresholds) ? level(value, thresholds) : "");
  if (colour) cell.dataset.level = colour;
}

/** An alert leads to what to do about it: lint sees to it that each has a runbook. */
function runbook(alert) {
  return Object.assign(document.createElement("a"), { href: `/docs/runbooks/${encodeURIComponent(alert)}.md`, textContent: alert });
}

/**
 * Draw rows into an element.
 *
 * @param kept what a person chose before the last refresh: page, order, filter. It is written to.
 */
export function drawTable(element, { columns, rows }, panel, kept) {
  const first = panel.options.sortBy?.[0];
  kept.by ??= columns.find(({ title }) => title === first?.displayName)?.key ?? columns[0].key;
  kept.descending ??= first?.desc ?? false;
  kept.page ??= 0;
  kept.filter ??= "";
  // A narrow page gives a table the height that it needs, a wide one the place of its panel.
  const size = matchMedia("(max-width: 720px)").matches ? 8 : Math.max(4, Math.floor((element.clientHeight - 60) / 26));

  const draw = () => {
    const needle = kept.filter.toLowerCase();
    const matching = rows
      .filter((row) => !needle || columns.some(({ key }) => String(row[key] ?? "").toLowerCase().includes(needle)))
      .sort(compare(kept.by, kept.descending));
    const pages = Math.max(1, Math.ceil(matching.length / size));
    kept.page = Math.min(kept.page, pages - 1);

    const table = document.createElement("table");
    table.className = "rows";
    const head = table.createTHead().insertRow();
    for (const { key, title, isFigure } of columns) {
      const cell = document.createElement("th");
      const button = document.createElement("button");
      button.textContent = title + (key === kept.by ? (kept.descending ? " ↓" : " ↑") : "");
      button.addEventListener("click", () => {
        kept.descending = key === kept.by ? !kept.descending : isFigure;
        kept.by = key;
        draw();
      });
      cell.classList.toggle("figure", isFigure);
      cell.append(button);
      head.append(cell);
    }
    const body = table.createTBody();
    for (const row of matching.slice(kept.page * size, (kept.page + 1) * size)) {
      const line = body.insertRow();
      for (const { key, title, isFigure } of columns) {
        const cell = line.insertCell();
        cell.classList.toggle("figure", isFigure);
        if (key === "alertname" && row[key]) cell.append(runbook(row[key]));
        else fill(cell, row[key], settingsOf(title, panel.fieldConfig));
      }
    }
    const scroll = document.createElement("div");
    scroll.className = "scroll";
    scroll.append(table);
    holder.replaceChildren(scroll);
    turn(pages, matching.length);
  };

  const holder = document.createElement("div");
  holder.className = "table-body";
  const foot = document.createElement("div");
  foot.className = "pages";
  const search = Object.assign(document.createElement("input"), {
    type: "search", placeholder: "filter", value: kept.filter, ariaLabel: `Filter: ${panel.title}`,
  });
  search.addEventListener("input", () => {
    kept.filter = search.value;
    kept.page = 0;
    draw();
  });
  const where = document.createElement("span");
  const back = Object.assign(document.createElement("button"), { textContent: "‹", ariaLabel: "Page before" });
  const on = Object.assign(document.createElement("button"), { textContent: "›", ariaLabel: "Next page" });
  back.addEventListener("click", () => { kept.page -= 1; draw(); });
  on.addEventListener("click", () => { kept.page += 1; draw(); });
  foot.append(search, back, where, on);
  const turn = (pages, count) => {
    foot.hidden = rows.length <= size;
    where.textContent = `${kept.page + 1} of ${pages} (${count} rows)`;
    back.disabled = kept.page === 0;
    on.disabled = kept.page >= pages - 1;
  };
  element.replaceChildren(holder, foot);
  draw();
}
