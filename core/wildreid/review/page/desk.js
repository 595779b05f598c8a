// The desk's page: shows one question, takes one key, tells the server, and believes only what it answers.
import { act, choose, forget, keys, named, plain, reviewer } from "./keys.js";

const by = (id) => document.getElementById(id);
const SETTLING = 300; // milliseconds after a picture changed in which no decision is taken
const window_id = crypto.randomUUID();
let token = sessionStorage.getItem("token") || "";
let task = null, marked = 0, shown = { left: 0, right: 0 }, sent = 0, began = 0, changed = 0, busy = false, asked = 0;
let look = { scale: { left: 1, right: 1 }, at: { left: [0, 0], right: [0, 0] }, linked: true, mirror: false, bright: false, frame: false,
  overlay: false };
const down = new Map();

async function call(path, said) {
  const options = said === undefined ? {} : { method: "POST", body: JSON.stringify(said),
    headers: { "Content-Type": "application/json", "X-Reid-Token": token } };
  let answer;
  try { answer = await fetch(path, options); } catch {
    throw { status: 0, what: "The server does not answer. Nothing was marked as done." };
  }
  const data = await answer.json();
  if (!answer.ok) throw { ...data, status: answer.status };
  return data;
}

function tell(words) { by("told").textContent = words; }
function trouble(error) {
  const place = by("trouble");
  place.hidden = !error;
  place.textContent = error ? [error.what, error.where, error.cure && "→ " + error.cure].filter(Boolean).join("\n") : "";
  if (error && error.status === 403 && !error.what.startsWith("this takes")) enter();
}

async function next(after = "") {
  try {
    const mode = by("mode").value;
    show(await call(`/api/task?mode=${mode}&after=${encodeURIComponent(after)}`));
  } catch (error) { trouble(error); }
}

function show(found) {
  const words = [`${found.left} left`, `${found.decided} decided`,
    `${found.individuals} individuals, ${found.images} photos in the gallery`];
  if (found.passed) words.push(`${found.passed} known encounters are not asked about (--audit)`);
  if (found.preparing) words.push(found.preparing);
  by("pool").textContent = words.join(" · ");
  if (found.waiting.length) trouble({ what: found.waiting.join("\n") });
  task = found.task ? found : null;
  asked += 1;
  by("desk").hidden = by("actions").hidden = !task;
  by("end").hidden = Boolean(task);
  if (!task) {
    by("end-words").textContent = found.preparing || "All questions that are yours have been answered.";
    by("question").textContent = found.preparing ? "Getting ready" : "Done";
    if (found.preparing) setTimeout(() => task || next(), 500);
    return;
  }
  marked = 0; shown = { left: 0, right: 0 }; began = performance.now();
  look.scale = { left: 1, right: 1 }; look.at = { left: [0, 0], right: [0, 0] }; look.frame = false;
  const compare = task.mode === "compare";
  by("question").textContent = compare ? (task.together ? "Is this one animal?" : "Are these one animal?")
    : task.blind ? "Who is this? A second look" : "Who is this?";
  by("left-title").textContent = compare ? `An encounter of ${task.place}` : "This animal";
  for (const name of ["new"]) document.querySelector(`[data-decide=${name}]`).disabled = compare;
  document.querySelector("[data-do=find]").disabled = document.querySelector("[data-do=side]").disabled = compare || task.blind;
  const said = task.settles.map((one) => `${one.reviewer} said: ${one.said}`);
  const chance = task.new_probability;
  by("note").textContent = [...said, chance === null ? "" : `a new individual: ${Math.round(100 * chance)} %`,
    task.other_side ? `${task.other_side} show another side` : ""].filter(Boolean).join(" · ");
  draw();
  by("question").focus({ preventScroll: true });
}

function draw() {
  strip("left", task.photos);
  const one = task.candidates[marked];
  by("right-title").textContent = one ? (task.mode === "compare" ? `An encounter of ${one.name}` : one.name) : "No candidate";
  strip("right", one ? one.photos : []);
  by("candidates").replaceChildren(...task.candidates.map((other, n) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(n === marked));
    if (other.other_side) button.classList.add("other");
    const seen = other.images === null ? "" : `${other.images} photos, ${other.encounters} encounters` +
      (other.last_seen ? `, last ${other.last_seen}` : "") + (other.other_side ? ", other side" : "");
    button.append(element("kbd", String(n + 1)), element("span", other.name),
      element("span", other.p === null ? "" : `${Math.round(100 * other.p)} %`), element("small", seen));
    button.addEventListener("click", () => { marked = n; shown.right = 0; draw(); by("question").focus({ preventScroll: true }); });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  for (const name of ["same", "different"]) document.querySelector(`[data-decide=${name}]`).disabled = !one;
  overlay();
}

function element(tag, words) { const made = document.createElement(tag); made.textContent = words; return made; }

function picture(photo, form = "") { return `/pictures/${photo.key}${form && "?" + form}`; }

function strip(side, photos) {
  const at = Math.min(shown[side], photos.length - 1), photo = photos[at];
  const big = by(side + "-big");
  by(side + "-words").textContent = photo ? photo.alt + (photo.private ? ", private" : "") : "";
  if (photo) {
    const source = picture(photo, look.frame && (side === "left" || by("desk").dataset.photos) ? "frame" : "");
    big.hidden = false;
    if (big.dataset.of !== source) { big.dataset.of = source; big.src = source; big.alt = photo.alt; changed = performance.now(); }
  } else { big.hidden = true; big.dataset.of = ""; }
  by(side + "-strip").replaceChildren(...photos.map((one, n) => {
    const button = document.createElement("button"), small = document.createElement("img");
    button.type = "button";
    button.setAttribute("aria-pressed", String(n === at));
    small.src = picture(one, "small"); small.alt = one.alt; small.loading = "lazy";
    button.append(small);
    button.addEventListener("click", () => { shown[side] = n; draw(); });
    return button;
  }));
  place(side);
}

function place(side) {
  const [x, y] = look.at[side], mirrored = look.mirror && side === "left" ? -1 : 1;
  by(side + "-big").style.transform = `translate(${x}px, ${y}px) scale(${mirrored * look.scale[side]}, ${look.scale[side]})`;
  by(side + "-big").style.filter = look.bright ? "brightness(1.6)" : "";
}

function zoom(factor) {
  for (const side of look.linked ? ["left", "right"] : ["left"]) {
    look.scale[side] = factor ? Math.min(8, Math.max(1, look.scale[side] * factor)) : 1;
    if (look.scale[side] === 1) look.at[side] = [0, 0];
    place(side);
  }
  overlay();
}

const NAMED = 20; // matches that have a number beside their dot
let matched = { of: "", found: null };

async function overlay() {
  document.querySelectorAll(".stage svg").forEach((old) => old.remove());
  const one = task && task.candidates[marked], left = task && task.photos[shown.left], right = one && one.photos[shown.right];
  if (!look.overlay || look.frame || !left || !right) return;
  const of = `${asked} ${left.key} ${right.key}`;
  if (matched.of !== of) {
    matched = { of, found: null };
    tell("Looking for what matches …");
    try {
      const found = await call(`/api/explain?a=${left.key}&b=${right.key}`);
      if (matched.of !== of) return; // another photo is on the screen by now
      matched.found = found.matches;
      tell(found.matches.length ? `${found.matches.length} points match: what the model found alike, not whether it is right` : found.why);
    } catch (error) { trouble(error); return; }
  }
  if (matched.found) for (const [n, side] of ["left", "right"].entries()) dots(n, side);
}

function dots(n, side) {
  const image = by(side + "-big"), stage = by(side + "-stage");
  if (!image.complete || !image.naturalWidth) return; // its "load" draws them
  const svg = drawn("svg", { "aria-hidden": "true" });
  const fit = Math.min(stage.clientWidth / image.naturalWidth, stage.clientHeight / image.naturalHeight);
  const wide = image.naturalWidth * fit, high = image.naturalHeight * fit;
  for (const [index, match] of matched.found.entries()) {
    const x = (stage.clientWidth - wide) / 2 + match[2 * n] * wide, y = (stage.clientHeight - high) / 2 + match[2 * n + 1] * high;
    svg.append(drawn("circle", { cx: x, cy: y, r: 4, fill: `hsl(${(index * 47) % 360} 90% 55%)`, "fill-opacity": Math.max(0.3, match[4]) }));
    if (index < NAMED) svg.append(drawn("text", { x: x + 6, y: y + 4 }, String(index + 1)));
  }
  svg.style.transform = image.style.transform;
  stage.append(svg);
}

function drawn(tag, attributes, words = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.textContent = words;
  return made;
}

async function decide(decision, more = {}) {
  if (!task || busy || performance.now() - changed < SETTLING) return;
  const one = task.candidates[marked];
  if ((decision === "same" || decision === "different") && !one && !more.candidate) return;
  if (decision === "new" && task.mode === "compare") return;
  busy = true;
  const confidence = by("confidence") && by("confidence").value;
  try {
    const answer = await call("/api/decide", { task: task.lease, revision: task.revision, decision,
      candidate: task.mode === "identify" && one && ["same", "different"].includes(decision) ? one.id : null,
      ms: Math.round(performance.now() - began), client: `${window_id}:${sent++}`,
      confidence: confidence ? Number(confidence) : null, ...more });
    trouble(null);
    const name = decision === "different" && one ? ` (${one.name})` : "";
    await next(decision === "skip" ? task.task : "");
    tell(decision === "skip" ? "Skipped" : `Decision ${answer.number}: ${answer.said}${name}`);
  } catch (error) {
    trouble(error);
    if (error.status === 409) await next();
  } finally { busy = false; }
}

async function undo(more = {}) {
  if (busy) return;
  busy = true;
  try {
    const answer = await call("/api/undo", more);
    trouble(null);
    await next();
    tell(`Decision ${answer.undone.join(", ")} is undone`);
  } catch (error) {
    const later = (error.later || []).map((one) => `${one.number}: ${one.reviewer}, ${one.decision} ${one.individual || ""}`);
    trouble({ ...error, where: later.join("\n"), cure: later.length ? "undo these first" : error.cure });
  } finally { busy = false; }
}

const toggles = ["link", "mirror", "bright", "frame", "overlay"];
const does = {
  help: () => open("help"), bad: () => open("bad"), undo: () => undo(),
  side: () => task.mode === "identify" && !task.blind && open("side"),
  find: () => task.mode === "identify" && !task.blind && open("find"),
  in: () => zoom(1.5), out: () => zoom(1 / 1.5), fit: () => zoom(0),
  link: () => { look.linked = !look.linked; }, mirror: () => { look.mirror = !look.mirror; },
  bright: () => { look.bright = !look.bright; }, frame: () => { look.frame = !look.frame; },
  overlay: () => { look.overlay = !look.overlay; },
};
function run(name) {
  const button = document.querySelector(`[data-do=${name}]`);
  if (!button || button.disabled || (!task && !["help", "undo"].includes(name))) return;
  does[name]();
  if (toggles.includes(name)) {
    button.setAttribute("aria-pressed", String(look[name === "link" ? "linked" : name]));
    draw();
  }
}

function open(id) { down.clear(); by(id).showModal(); if (id === "find") { by("find-name").value = ""; search(); by("find-name").focus(); } }

async function search() {
  const { names } = await call(`/api/names?q=${encodeURIComponent(by("find-name").value)}`);
  by("found").replaceChildren(...names.map((one) => {
    const item = document.createElement("li"), button = element("button", one.name);
    button.type = "button";
    button.addEventListener("click", () => { by("find").close(); decide("same", { candidate: one.id }); });
    item.append(button);
    return item;
  }));
}

const MOVES = ["candidate-before", "candidate-next", "photo-before", "photo-next"];

function pressed(event) {
  const key = plain(event), many = task ? task.candidates.length : 0, name = act(key);
  if (event.ctrlKey || event.metaKey || event.altKey) { if (event.ctrlKey && key === "z") run("undo"); return; }
  if (task && key >= "1" && key <= "9") { if (Number(key) <= many) { marked = Number(key) - 1; decide("same"); } }
  else if (name in does) run(name);
  else if (name && !MOVES.includes(name)) decide(name);
  else if (!task || !name) return;
  else if (name.startsWith("candidate")) {
    marked = Math.max(0, Math.min(many - 1, marked + (name.endsWith("next") ? 1 : -1))); shown.right = 0; draw();
    if (many) tell(`Candidate ${marked + 1} of ${many}: ${task.candidates[marked].name}`);
  } else {
    const side = event.shiftKey ? "right" : "left", photos = side === "left" ? task.photos : (task.candidates[marked] || { photos: [] }).photos;
    shown[side] = Math.max(0, Math.min(photos.length - 1, shown[side] + (name.endsWith("next") ? 1 : -1))); draw();
    if (photos.length) tell(photos[shown[side]].alt);
  }
}

// the keys on the buttons and in the list, as they are now
function paint() {
  for (const button of document.querySelectorAll("button[data-decide], button[data-do]")) {
    const own = keys(button.dataset.decide || button.dataset.do), place = button.querySelector("kbd");
    if (place) place.textContent = named(own[0]);
    button.setAttribute("aria-keyshortcuts", own.map((key) => (key === " " ? "Space" : key)).join(" "));
  }
  for (const row of document.querySelectorAll("tr[data-act]"))
    row.cells[1].textContent = keys(row.dataset.act).map(named).join(", ");
}

let changing = "";
function change(name, told = "Press the key; Esc leaves it as it is") {
  changing = name;
  by("keys-told").textContent = told;
}
document.addEventListener("keydown", (event) => {
  if (!changing) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (["Shift", "Control", "Alt", "Meta", "AltGraph"].includes(event.key)) return;
  const name = changing, key = plain(event), words = (one) => document.querySelector(`tr[data-act="${one}"] th`).textContent;
  if (key === "Escape") { change("", "Nothing is changed"); return; }
  const taken = choose(name, key);
  change("", taken === "fixed" ? `${named(key)} cannot be given away` : taken ? `${named(key)} is taken: ${words(taken)}`
    : `${named(key)}: ${words(name)}`);
  paint();
}, true);

function typing(event) {
  return event.target.closest("input:not([type=checkbox]), select, textarea") || document.querySelector("dialog[open]");
}
document.addEventListener("keydown", (event) => {
  const chosen = document.querySelector("dialog[open] .choices");
  if (chosen && /^[1-9]$/.test(event.key)) { const all = chosen.querySelectorAll("button"); all[Number(event.key) - 1]?.click(); return; }
  if (event.repeat || typing(event) || !by("keys-on").checked) return;
  if ((event.key === " " || event.key === "Enter") && event.target.closest("button")) return;
  if ([" ", "/", "ArrowLeft", "ArrowRight"].includes(event.key) && task) event.preventDefault();
  down.set(event.code, asked);
});
document.addEventListener("keyup", (event) => {
  const number = down.get(event.code);
  down.delete(event.code);
  if (number !== asked || typing(event)) return; // it went down on another question
  pressed(event);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { decide: decision, do: tool, reason, side, close, change: changed_act } = button.dataset;
  if (changed_act) { change(changed_act); return; }
  if (decision) { by("question").focus({ preventScroll: true }); decide(decision); }
  else if (tool) run(tool);
  else if (close !== undefined) button.closest("dialog").close();
  else if (reason) { by("bad").close(); decide("bad-photo", { reason }); }
  else if (side) { by("side").close(); see(side); }
});

async function see(side) {
  const photo = task.photos[shown.left];
  try {
    await call("/api/side", { task: task.task, key: photo.key, side });
    photo.alt = photo.alt.replace(/, \w+ side/, "") + `, ${side} side`; draw(); tell(`This photo shows: ${side}`);
  } catch (error) { trouble(error); }
}

for (const side of ["left", "right"]) {
  let from = null;
  const stage = by(side + "-stage");
  stage.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY]; stage.setPointerCapture(event.pointerId); });
  stage.addEventListener("pointerup", () => { from = null; });
  stage.addEventListener("pointermove", (event) => {
    if (!from || look.scale[side] === 1) return;
    for (const one of look.linked ? ["left", "right"] : [side])
      look.at[one] = [look.at[one][0] + event.clientX - from[0], look.at[one][1] + event.clientY - from[1]];
    from = [event.clientX, event.clientY];
    place("left"); place("right"); overlay();
  });
  by(side + "-big").addEventListener("load", overlay);
  by(side + "-big").addEventListener("error", () => {
    by(side + "-words").textContent += ": this picture is not here (private, or the photo is gone)";
  });
}
by("mode").addEventListener("change", () => next());
by("again").addEventListener("click", () => next());
by("apply")?.addEventListener("click", async () => {
  try { const { waiting } = await call("/api/apply", {}); tell(waiting.length ? waiting.join("; ") : "All decisions are in the gallery"); next(); }
  catch (error) { trouble(error); }
});
by("find-name").addEventListener("input", search);
by("find-form").addEventListener("submit", (event) => { event.preventDefault(); by("found").querySelector("button")?.click(); });
by("find-new").addEventListener("click", () => { by("find").close(); decide("new", { name: by("find-name").value }); });
by("keys-on").checked = localStorage.getItem("keys") !== "off";
by("keys-on").addEventListener("change", () => localStorage.setItem("keys", by("keys-on").checked ? "on" : "off"));
by("keys-back").addEventListener("click", () => { forget(); paint(); change("", "All keys are as they come"); });
by("help").addEventListener("close", () => change("", ""));
by("agreement-open").addEventListener("click", async () => {
  const found = await call("/api/agreement"), percent = (x) => (x === null ? "–" : `${(100 * x).toFixed(1)} %`);
  const lines = [`${found.pairs} encounters were decided by two people.`, `They agree on ${percent(found.observed)}; by chance it would be ${percent(found.expected)}.`,
    `Cohen's κ ${found.kappa === null ? "–" : found.kappa.toFixed(2)}; agreement on who it is ${percent(found.positive)}, on its being none ${percent(found.negative)}.`,
    ...Object.entries(found.by).map(([group, one]) => `${group}: ${percent(one.observed)} of ${one.pairs}, κ ${one.kappa === null ? "–" : one.kappa.toFixed(2)}`),
    ...found.disagreements.map((one) => `${one.first.reviewer} (${one.first.number}): ${one.said[0]} — ${one.second.reviewer} (${one.second.number}): ${one.said[1]}`)];
  by("agreement-body").replaceChildren(...lines.map((words) => element("p", words)));
  open("agreement");
});
setInterval(async () => {
  if (!task || document.hidden) return;
  try { if (!(await call("/api/lease", { lease: task.lease })).held) next(); } catch (error) { trouble(error); }
}, 30000);

async function enter() {
  const secret = new URLSearchParams(location.hash.slice(1)).get("t");
  by("enter-secret-label").hidden = Boolean(secret);
  by("enter-name").value = localStorage.getItem("name") || "";
  if (!by("enter").open) by("enter").showModal();
}
by("enter").addEventListener("cancel", (event) => event.preventDefault());
by("enter").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const secret = new URLSearchParams(location.hash.slice(1)).get("t") || by("enter-secret").value;
  try {
    const entered = await call("/session", { name: by("enter-name").value, secret });
    token = entered.token;
    sessionStorage.setItem("token", token);
    localStorage.setItem("name", entered.name);
    reviewer(entered.name); paint();
    by("enter").close(); trouble(null); next();
  } catch (error) { by("enter-told").textContent = `${error.what} → ${error.cure || ""}`; }
});
reviewer(localStorage.getItem("name") || ""); paint();
if (token) next(); else enter();
