// What is on the board. Every change gives a new board; the one before stays as it was.
import { nanoid } from "nanoid";

export const COLUMNS = ["to do", "doing", "done"];

export const empty = () => [];

export function add(board, title, makeId = nanoid) {
  const trimmed = title.trim();
  if (trimmed === "") {
    throw new RangeError("a task needs a title");
  }
  return [...board, { id: makeId(), title: trimmed, column: COLUMNS[0] }];
}

export function move(board, id, steps) {
  return board.map((task) => {
    if (task.id !== id) {
      return task;
    }
    const last = COLUMNS.length - 1;
    const at = Math.min(last, Math.max(0, COLUMNS.indexOf(task.column) + steps));
    return { ...task, column: COLUMNS[at] };
  });
}

export function counts(board) {
  return COLUMNS.map((column) => board.filter((task) => task.column === column).length);
}
