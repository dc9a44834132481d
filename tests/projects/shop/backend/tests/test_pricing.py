import pytest

from app.catalogue import UnknownSku
from app.pricing import Line, Quote, quote, shipping, subtotal


@pytest.mark.parametrize(
    "lines, cents",
    [
        ([], 0),
        ([Line("MUG-01", 1)], 1250),
        ([Line("STICKER-01", 4)], 600),
        ([Line("MUG-01", 2), Line("TEE-01", 1)], 4490),
    ],
)
def test_subtotal(lines, cents):
    assert subtotal(lines) == cents


def test_unknown_sku_is_refused():
    with pytest.raises(UnknownSku, match="HAT-99"):
        subtotal([Line("HAT-99", 1)])


@pytest.mark.parametrize("quantity", [0, -1])
def test_quantity_must_be_positive(quantity):
    with pytest.raises(ValueError, match="at least 1"):
        subtotal([Line("MUG-01", quantity)])


@pytest.mark.parametrize("goods, cents", [(150, 490), (4999, 490), (5000, 0)])
def test_shipping_is_free_from_fifty_euros(goods, cents):
    assert shipping(goods) == cents


def test_quote_adds_up():
    assert quote([Line("MUG-01", 2)], "DE") == Quote(
        subtotal=2500, discount=0, shipping=490, tax=568, total=3558
    )
