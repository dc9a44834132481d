"""What the shop sells. Prices are net, in cents."""

PRICES = {
    "MUG-01": 1250,
    "TEE-01": 1990,
    "POSTER-01": 2495,
    "STICKER-01": 150,
}


class UnknownSku(ValueError):
    pass


def price_of(sku: str) -> int:
    try:
        return PRICES[sku]
    except KeyError:
        raise UnknownSku(f"we do not sell {sku}") from None
