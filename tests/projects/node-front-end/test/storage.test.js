import { expect, test } from "vitest";
import { add, empty } from "../src/board.js";
import { load, save } from "../src/storage.js";

function storage(text = null) {
  const kept = new Map(text === null ? [] : [["task-board/1", text]]);
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
}

test("what was saved is loaded", () => {
  const there = storage();
  const board = add(empty(), "paint", () => "a");
  save(there, board);
  expect(load(there)).toEqual(board);
});

test("nothing saved is an empty board", () => expect(load(storage())).toEqual([]));

test("what cannot be read is an empty board", () => expect(load(storage("{"))).toEqual([]));

test("a task of an unknown column is left out", () => {
  expect(load(storage('[{"id": "a", "column": "some day"}]'))).toEqual([]);
});
