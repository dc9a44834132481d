// The board in the browser's storage. What stands there may be of an older version, or of somebody else.
import { COLUMNS } from "./board.js";

const KEY = "task-board/1";

export function save(storage, board) {
  storage.setItem(KEY, JSON.stringify(board));
}

export function load(storage) {
  try {
    const board = JSON.parse(storage.getItem(KEY) ?? "[]");
    return board.filter((task) => task.id && COLUMNS.includes(task.column));
  } catch {
    return [];
  }
}
