// Offers entries of the catalogue while somebody types the other end of a relation.

const WAIT_MS = 150;
const field = document.getElementById("target");
const offered = document.getElementById("relation-targets");
let timer = 0;

function option(hit) {
  const element = document.createElement("option");
  element.value = `${hit.kind}:${hit.namespace}/${hit.name}`;
  element.label = hit.title;
  return element;
}

async function offer() {
  const query = new URLSearchParams({ q: field.value, limit: "20" });
  const answer = await fetch(`/api/v1/search?${query}`);
  if (!answer.ok) return;
  const { items } = await answer.json();
  offered.replaceChildren(...items.filter((hit) => hit.type === "entity").map(option));
}

field?.addEventListener("input", () => {
  clearTimeout(timer);
  // One of those that are offered was chosen.
  if ([...offered.children].some((known) => known.value === field.value)) return;
  timer = setTimeout(offer, WAIT_MS);
});
