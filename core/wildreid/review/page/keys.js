// Which key does what: as it comes, or as this reviewer chose in this browser; no two acts are on one key.
const FIXED = /^([1-9]|Escape|Tab|Shift|Control|Alt|AltGraph|Meta|CapsLock|Dead|Process|Unidentified)$/;
const NAMES = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", "-": "−" };
const COMES = { same: [" ", "Enter", "m"], different: ["d", "r"], new: ["n"], "cannot-tell": ["c"], "not-comparable": ["x"], bad: ["u"],
  skip: ["s"], undo: ["z"], "candidate-before": ["ArrowLeft"], "candidate-next": ["ArrowRight"], "photo-before": ["a"],
  "photo-next": ["w"], in: ["+", "="], out: ["-"], fit: ["0"], link: ["l"], mirror: ["f"], bright: ["b"], frame: ["g"],
  overlay: ["o"], side: ["v"], find: ["/"], help: ["?"] };
let chosen = {}, place = "";

export function reviewer(name) {
  place = `keys of ${name}`;
  chosen = {};
  let said = {};
  try { said = JSON.parse(localStorage.getItem(place)) || {}; } catch { /* somebody else's; the keys stay as they come */ }
  for (const [act, key] of Object.entries(said)) if (act in COMES && typeof key === "string") choose(act, key);
}

export function keys(act) { return act in chosen ? [chosen[act]] : COMES[act]; }

export function act(key) { return Object.keys(COMES).find((one) => keys(one).includes(key)); }

export function named(key) { return NAMES[key] || (key.length === 1 ? key.toUpperCase() : key); }

export function plain(event) { return event.key.length === 1 ? event.key.toLowerCase() : event.key; }

// Put an act on a key; says which other act has it, or "fixed" for a key that cannot be given away; "" when it is done.
export function choose(one, key) {
  if (FIXED.test(key)) return "fixed";
  const other = act(key);
  if (other && other !== one) return other;
  chosen[one] = key;
  localStorage.setItem(place, JSON.stringify(chosen));
  return "";
}

export function forget() { chosen = {}; localStorage.removeItem(place); }
