"""Load on the orders API: mostly reading, some buying.

locust -f load-tests/locustfile.py --headless -u 10 -r 5 -t 15s -H http://127.0.0.1:8000
"""

import random

from locust import HttpUser, between, task

SKUS = ["MUG-01", "TEE-01", "POSTER-01", "STICKER-01"]


class Customer(HttpUser):
    wait_time = between(0.1, 0.5)

    @task(6)
    def look_at_orders(self):
        self.client.get("/api/orders")

    @task(3)
    def buy(self):
        items = [{"sku": random.choice(SKUS), "quantity": random.randint(1, 4)}]
        self.client.post("/api/orders", json={"items": items, "country": "DE"})

    @task(1)
    def health(self):
        self.client.get("/health")
