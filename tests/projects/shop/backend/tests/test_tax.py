import pytest

from app.tax import UnknownCountry, tax


@pytest.mark.parametrize(
    "country, cents", [("DE", 190), ("FR", 200), ("NL", 210), ("ie", 230)]
)
def test_rate_of_the_country(country, cents):
    assert tax(1000, country) == cents


def test_nothing_on_nothing():
    assert tax(0, "DE") == 0


def test_half_a_cent_is_rounded_up():
    # 21 % of 0.50 EUR is 10.5 cents
    assert tax(50, "NL") == 11


def test_unknown_country_is_refused():
    with pytest.raises(UnknownCountry, match="US"):
        tax(1000, "US")
