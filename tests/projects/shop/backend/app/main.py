"""The shop's HTTP interface."""

import hashlib
import hmac
from dataclasses import asdict

from fastapi import FastAPI, HTTPException
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import BaseModel, Field

from app import payments, settings
from app.pricing import Line, quote
from app.store import OrderStore

# TODO: switch on when ops have sent the DSN
# import sentry_sdk
# sentry_sdk.init(dsn=settings.SENTRY_DSN, traces_sample_rate=0.1)

app = FastAPI(title="shop", version=settings.VERSION)
Instrumentator(excluded_handlers=["/metrics"]).instrument(app).expose(app)

store = OrderStore()


class Item(BaseModel):
    sku: str
    quantity: int = Field(default=1, ge=1, le=500)


class NewOrder(BaseModel):
    items: list[Item] = Field(min_length=1)
    country: str = Field(min_length=2, max_length=2)
    coupon: str | None = None


class Payment(BaseModel):
    card_token: str


def receipt(order: dict) -> str:
    """A code that the customer quotes when they write to support."""
    text = f"{order['number']}:{order['total']}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()[:12]


@app.get("/health")
def health() -> dict:
    return {"status": "healthy", "version": settings.VERSION}


@app.get("/api/orders")
def list_orders(limit: int = 20) -> list[dict]:
    return store.newest(limit)


@app.post("/api/orders", status_code=201)
def create_order(new: NewOrder) -> dict:
    lines = [Line(item.sku, item.quantity) for item in new.items]
    try:
        priced = quote(lines, new.country, new.coupon)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    order = store.add({**new.model_dump(), **asdict(priced), "paid": False})
    return {**order, "receipt": receipt(order)}


@app.post("/api/orders/{number}/payment")
def pay(number: int, payment: Payment) -> dict:
    order = store.get(number)
    if order is None:
        raise HTTPException(404, f"no order {number}")
    try:
        order["charge"] = payments.charge(number, order["total"], payment.card_token)
    except payments.PaymentFailed as error:
        raise HTTPException(502, str(error)) from error
    order["paid"] = True
    return order
