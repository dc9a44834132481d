"""The HTTP interface, WSGI."""

import json

from app.polls import Polls


class Api:
    def __init__(self, polls: Polls):
        self._polls = polls

    def __call__(self, environ, start_response):
        try:
            status, answer = self._answer(environ)
        except KeyError:
            status, answer = "404 Not Found", {"error": "no such poll or choice"}
        except (ValueError, TypeError) as error:
            status, answer = "422 Unprocessable Content", {"error": str(error)}
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def _answer(self, environ) -> tuple[str, object]:
        match environ["REQUEST_METHOD"], environ["PATH_INFO"].strip("/").split("/"):
            case "GET", ["health"]:
                return "200 OK", {"status": "healthy"}
            case "POST", ["api", "polls"]:
                return "201 Created", {"number": self._polls.open(body(environ)["choices"])}
            case "POST", ["api", "polls", number]:
                self._polls.answer(int(number), body(environ)["choice"])
                return "200 OK", self._polls.result(int(number))
            case "GET", ["api", "polls", number]:
                return "200 OK", self._polls.result(int(number))
        raise KeyError


def body(environ) -> dict:
    return json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
