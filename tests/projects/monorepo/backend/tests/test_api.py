import io
import json

from app.api import Api
from app.polls import Polls


def ask(api, method, path, what=None):
    raw = json.dumps(what).encode() if what is not None else b""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": io.BytesIO(raw),
    }
    seen = []
    answer = b"".join(api(environ, lambda status, headers: seen.append(status)))
    return int(seen[0].split()[0]), json.loads(answer)


def test_it_says_that_it_is_well():
    assert ask(Api(Polls()), "GET", "/health") == (200, {"status": "healthy"})


def test_a_poll_is_opened_answered_and_read():
    api = Api(Polls())
    assert ask(api, "POST", "/api/polls", {"choices": ["a", "b"]}) == (201, {"number": 1})
    assert ask(api, "POST", "/api/polls/1", {"choice": "b"}) == (200, {"a": 0, "b": 1})
    assert ask(api, "GET", "/api/polls/1") == (200, {"a": 0, "b": 1})


def test_what_is_not_there_is_not_found():
    assert ask(Api(Polls()), "GET", "/api/polls/7")[0] == 404
    assert ask(Api(Polls()), "GET", "/")[0] == 404


def test_what_is_no_poll_is_refused():
    assert ask(Api(Polls()), "POST", "/api/polls")[0] == 422
    assert ask(Api(Polls()), "POST", "/api/polls", {"choices": ["a"]})[0] == 422
