import { COLUMNS, counts } from "./board.js";
import { load } from "./storage.js";

const board = load(window.localStorage);
const page = document.querySelector("#board");
counts(board).forEach((count, at) => {
  const heading = document.createElement("h2");
  heading.textContent = `${COLUMNS[at]} (${count})`;
  page.append(heading);
});
