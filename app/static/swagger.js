// Starts Swagger UI from a file: a page without inline script can have a strict CSP.
"use strict";

const element = document.getElementById("swagger-ui");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function follow() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

// A request to the portal itself goes with the session's cookie, and so with its token. The page's
// policy lets no other out: for those there is the command to copy.
function prepare(request) {
  if (new URL(request.url, location.href).origin !== location.origin) {
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
  url: element.dataset.openapi,
  domNode: element,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  requestInterceptor: prepare,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
