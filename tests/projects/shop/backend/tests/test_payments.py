import os

import pytest

from app import payments

needs_sandbox = pytest.mark.skipif(
    not os.environ.get("PAYMENT_SANDBOX"), reason="needs the payment sandbox"
)


@needs_sandbox
def test_a_card_is_charged():
    assert payments.charge(1, 3558, "tok_visa").startswith("ch_")


@needs_sandbox
def test_a_declined_card_is_reported():
    with pytest.raises(payments.PaymentFailed, match="402"):
        payments.charge(1, 3558, "tok_declined")


@pytest.mark.skip(reason="the sandbox cannot refund since its last update, SHOP-142")
def test_a_charge_is_refunded():
    charge = payments.charge(1, 3558, "tok_visa")
    assert payments.refund(charge, 3558).startswith("re_")
