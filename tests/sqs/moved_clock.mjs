// For node --import: lets time pass for an emulator, so that no test waits for it. A line
// "advance MS" on stdin moves Date.now() that far on, and is answered "advanced". Timers stay as
// they are: fauxqs uses them only to end a long poll and to look again.
import { createInterface } from "node:readline";

const now = Date.now;
let ahead = 0;
Date.now = () => now() + ahead;

createInterface({ input: process.stdin }).on("line", (line) => {
  const [word, milliseconds] = line.split(" ");
  if (word !== "advance") return;
  ahead += Number(milliseconds);
  console.log("advanced");
});
