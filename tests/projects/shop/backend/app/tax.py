"""Value added tax by the country that we ship to."""

from decimal import Decimal

RATES = {"DE": 19, "FR": 20, "NL": 21, "IE": 23}  # per cent


class UnknownCountry(ValueError):
    pass


def tax(net_cents: int, country: str) -> int:
    """The tax on a net amount, to the nearest cent; half a cent goes up."""
    rate = RATES.get(country.upper())
    if rate is None:
        raise UnknownCountry(f"we do not ship to {country}")
    exact = Decimal(net_cents) * rate / 100
    return int(exact.quantize(Decimal(1)))
