// Starts Swagger UI from a file: a page without inline script can have a strict CSP.

const element = document.getElementById("swagger-ui");
const address = new URL(element.dataset.openapi, location.href).href;
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function follow() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

// Only the portal's own document sends requests, with the session's cookie and so with its token. An
// uploaded one decides what a button does: with the reader's session, that could be anything at the
// portal. The page's policy lets nothing out to other servers; for all of
// these there is the command to copy.
function prepare(request) {
  // The document itself. What its references lead to is asked for in the same way.
  if (request.loadSpec && request.url === address) return request;
  const isOwn = new URL(request.url, location.href).origin === location.origin;
  if (!isOwn || !("sends" in element.dataset)) {
    request.userFetch = async () =>
      new Response("Not sent: copy the command above into a terminal.", { status: 501 });
    return request;
  }
  const token = document.querySelector('input[name="csrf_token"]');
  if (token) request.headers["X-CSRF-Token"] = token.value;
  return request;
}

follow();
dark.addEventListener("change", follow);
SwaggerUIBundle({
  url: address,
  domNode: element,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  requestInterceptor: prepare,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
