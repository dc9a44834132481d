import pytest

from app.polls import Polls


def test_answers_are_counted():
    polls = Polls()
    number = polls.open(["tea", "coffee"])
    for choice in ["tea", "coffee", "tea"]:
        polls.answer(number, choice)
    assert polls.result(number) == {"tea": 2, "coffee": 1}


def test_polls_do_not_mix():
    polls = Polls()
    first, second = polls.open(["a", "b"]), polls.open(["a", "b"])
    polls.answer(first, "a")
    assert polls.result(second) == {"a": 0, "b": 0}


@pytest.mark.parametrize("choices", [[], ["a"], ["a", "a"]])
def test_there_is_something_to_choose(choices):
    with pytest.raises(ValueError):
        Polls().open(choices)


def test_only_what_was_offered_can_be_chosen():
    polls = Polls()
    with pytest.raises(KeyError):
        polls.answer(polls.open(["a", "b"]), "c")
