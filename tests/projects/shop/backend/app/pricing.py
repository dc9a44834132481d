"""From a basket to what the customer pays. All amounts are in cents."""

from dataclasses import dataclass

from app.catalogue import price_of
from app.discounts import best_discount, bulk_discount, coupon_discount
from app.tax import tax

SHIPPING = 490
FREE_SHIPPING_FROM = 5000


@dataclass(frozen=True)
class Line:
    sku: str
    quantity: int


@dataclass(frozen=True)
class Quote:
    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int


def line_total(line: Line) -> int:
    if line.quantity < 1:
        raise ValueError(f"quantity of {line.sku} must be at least 1")
    return price_of(line.sku) * line.quantity


def subtotal(lines: list[Line]) -> int:
    return sum(line_total(line) for line in lines)


def shipping(goods_cents: int) -> int:
    return 0 if goods_cents >= FREE_SHIPPING_FROM else SHIPPING


def quote(lines: list[Line], country: str, coupon: str | None = None) -> Quote:
    goods = subtotal(lines)
    bulk = sum(bulk_discount(line.quantity, line_total(line)) for line in lines)
    discount = best_discount(bulk, coupon_discount(coupon, goods) if coupon else 0)
    delivery = shipping(goods - discount)
    net = goods - discount + delivery
    vat = tax(net, country)
    return Quote(goods, discount, delivery, vat, net + vat)
