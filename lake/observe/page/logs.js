// The page of the logs: a search, what it found, and the searches that have a name. All of what is asked stands in the
// address, so that a link shows the same.

import { at, element, frame, read, trouble } from "./frame.js";

const SINCE = [["15m", "15 minutes"], ["1h", "hour"], ["6h", "6 hours"], ["1d", "day"], ["7d", "week"], ["", "all that is kept"]];
const STEP = 200;
const MOST = 10000;
const LEVELS = { critical: "red", error: "red", warning: "yellow", info: "blue" };
// What a line says elsewhere already, or only machines read.
const SHOWN = new Set(["timestamp", "level", "service", "event", "error", "rest"]);

const asked = at("asked").elements;
const address = new URLSearchParams(location.search);
const names = ["text", "service", "level", "run", "table", "since"];
let lines = STEP;

function offer(name, values, every) {
  const chosen = address.get(name) ?? "";
  const all = values.includes(chosen) || !chosen ? values : [chosen, ...values];
  asked[name].replaceChildren(new Option(every, ""), ...all.map((value) => new Option(value, value, false, value === chosen)));
}

function show(line) {
  const [day, time] = [line.timestamp.slice(0, 10), line.timestamp.slice(11, 23)];
  const level = element("span", { className: "level", textContent: line.level });
  if (LEVELS[line.level]) level.dataset.level = LEVELS[line.level];
  const summary = element(
    "summary", {},
    element("time", { dateTime: line.timestamp, textContent: `${day} ${time}`, title: "UTC" }),
    level,
    element("span", { className: "who", textContent: line.service ?? "", title: line.task ?? "" }),
    element("span", { className: "what", textContent: line.event }),
  );
  const details = element("details", {}, summary);
  // What is seldom looked at is made when somebody does.
  details.addEventListener("toggle", () => details.open && details.childElementCount === 1 && details.append(rest(line)));
  return element("li", {}, details);
}

function rest(line) {
  const told = { ...Object.fromEntries(Object.entries(line).filter(([name]) => !SHOWN.has(name))), ...line.rest };
  const list = element("dl");
  for (const [name, value] of Object.entries(told)) {
    if (value === "" || value === null) continue;
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const shown = name === "run" || name === "table" ? element("a", { href: `?${new URLSearchParams({ [name]: text })}`, textContent: text }) : text;
    list.append(element("dt", { textContent: name }), element("dd", {}, shown));
  }
  if (line.error) list.append(element("dt", { textContent: "error" }), element("dd", { textContent: line.error }));
  return list;
}

async function ask() {
  const query = new URLSearchParams({ lines });
  for (const name of [...names, "saved"]) if (address.get(name)) query.set(name, address.get(name));
  at("told").textContent = "asking …";
  const answer = await fetch(`/logs/found?${query}`);
  const found = await answer.json();
  if (answer.ok) {
    trouble("");
    // The newest first: whoever opens the page wants to know what has just happened.
    at("lines").replaceChildren(...found.lines.reverse().map(show));
    const now = `as of ${new Date().toISOString().slice(11, 19)} UTC`;
    at("told").textContent = found.total ? `${found.total.toLocaleString("en-US")} lines, the newest first, ${now}` : `no line was found, ${now}`;
    at("more").hidden = found.lines.length >= found.total || lines >= MOST;
  } else {
    at("lines").replaceChildren();
    at("told").textContent = "";
    at("more").hidden = true;
    trouble(found.fix ? `${found.error} – ${found.fix}` : found.error);
  }
  document.body.dataset.asked = String(Number(document.body.dataset.asked ?? 0) + 1);
}

function fill(searches) {
  for (const name of ["text", "run", "table"]) asked[name].value = address.get(name) ?? "";
  asked.since.replaceChildren(...SINCE.map(([value, text]) => new Option(text, value, false, value === (address.get("since") ?? ""))));
  const chosen = address.get("saved");
  at("saved").replaceChildren(
    ...searches.map(({ name, title, about }) => {
      const link = element("a", { href: name === chosen ? "/logs" : `?saved=${name}`, textContent: title, title: about });
      if (name === chosen) link.setAttribute("aria-current", "true");
      return link;
    }),
  );
}

function listen() {
  at("asked").addEventListener("submit", (event) => {
    event.preventDefault();
    for (const name of names) asked[name].value ? address.set(name, asked[name].value.trim()) : address.delete(name);
    history.pushState(null, "", `?${address}`);
    lines = STEP;
    ask().catch(broken);
  });
  at("again").addEventListener("click", () => ask().catch(broken));
  at("more").addEventListener("click", () => {
    lines = Math.min(MOST, lines * 5);
    ask().catch(broken);
  });
  addEventListener("popstate", () => location.reload());
}

const broken = (error) => trouble(error.message);

async function main() {
  const [searches] = await Promise.all([read("/logs/saved"), frame("/logs")]);
  fill(searches);
  offer("service", [], "all");
  offer("level", [], "all");
  listen();
  await ask();
  const values = await read("/logs/values");
  offer("service", values.service, "all");
  offer("level", values.level, "all");
}

main().catch(broken);
