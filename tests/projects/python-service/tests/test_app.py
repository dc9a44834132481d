import io
import json

from sharelink.app import App
from sharelink.links import Links


def ask(method, path, body=""):
    raw = body.encode()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": io.BytesIO(raw),
    }
    seen = []
    answer = App(Links("key", 60))(environ, lambda status, headers: seen.append(status))
    return int(seen[0].split()[0]), json.loads(b"".join(answer))


def test_it_says_that_it_is_well():
    assert ask("GET", "/health") == (200, {"status": "ok"})


def test_a_link_is_made_and_followed():
    status, made = ask("POST", "/links", '{"path": "a/b.txt"}')
    assert status == 201
    assert ask("GET", made["link"]) == (200, {"path": "a/b.txt"})


def test_what_is_no_request_for_a_link_is_refused():
    for body in ["", "{}", "[1]", '{"path": "../a"}']:
        assert ask("POST", "/links", body)[0] == 422


def test_everything_else_is_not_found():
    assert ask("GET", "/l/none")[0] == 404
    assert ask("GET", "/")[0] == 404
