"""Orders, in memory until the move to the database (planned for 1.5)."""

import threading


class OrderStore:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: dict[int, dict] = {}

    def add(self, order: dict) -> dict:
        with self._lock:
            number = len(self._orders) + 1
            self._orders[number] = {"number": number, **order}
            return self._orders[number]

    def get(self, number: int) -> dict | None:
        with self._lock:
            return self._orders.get(number)

    def newest(self, limit: int) -> list[dict]:
        with self._lock:
            return list(reversed(self._orders.values()))[:limit]

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()
