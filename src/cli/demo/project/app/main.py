"""The bookshop's service."""

import os

# Errors go to the tracker:
# import sentry_sdk
# sentry_sdk.init(dsn=os.environ["SENTRY_DSN"])

SECRET_KEY = os.environ["SECRET_KEY"]
