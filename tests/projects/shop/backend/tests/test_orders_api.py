def order(client, sku="MUG-01", quantity=2, country="DE", **more):
    items = [{"sku": sku, "quantity": quantity}]
    return client.post("/api/orders", json={"items": items, "country": country, **more})


def test_no_orders_at_first(client):
    assert client.get("/api/orders").json() == []


def test_an_order_is_priced(client):
    answer = order(client)
    assert answer.status_code == 201
    assert answer.json()["total"] == 3558
    assert answer.json()["paid"] is False
    assert len(answer.json()["receipt"]) == 12


def test_orders_are_listed_newest_first(client):
    order(client, sku="MUG-01")
    order(client, sku="TEE-01")
    listed = client.get("/api/orders").json()
    assert [o["items"][0]["sku"] for o in listed] == ["TEE-01", "MUG-01"]


def test_orders_are_numbered(client):
    assert [order(client).json()["number"] for _ in range(3)] == [1, 2, 3]


def test_a_coupon_lowers_the_price(client):
    answer = order(client, coupon="WELCOME10").json()
    assert (answer["subtotal"], answer["discount"]) == (2500, 250)


def test_an_unknown_sku_is_refused(client):
    answer = order(client, sku="HAT-99")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "we do not sell HAT-99"


def test_an_unknown_country_is_refused(client):
    assert order(client, country="US").status_code == 422


def test_an_empty_order_is_refused(client):
    answer = client.post("/api/orders", json={"items": [], "country": "DE"})
    assert answer.status_code == 422
