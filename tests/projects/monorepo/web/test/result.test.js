import assert from "node:assert/strict";
import test from "node:test";
import { bars } from "../src/result.js";

test("most answers come first", () => {
  assert.deepEqual(bars({ tea: 1, coffee: 3 }), ["coffee: 3 (75 %)", "tea: 1 (25 %)"]);
});

test("a poll that nobody answered has no shares", () => {
  assert.deepEqual(bars({ tea: 0, coffee: 0 }), ["tea: 0 (0 %)", "coffee: 0 (0 %)"]);
});

test("shares are rounded", () => {
  assert.deepEqual(bars({ a: 2, b: 1 }), ["a: 2 (67 %)", "b: 1 (33 %)"]);
});
