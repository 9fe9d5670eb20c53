// What all pages have in common: the way to the others above and below, and light or dark.

export const at = (id) => document.getElementById(id);

export async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`);
  return await answer.json();
}

/** A new element with some properties and what stands in it. */
export function element(name, properties = {}, ...inner) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...inner);
  return made;
}

/** Say what went wrong, where it is read first; nothing takes it away again. */
export function trouble(text) {
  at("trouble").hidden = !text;
  at("trouble").textContent = text;
}

function listenToTheme(changed) {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  at("theme").addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
    localStorage.setItem("theme", document.documentElement.dataset.theme);
    changed();
  });
}

/**
 * Draw the frame.
 *
 * @param path of this page; @param changed is called when light has become dark or the other way round.
 * @returns addresses of the other parts' pages, by name.
 */
export async function frame(path, changed = () => {}) {
  listenToTheme(changed);
  const [boards, links] = await Promise.all([read("/dashboards"), read("/links")]);
  const pages = [
    ...boards.map(({ uid, title, description }) => ({ href: `/d/${uid}`, textContent: title, title: description })),
    { href: "/logs", textContent: "Logs", title: "What all services have logged." },
    { href: "/docs/monitoring.md", textContent: "Guide", title: "How to watch the platform, with a runbook for each alert." },
  ];
  for (const page of pages) {
    const link = element("a", page);
    if (page.href === path) link.setAttribute("aria-current", "page");
    at("boards").append(link);
  }
  at("boards").querySelector("[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  for (const [name, url] of Object.entries(links)) at("links").append(element("a", { href: url, textContent: name }));
  return links;
}
