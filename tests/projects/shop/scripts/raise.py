"""Raises an error that nothing handles, with the Sentry SDK switched on: a rehearsal of a bad day.

The event goes to where SENTRY_DSN points.
"""

import os

import sentry_sdk

sentry_sdk.init(dsn=os.environ["SENTRY_DSN"], environment="rehearsal")


def average_order(total_cents: int, orders: int) -> int:
    return total_cents // orders


average_order(3558, orders=0)
