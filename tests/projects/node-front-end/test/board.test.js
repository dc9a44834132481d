import { describe, expect, test } from "vitest";
import { add, counts, empty, move } from "../src/board.js";

const two = () => add(add(empty(), "paint", () => "a"), "sand", () => "b");

describe("the board", () => {
  test("begins empty", () => expect(counts(empty())).toEqual([0, 0, 0]));

  test("takes a task into its first column", () => {
    expect(add(empty(), " paint ", () => "a")).toEqual([{ id: "a", title: "paint", column: "to do" }]);
  });

  test("gives each task an id of its own", () => {
    const [first, second] = add(add(empty(), "paint"), "paint");
    expect(first.id).not.toBe(second.id);
  });

  test("refuses a task without a title", () => {
    expect(() => add(empty(), "  ")).toThrow(RangeError);
  });

  test("moves a task, and only that", () => expect(counts(move(two(), "b", 1))).toEqual([1, 1, 0]));

  test.each([-1, -5])("has nothing before its first column (%i)", (steps) => {
    expect(counts(move(two(), "a", steps))).toEqual([2, 0, 0]);
  });

  test("has nothing behind its last column", () => expect(counts(move(two(), "a", 9))).toEqual([1, 0, 1]));

  test("leaves the board before as it was", () => {
    const before = two();
    move(before, "a", 1);
    expect(counts(before)).toEqual([2, 0, 0]);
  });
});
