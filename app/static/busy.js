// Says that a form is on its way, and keeps it from being sent twice.

for (const form of document.querySelectorAll("form.busy")) {
  const status = form.querySelector("[data-busy]");
  form.addEventListener("submit", (event) => {
    if (form.ariaBusy === "true") event.preventDefault();
    form.ariaBusy = "true";
    status.textContent = status.dataset.busy;
  });
  // A page that comes back from the browser's cache is not on its way any more.
  window.addEventListener("pageshow", () => {
    form.ariaBusy = "false";
    status.textContent = "";
  });
}
