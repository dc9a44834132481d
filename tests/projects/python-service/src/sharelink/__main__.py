"""python -m sharelink"""

import os
from wsgiref.simple_server import make_server

from sharelink.app import App
from sharelink.links import Links

links = Links(os.environ["SIGNING_KEY"], int(os.environ.get("LINK_LIFETIME", "86400")))
with make_server("0.0.0.0", int(os.environ.get("PORT", "8000")), App(links)) as server:
    server.serve_forever()
