"use strict";
// The list draws only the rows that are seen; a scenario's record is read when it is opened. Texts go in as text, never as HTML.
const json = id => JSON.parse(document.getElementById(`data-${id}`).textContent);
const $ = id => document.getElementById(id);
const run = json("run"), rows = json("rows");
const [NAME, LINK, STATUS, TIME, TAGS, FAILURE, FLAGS] = [0, 1, 2, 3, 4, 5, 6];
const HEIGHT = 52;

/** An element: attributes, or functions for events; children are elements or texts. */
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value == null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter(child => child != null && child !== false));
  return element;
}

const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
function time(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60000)} m ${Math.round(ms % 60000 / 1000)} s`;
}
function bytes(count) {
  return count < 1024 ? plural(count, "byte") : count < 1048576 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1048576).toFixed(1)} MiB`;
}

/** What became of a row: the word, the sign, the colour. */
const KINDS = {
  failed: ["failed", "✗", "bad"],
  flaky: ["flaky", "≈", "warn"],
  quarantined: ["in quarantine", "✗", "warn"],
  passed: ["passed", "✓", "good"],
  skipped: ["skipped", "○", "faint"],
  not_run: ["not run", "○", "faint"],
};
const kindOf = row => row[STATUS] === "failed" && row[FLAGS] & 2 ? "quarantined" : row[STATUS] === "passed" && row[FLAGS] & 1 ? "flaky" : row[STATUS];
const kinds = rows.map(kindOf);
const counts = {};
kinds.forEach(kind => counts[kind] = (counts[kind] || 0) + 1);
const words = rows.map(row => [row[NAME], row[LINK], row[TAGS].join(" "), row[FAILURE] || ""].join("\n").toLowerCase());

// --- overview ---

function overview() {
  const failed = counts.failed || 0;
  const ran = rows.length - (counts.skipped || 0) - (counts.not_run || 0);
  const verdict = failed ? `${failed} of ${plural(rows.length, "scenario")} failed`
    : run.interrupted ? "The run was interrupted"
    : ran === 0 ? "Nothing ran"
    : ran === rows.length ? (rows.length === 1 ? "The scenario passed" : `All ${rows.length} scenarios passed`)
    : `${ran} passed, ${rows.length - ran} not run`;
  document.title = `${failed ? "✗" : "✓"} ${verdict} – agentos-run`;
  const colours = { bad: "var(--bad)", warn: "var(--warn)", good: "var(--good)", faint: "var(--faint)" };
  const bar = h("div", { class: "bar", role: "img", "aria-label": Object.keys(KINDS).filter(kind => counts[kind]).map(kind => `${counts[kind]} ${KINDS[kind][0]}`).join(", ") });
  for (const kind in KINDS) {
    if (!counts[kind]) continue;
    const part = h("i", { title: `${counts[kind]} ${KINDS[kind][0]}` });
    part.style.flex = counts[kind];
    part.style.background = colours[KINDS[kind][2]];
    bar.append(part);
  }
  const fact = (name, value) => value && h("span", null, `${name} `, h("b", null, value));
  const began = new Date(run.started_at);
  $("overview").append(
    h("div", { class: "top" },
      h("h1", { class: failed ? "bad" : run.interrupted || !ran ? "warn" : "good" }, verdict),
      h("span", { class: "faint" }, `${plural(run.counts.steps, "step")}, ${plural(run.counts.checks, "check")}, ${time(run.duration_ms)}`),
      h("button", { id: "theme", click: theme, title: "Light or dark" }, "◐")),
    bar,
    h("div", { class: "facts" },
      fact("against", run.targets.join(" and ")),
      fact("began", isNaN(began) ? run.started_at : began.toLocaleString()),
      fact("agentos-run", run.version),
      fact("run", run.id),
      fact("shards", (run.shards || []).map(shard => `${shard.index}/${shard.total}`).join(", ")),
      run.interrupted && failed ? h("span", { class: "warn" }, "interrupted") : null));
}
function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

// --- list ---

let shown = [], filter = null, current = -1;
const drawn = new Map();

function chips() {
  const chip = (kind, text) => h("button", { type: "button", "aria-pressed": String(filter === kind), click: () => { filter = filter === kind ? null : kind; chips(); select(); } }, text);
  $("chips").replaceChildren(chip(null, `all ${rows.length}`), ...Object.keys(KINDS).filter(kind => counts[kind]).map(kind => chip(kind, `${KINDS[kind][0]} ${counts[kind]}`)));
}
function select() {
  const wanted = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  shown = [];
  for (let index = 0; index < rows.length; index++) {
    if (filter && kinds[index] !== filter) continue;
    if (wanted.every(word => words[index].includes(word))) shown.push(index);
  }
  const rank = kind => Object.keys(KINDS).indexOf(kind);
  if ($("sort").value === "slow") shown.sort((a, b) => rows[b][TIME] - rows[a][TIME]);
  if ($("sort").value === "failed") shown.sort((a, b) => rank(kinds[a]) - rank(kinds[b]) || a - b);
  drawn.forEach(row => row.remove());
  drawn.clear();
  $("list").scrollTop = 0;
  $("rows").style.height = `${shown.length * HEIGHT}px`;
  const nothing = $("nothing");
  if (nothing) nothing.remove();
  if (!shown.length) $("list").append(h("p", { class: "empty", id: "nothing" }, "No scenario matches."));
  draw();
}
function draw() {
  const list = $("list");
  const from = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 8);
  const to = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / HEIGHT) + 8);
  drawn.forEach((row, at) => { if (at < from || at >= to) { row.remove(); drawn.delete(at); } });
  for (let at = from; at < to; at++) {
    if (!drawn.has(at)) {
      const row = rowOf(shown[at]);
      row.style.top = `${at * HEIGHT}px`;
      drawn.set(at, row);
      $("rows").append(row);
    }
  }
}
function rowOf(index) {
  const row = rows[index], [word, sign, colour] = KINDS[kinds[index]];
  return h("a", { class: "row", href: `#${index}`, "aria-current": String(index === current), title: row[NAME].slice(0, 500) },
    h("b", { class: `sign ${colour}`, "aria-label": word }, sign),
    h("span", { class: "time" }, row[STATUS] === "passed" || row[STATUS] === "failed" ? time(row[TIME]) : word),
    h("span", null, row[NAME].slice(0, 300)),
    row[FAILURE] && kinds[index] !== "flaky" ? h("small", { class: "bad" }, row[FAILURE]) : h("small", null, [row[LINK], ...row[TAGS].map(tag => `#${tag}`)].join("  ")));
}
function reveal(index) {
  const at = shown.indexOf(index), list = $("list");
  if (at < 0) return;
  if (at * HEIGHT < list.scrollTop) list.scrollTop = at * HEIGHT;
  else if ((at + 1) * HEIGHT > list.scrollTop + list.clientHeight) list.scrollTop = (at + 1) * HEIGHT - list.clientHeight;
}
function move(by) {
  const at = shown.indexOf(current);
  const next = shown[Math.min(shown.length - 1, Math.max(0, at + by))];
  if (next != null) location.replace(`#${next}`);
}

// --- one scenario ---

function open() {
  const index = location.hash.length > 1 ? Number(location.hash.slice(1)) : NaN;
  const found = index in rows;
  document.body.classList.toggle("open", found);
  current = found ? index : -1;
  drawn.forEach((row, at) => row.setAttribute("aria-current", String(shown[at] === current)));
  if (!found) return $("detail").replaceChildren(h("p", { class: "empty" }, rows.length ? "Choose a scenario." : "The plan is empty."));
  reveal(index);
  const scenario = json(index), [word, , colour] = KINDS[kinds[index]];
  const attempts = scenario.attempts || [];
  const inside = h("div");
  const tabs = h("div", { class: "tabs" });
  const show = number => {
    tabs.replaceChildren(...(attempts.length > 1 ? attempts.map((attempt, at) => h("button", { type: "button", "aria-pressed": String(at === number), click: () => show(at) }, `attempt ${at + 1}: ${attempt.status}`)) : []));
    inside.replaceChildren(...(attempts[number] ? attemptOf(attempts[number]) : []));
  };
  $("detail").replaceChildren(
    h("button", { class: "back", click: () => location.hash = "" }, "← all scenarios"),
    h("h2", null, scenario.name),
    h("div", { class: "meta" },
      h("b", { class: colour }, word),
      h("span", { class: "mono" }, `${scenario.file}:${scenario.line}`),
      copy(`${scenario.file}:${scenario.line}`),
      attempts.length > 0 && h("span", null, time(scenario.duration_ms)),
      (scenario.tags || []).map(tag => h("span", { class: "tag" }, tag))),
    scenario.description ? h("p", { class: "faint" }, scenario.description) : "",
    scenario.reason ? h("p", { class: "note" }, scenario.reason) : "",
    scenario.trace ? h("div", { class: "meta" }, "everything sent and received: ", h("span", { class: "mono" }, `agentos-run show ${scenario.trace}`), copy(`agentos-run show ${scenario.trace}`)) : "",
    cause(index, attempts), tabs, inside);
  show(attempts.length - 1);
  $("detail").scrollTop = 0;
}
/** What went wrong, above everything, and the way to it: the step may be far below. */
function cause(index, attempts) {
  const message = rows[index][FAILURE];
  const steps = attempts.length ? attempts[attempts.length - 1].steps || [] : [];
  if (!message || steps.length < 4 || !steps.some(step => step.status === "failed")) return "";
  return h("p", { class: "cause" }, h("span", null, message),
    h("button", { type: "button", click: () => { const step = document.querySelector(".step.failed"); if (step) step.scrollIntoView({ block: "start", behavior: "smooth" }); } }, "show"));
}
function copy(text) {
  return h("button", { type: "button", click: event => {
    const button = event.currentTarget;
    const area = h("textarea"); area.value = text; document.body.append(area); area.select();
    document.execCommand("copy"); area.remove();
    button.textContent = "copied"; setTimeout(() => button.textContent = "copy", 1200);
  } }, "copy");
}
function attemptOf(attempt) {
  const steps = attempt.steps || [];
  const whole = Math.max(attempt.duration_ms, ...steps.map(step => step.start_ms + step.duration_ms), 0.001);
  const parts = (attempt.failures || []).map(failureOf);
  if (attempt.log) parts.push(h("h3", null, "Log"), h("pre", { class: "wrap" }, attempt.log.map(log => log.text).join("\n")));
  parts.push(h("h3", null, "Steps ", h("span", { class: "faint" }, `${plural(attempt.steps_run, "step")}, ${plural(attempt.checks, "check")}, ${time(attempt.duration_ms)}`)));
  // Very many steps are drawn when somebody wants them.
  const box = h("div");
  if (steps.length > 1) box.append(h("div", { class: "axis" }, h("span"), h("span"), scale(whole), h("span")));
  const more = from => {
    const to = Math.min(steps.length, from + 200);
    box.append(...steps.slice(from, to).map(step => stepOf(step, whole)));
    if (to < steps.length) {
      const button = h("button", { type: "button", click: () => { button.remove(); more(to); } }, `${steps.length - to} more`);
      box.append(button);
    }
  };
  more(0);
  parts.push(box);
  if (attempt.steps_left_out) parts.push(h("p", { class: "faint" }, `${plural(attempt.steps_left_out, "step")} that ran are not in this report.`));
  return parts;
}
/** The times below a waterfall or a stream: its beginning, its middle, its end. */
const scale = end => h("span", { class: "scale", "aria-hidden": "true" }, h("span", null, "0"), h("span", null, time(end / 2)), h("span", null, time(end)));
function stepOf(step, whole) {
  const failed = step.status === "failed" || step.status === "soft_failed";
  const [sign, colour] = failed ? ["✗", step.status === "failed" ? "bad" : "warn"] : step.status === "skipped" ? ["○", "faint"] : ["✓", "good"];
  const fall = h("span", { class: "fall" });
  const bar = (from, length, kind) => {
    const part = h("i", { class: kind });
    part.style.left = `${Math.min(99.5, from / whole * 100)}%`;
    part.style.width = kind === "mark" ? "" : `${Math.min(100, length / whole * 100)}%`;
    fall.append(part);
  };
  if (step.status !== "skipped") {
    bar(step.start_ms, step.duration_ms, failed ? "fail" : "");
    // The answer of the last request ends with the step: what it waited for its first byte is paler.
    const answer = step.response, end = step.start_ms + step.duration_ms;
    if (answer && !failed) bar(end - answer.duration_ms, answer.first_byte_ms, "wait");
    if (answer && step.stream && step.stream.ttft_ms != null) bar(end - answer.duration_ms + step.stream.ttft_ms, 0, "mark");
    fall.title = answer ? `first byte after ${time(answer.first_byte_ms)}, whole after ${time(answer.duration_ms)}` : "";
  }
  const phase = step.phase === "steps" ? "" : ` ${step.phase}`;
  const detail = h("details", { class: `step ${failed ? "failed" : ""}` },
    h("summary", null,
      h("b", { class: colour }, sign),
      h("span", { class: "what" }, step.title.slice(0, 500), h("small", null, `${step.title === step.action ? "" : ` ${step.action}`}${phase}`)),
      fall,
      h("span", { class: "took" }, step.status === "skipped" ? "skipped" : time(step.duration_ms))));
  let filled = false;
  const fill = () => { if (!filled) { filled = true; detail.append(insideOf(step)); } };
  detail.addEventListener("toggle", fill);
  if (failed) { detail.open = true; fill(); }
  return detail;
}
function failureOf(failure) {
  // The message stands above: of the drawn problem, the lines of the file and what follows them are left.
  const frame = failure.text.split("\n").slice(failure.text.split("\n").findIndex(line => /[╭,]─?-?\[/.test(line)) >>> 0).join("\n");
  return h("div", { class: "failure" },
    h("p", null, failure.message),
    failure.diff ? diffOf(failure.diff) : "",
    frame ? h("pre", null, frame) : failure.help ? h("p", { class: "note" }, failure.help) : "");
}
function diffOf(diff) {
  const colours = { "-": "del", "+": "add" };
  return h("pre", { class: "wrap" }, diff.split("\n").map(line => colours[line[0]] ? h("span", { class: colours[line[0]] }, line) : `${line}\n`));
}
function insideOf(step) {
  const inside = h("div", { class: "inside" });
  const at = place => h("span", { class: "mono" }, `${place.file}:${place.line}:${place.column}`);
  inside.append(h("h4", null, at(step.place), step.checks ? plural(step.checks, "check") : ""));
  for (const caller of (step.callers || []).toReversed()) inside.append(h("h4", null, `in \`${caller.title.slice(0, 200)}\``, at(caller.place)));
  if (step.reason) inside.append(h("p", { class: "note" }, step.reason));
  inside.append(...(step.failures || []).map(failureOf));
  (step.notes || []).forEach(note => inside.append(h("p", { class: "note" }, note)));
  const { request, response, stream } = step;
  if (request) {
    inside.append(h("h4", null, "Request", h("span", { class: "mono" }, `${request.method} ${request.url}`), request.curl ? copy(request.curl) : ""));
    if (request.curl) inside.append(h("pre", { class: "wrap" }, request.curl));
    inside.append(pairs("headers", request.headers), bodyOf(request.body));
  }
  if (response) {
    const size = response.body ? `, ${bytes(response.body.bytes)}` : "";
    inside.append(h("h4", null, "Response", h("span", { class: `mono ${response.status < 300 ? "good" : "bad"}` }, String(response.status)),
      h("span", null, `first byte ${time(response.first_byte_ms)}, whole ${time(response.duration_ms)}${size}`)));
    inside.append(pairs("headers", response.headers), bodyOf(response.body));
  }
  if (stream) inside.append(...streamOf(stream));
  return inside;
}
function pairs(title, list) {
  if (!list || !list.length) return "";
  return h("details", { class: "more" }, h("summary", null, `${list.length} ${title}`),
    h("table", null, list.map(([name, value]) => h("tr", null, h("td", null, name), h("td", null, value)))));
}
function bodyOf(body) {
  if (!body) return "";
  const box = h("pre", { class: "wrap" });
  let value;
  try { value = JSON.parse(body.text); } catch { /* Not JSON, or cut: shown as it is. */ }
  if (value !== undefined && typeof value === "object") coloured(box, JSON.stringify(value, null, 2));
  else box.append(body.text);
  if (body.cut) box.append(h("span", { class: "faint" }, `\n… the first ${bytes(body.text.length)} of ${bytes(body.bytes)}`));
  return box;
}
function coloured(box, text) {
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;
  let last = 0;
  for (const match of text.matchAll(token)) {
    box.append(text.slice(last, match.index), h("span", { class: match[2] ? "k" : match[1] ? "s" : "n" }, match[1] || match[0]), match[2] || "");
    last = match.index + match[0].length;
  }
  box.append(text.slice(last));
}
function streamOf(stream) {
  const end = Math.max(0.001, ...stream.events.map(event => event.until_ms ?? event.at_ms));
  const strip = h("div", { class: "strip" });
  const kind = name => /Error|Cancel/.test(name) ? "error" : /Tool/.test(name) ? "tool" : /(Run|Workflow)(Completed|Paused)$/.test(name) ? "end" : "";
  for (const event of stream.events) {
    const part = h("i", { class: kind(event.name), title: `${event.name} ${time(event.at_ms)}` });
    part.style.left = `calc(${event.at_ms / end * 100}% - ${event.at_ms / end * 2}px)`;
    if (event.until_ms != null) {
      part.classList.add("long");
      part.style.width = `max(2px, ${(event.until_ms - event.at_ms) / end * 100}%)`;
    }
    strip.append(part);
  }
  return [
    h("h4", null, "Stream", h("span", null, plural(stream.count, "event") + (stream.ttft_ms == null ? "" : `, first content after ${time(stream.ttft_ms)}`))),
    strip, scale(end),
    h("details", { class: "more" }, h("summary", null, "events"),
      h("table", { class: "events" }, stream.events.map(event => h("tr", null,
        h("td", { class: "at" }, event.at_ms < 1000 ? `${event.at_ms.toFixed(1)} ms` : time(event.at_ms)),
        h("td", null, event.name + ((event.times || 1) > 1 ? ` × ${event.times}` : "")),
        h("td", null, event.text || ""))))),
  ];
}

overview();
chips();
select();
if (!location.hash && matchMedia("(min-width: 801px)").matches) {
  const first = kinds.indexOf("failed");
  if (rows.length) history.replaceState(null, "", `#${first < 0 ? 0 : first}`);
}
open();
addEventListener("hashchange", open);
addEventListener("resize", draw);
$("list").addEventListener("scroll", draw, { passive: true });
$("search").addEventListener("input", select);
$("sort").addEventListener("change", select);
$("tools").addEventListener("submit", event => event.preventDefault());
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "Escape" && typing) { $("search").value = ""; select(); event.target.blur(); }
  else if (event.key === "Escape") location.hash = "";
  else if (typing) return;
  else if (event.key === "/") { event.preventDefault(); $("search").focus(); }
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
});
