"""The HTTP interface, WSGI."""

import json

from sharelink.links import Links


class App:
    def __init__(self, links: Links):
        self._links = links

    def __call__(self, environ, start_response):
        status, answer = self._answer(environ)
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]

    def _answer(self, environ) -> tuple[str, dict]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if (method, path) == ("GET", "/health"):
            return "200 OK", {"status": "ok"}
        if (method, path) == ("POST", "/links"):
            return self._make(environ)
        if method == "GET" and path.startswith("/l/"):
            shared = self._links.read(path.removeprefix("/l/"))
            if shared is not None:
                return "200 OK", {"path": shared}
        return "404 Not Found", {"error": "no such link"}

    def _make(self, environ) -> tuple[str, dict]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            path = json.loads(environ["wsgi.input"].read(length))["path"]
            return "201 Created", {"link": "/l/" + self._links.make(path)}
        except (ValueError, TypeError, KeyError) as error:
            return "422 Unprocessable Content", {"error": str(error)}
