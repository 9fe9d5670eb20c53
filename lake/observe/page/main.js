// The page of one dashboard: its panels, the time they show, and how often they are asked anew. All of it stands in the
// address, so that a link shows the same.

import { at, frame, read, trouble } from "./frame.js";
import { Panel } from "./panels.js";
import { labelValues } from "./query.js";

const RANGES = [
  ["now-15m", "15 minutes"], ["now-1h", "hour"], ["now-6h", "6 hours"], ["now-24h", "day"], ["now-7d", "week"],
  ["now-30d", "30 days"],
];
const REFRESH = [["", "off"], ["10s", "10 s"], ["30s", "30 s"], ["1m", "1 min"], ["5m", "5 min"]];
const SECONDS = { s: 1, m: 60, h: 3600, d: 86400 };
const ALL = "$__all";

const seconds = (text) => Number(text.slice(0, -1)) * SECONDS[text.at(-1)];
const address = new URLSearchParams(location.search);

// A value is put into a regular expression in a string; what is special in either is meant as it is.
const literal = (value) => value.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&").replaceAll('"', '\\"');

function option(value, text, chosen) {
  return new Option(text, value, false, value === chosen);
}

class Page {
  constructor(dashboard, prometheus) {
    this.dashboard = dashboard;
    this.prometheus = prometheus;
    this.from = address.get("from") ?? dashboard.time.from;
    this.to = address.get("to") ?? "now";
    this.refresh = address.get("refresh") ?? dashboard.refresh;
    this.chosen = {};
    this.zoom = (from, to) => this.show(String(Math.round(from * 1000)), String(Math.round(to * 1000)));
  }

  /** The stretch of time in Unix seconds, as of now. */
  get time() {
    const now = Math.floor(Date.now() / 1000);
    const read = (text) => (text.startsWith("now") ? now - (text === "now" ? 0 : seconds(text.slice(4))) : Number(text) / 1000);
    return { from: read(this.from), to: read(this.to) };
  }

  /** A link of Grafana's as one of this page. */
  resolve(url) {
    return url.replace("${__url_time_range}", `from=${this.from}&to=${this.to}`);
  }

  show(from, to = "now") {
    [this.from, this.to] = [from, to];
    this.remember();
    this.controls();
    this.ask();
  }

  remember() {
    address.set("from", this.from);
    address.set("to", this.to);
    address.set("refresh", this.refresh);
    history.replaceState(null, "", `?${address}`);
    for (const link of at("boards").querySelectorAll("a[href^='/d/']")) {
      link.href = `${link.pathname}?from=${this.from}&to=${this.to}`;
    }
  }

  controls() {
    const known = RANGES.some(([value]) => value === this.from) && this.to === "now";
    const day = (unix) => new Date(unix * 1000).toISOString().slice(5, 16).replace("T", " ");
    const { from, to } = this.time;
    at("range").replaceChildren(
      ...RANGES.map(([value, text]) => option(value, `last ${text}`, this.from)),
      ...(known ? [] : [option("", `${day(from)} – ${day(to)} UTC`, "")]),
    );
    at("refresh").replaceChildren(...REFRESH.map(([value, text]) => option(value, text, this.refresh)));
  }

  async choices() {
    for (const variable of this.dashboard.templating?.list ?? []) {
      const wanted = address.get(`var-${variable.name}`) ?? ALL;
      this.chosen[variable.name] = wanted === ALL ? variable.allValue : literal(wanted);
      const select = document.createElement("select");
      const label = document.createElement("label");
      label.append(`${variable.label} `, select);
      at("choices").append(label);
      select.append(option(ALL, "all", wanted));
      // Values are offered when they are known; the panels need not wait for them.
      labelValues(variable.query)
        .then((values) => select.append(...values.map((value) => option(value, value, wanted))))
        .catch(() => {});
      select.addEventListener("change", () => {
        address.set(`var-${variable.name}`, select.value);
        this.chosen[variable.name] = select.value === ALL ? variable.allValue : literal(select.value);
        this.remember();
        this.ask();
      });
    }
  }

  build() {
    this.panels = [];
    for (const each of this.dashboard.panels) {
      if (each.type === "row") {
        const heading = document.createElement("h2");
        heading.textContent = each.title;
        heading.style.setProperty("--y", each.gridPos.y + 1);
        at("panels").append(heading);
      } else {
        const panel = new Panel(each, this);
        this.panels.push(panel);
        at("panels").append(panel.element);
      }
    }
  }

  async ask() {
    clearTimeout(this.timer);
    if (!document.hidden) {
      await Promise.all(this.panels.map((panel) => panel.ask()));
      const broken = this.panels.filter(({ element }) => element.dataset.state === "broken");
      at("trouble").hidden = broken.length < this.panels.length;
      at("trouble").textContent = "Prometheus does not answer: `lake status` shows whether it runs, `lake up observe` starts it.";
      at("asked").textContent = `as of ${new Date().toISOString().slice(11, 19)} UTC`;
      document.body.dataset.asked = String(Number(document.body.dataset.asked ?? 0) + 1);
    }
    if (this.refresh) this.timer = setTimeout(() => this.ask(), seconds(this.refresh) * 1000);
  }

  listen() {
    at("range").addEventListener("change", (event) => this.show(event.target.value));
    at("refresh").addEventListener("change", (event) => {
      this.refresh = event.target.value;
      this.remember();
      this.ask();
    });
    at("again").addEventListener("click", () => this.ask());
    document.addEventListener("visibilitychange", () => document.hidden || this.ask());
    let width = innerWidth;
    let resized;
    addEventListener("resize", () => {
      if (innerWidth === width) return; // a phone's bars come and go
      width = innerWidth;
      clearTimeout(resized);
      resized = setTimeout(() => this.ask(), 200);
    });
  }
}

async function main() {
  const uid = location.pathname.split("/")[2];
  let page;
  const [dashboard, links] = await Promise.all([
    read(`/dashboards/${uid}`), frame(location.pathname, () => page?.ask()),
  ]);
  document.title = `${dashboard.title} · Shoplake`;
  at("about").textContent = dashboard.description;
  page = new Page(dashboard, links.Prometheus);
  page.controls();
  page.choices();
  page.build();
  page.listen();
  page.remember();
  await page.ask();
}

main().catch((error) => trouble(error.message));
