// Search as you type: a combobox over the plain search form, which works without it.

const WAIT_MS = 150;
const input = document.getElementById("finder");
const list = document.getElementById("finder-hits");
const said = document.getElementById("finder-said");
let timer = 0;
let running = new AbortController();
let chosen = -1;

function pathOf(hit) {
  const parts = [hit.kind, hit.namespace, hit.name].map(encodeURIComponent).join("/");
  const more = { api_document: "api", page: "pages" }[hit.type];
  const path = `/entities/${parts}` + (more ? `/${more}/${encodeURIComponent(hit.part)}` : "");
  return more === "api" ? `${path}?q=${encodeURIComponent(input.value.trim())}` : path;
}

function option(hit, index) {
  const element = document.createElement("a");
  element.id = `finder-hit-${index}`;
  element.setAttribute("role", "option");
  element.setAttribute("aria-selected", "false");
  element.tabIndex = -1;
  element.href = pathOf(hit);
  const title = document.createElement("strong");
  title.textContent = hit.title;
  const where = document.createElement("small");
  where.textContent =
    hit.type === "entity" ? `${hit.kind} ${hit.namespace}/${hit.name}` : `${hit.entity_title}, ${hit.part}`;
  element.append(title, where);
  return element;
}

function show(hits) {
  // A later answer leaves chosen what the keyboard has chosen meanwhile.
  const kept = list.children[chosen]?.pathname;
  list.replaceChildren(...hits.map(option));
  choose([...list.children].findIndex((element) => element.pathname === kept));
  list.hidden = hits.length === 0;
  input.setAttribute("aria-expanded", String(hits.length > 0));
  said.textContent = hits.length === 1 ? "1 result" : `${hits.length} results`;
}

function close() {
  clearTimeout(timer);
  running.abort();
  list.hidden = true;
  choose(-1);
  input.setAttribute("aria-expanded", "false");
}

function choose(index) {
  chosen = index;
  [...list.children].forEach((element, position) => {
    element.setAttribute("aria-selected", String(position === index));
  });
  const element = list.children[index];
  if (!element) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", element.id);
  element.scrollIntoView({ block: "nearest" });
}

async function search() {
  const question = input.value.trim();
  running.abort();
  if (question.length < 2) return close();
  running = new AbortController();
  const query = new URLSearchParams({ q: question, limit: "8" });
  try {
    const answer = await fetch(`/api/v1/search?${query}`, { signal: running.signal });
    if (answer.ok) show((await answer.json()).items);
  } catch (error) {
    if (error.name !== "AbortError") close();
  }
}

function move(event) {
  const count = list.children.length;
  if (event.key === "Escape" && !list.hidden) {
    event.preventDefault();
    return close();
  }
  if (list.hidden || count === 0) return;
  if (event.key === "ArrowDown") choose((chosen + 1) % count);
  else if (event.key === "ArrowUp") choose(chosen <= 0 ? count - 1 : chosen - 1);
  else if (event.key === "Enter" && chosen >= 0) list.children[chosen].click();
  else return;
  event.preventDefault();
}

if (input) {
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, WAIT_MS);
  });
  input.addEventListener("keydown", move);
  input.form.addEventListener("focusout", (event) => {
    if (!input.form.contains(event.relatedTarget)) close();
  });
}
