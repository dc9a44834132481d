import pytest

from app.discounts import UnknownCoupon, best_discount, bulk_discount, coupon_discount


@pytest.mark.parametrize("quantity, cents", [(1, 0), (9, 0), (20, 1250)])
def test_bulk_discount(quantity, cents):
    assert bulk_discount(quantity, quantity * 1250) == cents


def test_ten_pieces_earn_the_bulk_discount():
    assert bulk_discount(10, 12500) == 625


@pytest.mark.parametrize("code, cents", [("WELCOME10", 200), ("SPRING15", 300)])
def test_coupon(code, cents):
    assert coupon_discount(code, 2000) == cents


def test_coupon_ignores_case_and_blanks():
    assert coupon_discount(" welcome10 ", 2000) == 200


def test_unknown_coupon_is_refused():
    with pytest.raises(UnknownCoupon, match="FREE100"):
        coupon_discount("FREE100", 2000)


def test_the_better_discount_wins():
    assert best_discount(bulk_cents=625, coupon_cents=1250) == 1250
