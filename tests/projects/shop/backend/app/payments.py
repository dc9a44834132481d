"""The payment provider's HTTP interface."""

import httpx

from app import settings


class PaymentFailed(RuntimeError):
    pass


def _post(path: str, body: dict) -> dict:
    if not settings.PAYMENT_URL:
        raise PaymentFailed("no payment provider configured")
    try:
        answer = httpx.post(
            settings.PAYMENT_URL + path,
            json=body,
            headers={"Authorization": f"Bearer {settings.PAYMENT_KEY}"},
            timeout=10,
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise PaymentFailed(str(error)) from error
    return answer.json()


def charge(number: int, cents: int, card_token: str) -> str:
    return _post("/charges", {"order": number, "amount": cents, "card": card_token})["id"]


def refund(charge_id: str, cents: int) -> str:
    return _post("/refunds", {"charge": charge_id, "amount": cents})["id"]
