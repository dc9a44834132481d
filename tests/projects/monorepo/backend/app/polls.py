"""Polls and their answers."""


class Polls:
    def __init__(self):
        self._polls: dict[int, dict[str, int]] = {}

    def open(self, choices: list[str]) -> int:
        """The number of a new poll; ValueError where there is nothing to choose between."""
        if len(set(choices)) < 2:
            raise ValueError("a poll needs two choices or more")
        number = len(self._polls) + 1
        self._polls[number] = dict.fromkeys(choices, 0)
        return number

    def answer(self, number: int, choice: str) -> None:
        """Counts an answer; KeyError where there is no such poll or choice."""
        self._polls[number][choice] += 1

    def result(self, number: int) -> dict[str, int]:
        return dict(self._polls[number])
