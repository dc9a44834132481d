"""Coupons and the bulk discount. They do not add up: the customer gets the better one."""

COUPONS = {"WELCOME10": 10, "SPRING15": 15}  # code -> per cent

BULK_FROM = 10  # pieces of one article
BULK_PERCENT = 5


class UnknownCoupon(ValueError):
    pass


def bulk_discount(quantity: int, line_cents: int) -> int:
    """Five per cent off a line of ten pieces or more."""
    if quantity > BULK_FROM:
        return line_cents * BULK_PERCENT // 100
    return 0


def coupon_discount(code: str, subtotal_cents: int) -> int:
    percent = COUPONS.get(code.strip().upper())
    if percent is None:
        raise UnknownCoupon(f"no such coupon: {code}")
    return subtotal_cents * percent // 100


def best_discount(bulk_cents: int, coupon_cents: int) -> int:
    return max(bulk_cents, coupon_cents)
