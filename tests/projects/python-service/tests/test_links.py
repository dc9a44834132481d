import pytest

from sharelink.links import Links


def test_a_token_leads_back_to_its_path():
    links = Links("key", 60)
    assert links.read(links.make("reports/2026.pdf")) == "reports/2026.pdf"


def test_a_token_that_was_changed_leads_nowhere():
    links = Links("key", 60)
    token = links.make("a.txt")
    assert links.read(token[:-1] + ("A" if token[-1] != "A" else "B") + "x") is None


def test_a_token_of_another_key_leads_nowhere():
    assert Links("key", 60).read(Links("other", 60).make("a.txt")) is None


def test_a_token_expires():
    links = Links("key", -1)
    assert links.read(links.make("a.txt")) is None


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../a", "a/../../b"])
def test_what_leads_out_of_the_folder_is_refused(path):
    with pytest.raises(ValueError):
        Links("key", 60).make(path)
