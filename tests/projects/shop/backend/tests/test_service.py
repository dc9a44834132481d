from app import settings


def test_health(client):
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "healthy", "version": settings.VERSION}


def test_metrics_count_requests(client):
    client.get("/health")
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert 'http_requests_total{handler="/health"' in answer.text
