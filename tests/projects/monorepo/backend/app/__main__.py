"""python -m app"""

import os
from wsgiref.simple_server import make_server

import sentry_sdk

from app.api import Api
from app.polls import Polls

sentry_sdk.init(dsn=os.environ.get("SENTRY_DSN"))

with make_server("0.0.0.0", int(os.environ.get("PORT", "8000")), Api(Polls())) as server:
    server.serve_forever()
