"""What the service takes from its environment."""

import os

VERSION = "1.4.0"

SECRET_KEY = os.environ.get("SECRET_KEY", "changeme")
SENTRY_DSN = os.environ.get("SENTRY_DSN", "")
PAYMENT_URL = os.environ.get("PAYMENT_URL", "")
PAYMENT_KEY = os.environ.get("PAYMENT_KEY", "")
