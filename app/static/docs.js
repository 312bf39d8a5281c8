// Starts Swagger UI from a file: a page without inline script can have a strict CSP.
"use strict";

const element = document.getElementById("swagger-ui");

SwaggerUIBundle({
  url: element.dataset.openapi,
  domNode: element,
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
