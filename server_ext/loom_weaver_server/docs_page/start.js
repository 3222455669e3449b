const cookie = (name) =>
  document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

// A call by cookie changes something only with Jupyter's XSRF token.
const withXsrfToken = (request) => {
  const token = cookie("_xsrf");
  if (token && !request.headers.Authorization) request.headers["X-XSRFToken"] = token;
  return request;
};

const response = await fetch("../openapi.json");
const description = await response.json();
// This Swagger UI knows OpenAPI up to 3.0; what the document uses of 3.1 it shows well enough.
SwaggerUIBundle({
  spec: { ...description, openapi: "3.0.3" },
  domNode: document.getElementById("api"),
  requestInterceptor: withXsrfToken,
});
