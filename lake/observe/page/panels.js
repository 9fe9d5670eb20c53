// The four forms of a panel, from Grafana's own description of it: stat, bargauge, table, timeseries.

import { drawChart, drawSpark } from "./chart.js";
import { format, hasLevels, level, word } from "./format.js";
import { expand, instant, range, whyNothing } from "./query.js";
import { drawTable, merge } from "./table.js";

const element = (tag, className, text) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

const named = (labels, legend) => legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? "").trim();

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A panel on the page; `ask` brings it up to date. */
export class Panel {
  constructor(panel, page) {
    this.panel = panel;
    this.page = page;
    this.kept = {};
    this.charts = [];
    this.element = element("section", `panel ${panel.type}`);
    this.element.dataset.title = panel.title;
    this.element.dataset.state = "waiting";
    const { x, y, w, h } = panel.gridPos;
    this.element.style.setProperty("--x", x + 1);
    this.element.style.setProperty("--y", y + 1);
    this.element.style.setProperty("--w", w);
    this.element.style.setProperty("--h", h);
    this.body = element("div", "body");
    this.element.append(this.head(), this.body);
  }

  head() {
    const head = element("div", "head");
    const title = element("h3", "", this.panel.title);
    const info = element("button", "info", "i");
    info.title = this.panel.description;
    info.ariaLabel = `About: ${this.panel.title}`;
    const about = element("div", "about");
    about.hidden = true;
    about.append(element("p", "", this.panel.description));
    this.graph = Object.assign(element("a", "", "Ask it in Prometheus ↗"), { target: "_blank", rel: "noopener" });
    about.append(this.graph);
    info.addEventListener("click", () => {
      about.hidden = !about.hidden;
      info.setAttribute("aria-expanded", String(!about.hidden));
    });
    head.append(title);
    for (const { url, title: said } of this.panel.links ?? []) {
      const link = Object.assign(element("a", "more", "›"), { title: said, ariaLabel: said });
      link.dataset.to = url;
      head.append(link);
    }
    head.append(info, about);
    return head;
  }

  /** Ask Prometheus and draw what it says. */
  async ask() {
    const { time, chosen, prometheus } = this.page;
    for (const link of this.element.querySelectorAll("a.more")) link.href = this.page.resolve(link.dataset.to);
    const width = Math.max(200, this.body.clientWidth);
    const step = Math.max(15, Math.ceil((time.to - time.from) / Math.min(width / 2, 300) / 15) * 15);
    const asked = this.panel.targets.map((target) => ({
      ...target, expr: expand(target.expr, { time, step, chosen }),
    }));
    if (prometheus) this.graph.href = graph(prometheus, asked, time);
    try {
      const isNow = asked.every((target) => target.instant);
      const answers = await Promise.all(asked.map(async ({ expr, refId, legendFormat }) => ({
        refId, legend: legendFormat,
        ...(isNow ? { result: await instant(expr, time.to) } : await range(expr, time, step)),
      })));
      const some = answers.some(({ result, series }) => (result ?? series).length);
      if (!some) return await this.nothing(asked, time);
      this.release();
      this.draw(answers);
      this.element.dataset.state = "drawn";
    } catch (error) {
      this.say("broken", error.message);
    }
  }

  draw(answers) {
    const how = { stat: "figures", bargauge: "bars", table: "table", timeseries: "curves" }[this.panel.type];
    if (!how) throw new Error(`this page cannot draw panels of type ${this.panel.type}`);
    this[how](answers);
  }

  async nothing(asked, time) {
    const { missing, trouble } = await whyNothing(asked.map(({ expr }) => expr), time.to);
    const fine = this.panel.fieldConfig.defaults.noValue;
    if (fine && !trouble) return this.say("fine", fine);
    const why = missing.length ? "Nothing of the kind at this time." : "Nothing at this time, or nothing of what is chosen above.";
    this.say("empty", trouble || why, missing.length ? `There is no ${missing.join(", no ")}.` : "");
  }

  say(state, text, more = "") {
    this.release();
    this.element.dataset.state = state;
    const said = element("p", "said", text);
    said.title = more;
    if (more) said.append(element("small", "", more));
    this.body.replaceChildren(said);
  }

  release() {
    for (const chart of this.charts.splice(0)) chart.destroy();
  }

  figures(answers) {
    const { defaults } = this.panel.fieldConfig;
    const box = element("div", "figures");
    const sparks = [];
    for (const { result, series, instants, legend } of answers) {
      for (const each of result ?? series) {
        const value = result ? each.value : each.values.findLast((one) => one !== null);
        const name = named(each.labels, legend);
        const said = word(value, defaults.mappings);
        const colour = said?.color ?? (hasLevels(defaults.thresholds) ? level(value, defaults.thresholds) : "");
        const figure = element("div", "figure");
        const number = element("b", "", said?.text ?? format(value, defaults.unit, defaults.decimals));
        if (colour) number.dataset.level = colour;
        figure.append(number, element("small", "", name));
        if (series) {
          const spark = element("div", "spark");
          figure.append(spark);
          sparks.push([spark, instants, each.values]);
        }
        box.append(figure);
      }
    }
    this.element.classList.toggle("wide", box.childElementCount > 1);
    box.dataset.count = String(Math.min(box.childElementCount, 4));
    this.body.replaceChildren(box);
    for (const [spark, instants, values] of sparks) this.charts.push(drawSpark(spark, instants, values, css("--accent")));
  }

  bars([{ result, legend }]) {
    const { defaults } = this.panel.fieldConfig;
    const most = defaults.max ?? Math.max(...result.map(({ value }) => value), Number.MIN_VALUE);
    const list = element("div", "bars");
    for (const { labels, value } of result) {
      const row = element("div", "bar");
      const name = element("span", "", named(labels, legend));
      name.title = name.textContent;
      const track = element("div", "track");
      const bar = element("i");
      bar.style.width = `${Math.max(0, Math.min(1, value / most)) * 100}%`;
      if (hasLevels(defaults.thresholds)) bar.dataset.level = level(value, defaults.thresholds);
      track.append(bar);
      const said = word(value, defaults.mappings)?.text ?? format(value, defaults.unit, defaults.decimals);
      row.append(name, track, element("em", "", said));
      list.append(row);
    }
    this.body.replaceChildren(list);
  }

  table(answers) {
    drawTable(this.body, merge(answers, this.panel.transformations ?? []), this.panel, this.kept);
  }

  curves(answers) {
    const series = answers.flatMap(({ series: each, legend }) =>
      each.map(({ labels, values }) => ({ name: named(labels, legend), values })));
    const { defaults } = this.panel.fieldConfig;
    this.charts.push(drawChart(this.body, answers[0].instants, series, defaults, this.page.zoom));
  }
}

// Prometheus' own page with the same expressions over the same time.
function graph(address, asked, time) {
  const parameters = new URLSearchParams();
  asked.forEach(({ expr, instant: isNow }, at) => {
    parameters.set(`g${at}.expr`, expr);
    parameters.set(`g${at}.tab`, isNow ? "1" : "0");
    parameters.set(`g${at}.range_input`, `${Math.round(time.to - time.from)}s`);
    parameters.set(`g${at}.end_input`, new Date(time.to * 1000).toISOString().slice(0, 19).replace("T", " "));
  });
  return `${address}/graph?${parameters}`;
}
