const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const META = DATA.meta, LIVE = DATA.mode === "live";
const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const S = { steps: [], at: 0, prop: -1, fn: "", cpu: 0, few: false, all: false, run: -1, pairs: [] };
const views = new Map();
let lines = [];          // of a file: one state a line
const ids = new Map();   // of a file: which state a schedule leads to
const varAt = new Map(META.vars.map((v, i) => [v.name, i]));
const propAt = new Map(META.props.map((p, i) => [p.name, i]));

function h(tag, attrs, ...kids) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (k === "class") e.className = v;
    else if (v === true) e.setAttribute(k, "");
    else if (v !== false && v != null) e.setAttribute(k, v);
  }
  for (const kid of kids.flat(9)) if (kid != null && kid !== false) e.append(kid);
  return e;
}
const put = (id, ...kids) => $(id).replaceChildren(...kids.flat(9).filter((k) => k != null && k !== false));
function say(text, bad) { $("say").textContent = text || ""; $("say").className = bad ? "bad" : ""; }
const key = (k) => S.steps.slice(0, k).join(",");
const view = (k) => views.get(key(k));
const move = (k) => { const v = k > 0 && view(k - 1); return v ? v.moves[S.steps[k - 1]] : null; };

// a schedule as text, as loadput writes it

function encode(steps) {
  return META.key + "." + steps.map((i) => i < 62 ? DIGITS[i] : "-" + DIGITS[(i / 62 | 0) % 62] + DIGITS[i % 62]).join("");
}
function decode(text) {
  const [name, steps] = String(text).split(".");
  if (name !== META.key) throw Error(`the schedule of another program: this one's begin ${META.key}.`);
  const out = [];
  for (let at = 0; at < (steps || "").length; at++) {
    if (steps[at] === "-") {
      out.push(DIGITS.indexOf(steps[at + 1]) * 62 + DIGITS.indexOf(steps[at + 2]));
      at += 2;
    } else out.push(DIGITS.indexOf(steps[at]));
    if (!(out.at(-1) >= 0)) throw Error(`no schedule: character ${at + 6}`);
  }
  return out;
}

// where views come from: the server, or this file

async function ask(what, args) {
  const r = await fetch(`${what}?${new URLSearchParams(args)}`);
  const got = await r.json();
  if (got.error) throw Error(got.error);
  return got;
}
async function need(n) {
  let from = 0;
  while (from <= n && views.has(key(from))) from++;
  if (from > n) return n;
  if (LIVE) {
    const got = await ask("view", { s: encode(S.steps.slice(0, n)), from });
    got.views.forEach((v, i) => views.set(key(from + i), v));
    return from + got.views.length - 1;
  }
  for (let k = from; k <= n; k++) {
    let id = 0;
    if (k > 0) {
      const before = view(k - 1);
      id = before && before.to ? before.to[S.steps[k - 1]] : -1;
    }
    if (id == null || id < 0) return k - 1;
    ids.set(key(k), id);
    views.set(key(k), JSON.parse(lines[id]));
  }
  return n;
}
async function unpack() {
  if (LIVE) return;
  const raw = atob(DATA.views), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const flow = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  lines = (await new Response(flow).text()).split("\n");
}
const OUTSIDE = "this file has no more of the space around it; the command at the foot shows all of it";

// going

async function go(steps, at, options) {
  const before = [S.steps, S.at];
  S.steps = steps;
  try {
    const got = await need(Math.min(at, steps.length));
    const last = got > 0 ? view(got - 1).moves[steps[got - 1]] : null;
    S.at = Math.max(0, Math.min(at, got));
    if (got < at && !(last && last.ends)) {
      const v = view(got), m = v && v.moves[steps[got]];
      if (m && m.ends) S.at = got + 1;
      else { S.steps = steps.slice(0, got); say(m ? OUTSIDE : "the schedule goes no further", true); }
    }
    await need(S.at);
  } catch (e) {
    [S.steps, S.at] = before;
    say(e.message, true);
  }
  S.fn = "";
  const bad = [...failsIn(S.at), ...((view(S.at) || { bad: [] }).bad)].filter((n) => propAt.has(n));
  if (bad.length && !(S.prop >= 0 && bad.includes(META.props[S.prop].name))) S.prop = propAt.get(bad[0]);
  if (!(options && options.keep)) S.run = runOf();
  await besides();
  render();
}
const jump = (k) => { say(""); return go(S.steps, k, { keep: true }); };
function take(i) {
  const v = view(S.at);
  if (!v || !v.moves[i]) return;
  say("");
  if (S.steps[S.at] === i) return jump(S.at + 1);
  return go([...S.steps.slice(0, S.at), i], S.at + 1);
}
const isEnd = () => { const m = move(S.at); return !!(m && m.ends); };
function runOf() { return DATA.runs.findIndex((r) => r.steps.join() === S.steps.join()); }
async function show(i) {
  const run = DATA.runs[i];
  if (!run) return;
  S.run = i;
  if (propAt.has(run.property)) S.prop = propAt.get(run.property);
  await go(run.steps, run.steps.length, { keep: true });
}

// the other program on the same schedule

async function besides() {
  S.pairs = [];
  if (!META.beside) return;
  const run = DATA.runs.find((r) => r.pairs && S.steps.every((x, k) => r.steps[k] === x));
  if (run) S.pairs = run.pairs;
  else if (LIVE) {
    try { S.pairs = (await ask("beside", { s: encode(S.steps) })).pairs; } catch (e) { say(e.message, true); }
  }
}
function there(name, k) {   // the other's value of a variable after step k
  const p = S.pairs[k - 1];
  if (!p) return null;
  const d = p.differs.find((x) => x[0] === name);
  return d ? d[2] : view(k) ? view(k).values[varAt.get(name)] : null;
}
function partings(k) {      // what differs after step k and did not before
  const p = S.pairs[k - 1], q = S.pairs[k - 2];
  if (!p) return [];
  const was = new Set((q ? q.differs : []).map((d) => d.join("\t")));
  return p.differs.filter((d) => !was.has(d.join("\t")) && isShown(varAt.get(d[0])));
}

// what a property said, and says

function askedIn(k, prop) {
  const m = move(k);
  return m && m.asked ? m.asked.filter((a) => a[0] === prop) : [];
}
function failsIn(k) { const m = move(k); return m && m.bad ? m.bad : []; }
function failing(prop) {    // the first step of the schedule that violates it
  for (let k = 1; k <= S.steps.length; k++) {
    if (failsIn(k).includes(META.props[prop].name)) return k;
    const v = view(k);
    if (v && v.bad.includes(META.props[prop].name)) return k;
    if (!v) break;
  }
  return 0;
}
function truthAt(k, prop) { // v: violated, t or f: asked, or as it would be, "-": means nothing here
  if (failsIn(k).includes(META.props[prop].name)) return "v";
  if (askedIn(k, prop).length) return "t";
  const v = view(k);
  if (!v) return "-";
  if (v.bad.includes(META.props[prop].name)) return "v";
  const said = v.truth.filter((t) => t[0] === prop);
  const n = failing(prop), cpu = n ? move(n).cpu : -1;
  const here = said.filter((t) => t[1] === cpu || t[1] < 0);
  const use = here.length ? here : said;
  return use.length ? (use.some((t) => !t[3]) ? "f" : "t") : "-";
}
function readsOf(prop) {    // the variables that decide: where it fails, else where it stands
  const n = failing(prop), name = META.props[prop].name;
  if (n) {
    const a = askedIn(n, prop).find((x) => !x[1]);
    if (a) return a[3].map((r) => r[0]);
    const t = view(n) && view(n).truth.find((x) => x[0] === prop && !x[3]);
    if (t) return t[5].map((r) => r[0]);
  }
  const v = view(S.at);
  const t = v ? v.truth.filter((x) => x[0] === prop) : [];
  return [...new Set(t.flatMap((x) => x[5].map((r) => r[0])))];
}
const isShown = (i) => i != null && (S.all || !["ghost", "inner"].includes(META.vars[i].kind));

// drawing

function changeRow(m, before, only, hits) {
  return m.changes.filter(([i]) => only(i)).map(([i, to], n) => [n ? ", " : "",
    h("span", { class: hits && hits.has(META.vars[i].name) ? "hit" : "" }, META.vars[i].name, " ",
      h("b", {}, `${before.values[i]}→${to}`))]);
}
function title(m) {
  const begins = m.begins ? `${m.begins}: ` : "";
  return `${m.who} ${begins}${m.fn}`;
}
function drawCpus() {
  const v = view(S.at), out = [];
  const ended = isEnd();
  for (let c = 0; v && c < META.cpus; c++) {
    const cpu = v.cpus[c], top = cpu.frames[0];
    const head = h("div", { class: "head" }, h("b", { class: "k" + c % 4 }, `CPU ${c}`),
      h("span", {}, `runs ${cpu.task}`, cpu.vcpu && ` (${cpu.vcpu}'s thread)`));
    if (top) head.append(h("span", { class: "tag" + (top.irqs ? "" : " off") }, top.irqs ? "IRQs on" : "IRQs off"),
      h("span", { class: "tag" + (top.depth ? " off" : "") }, top.depth ? `preempt_count ${top.depth}` : "preemptible"));
    const frames = cpu.frames.map((f, i) => h("div", { class: "frame" + (i ? "" : " top") },
      i ? "below: " : f.kind === "irq" ? "interrupt: " : "",
      f.stack.slice(-4).map((fn, n, all) => [n ? " › " : f.stack.length > 4 ? "… › " : "",
        h("span", { class: "fn" + (n === all.length - 1 && !i ? " here" : ""), onclick: () => { S.fn = fn; S.cpu = c; render(); } }, fn)])));
    const moves = ended ? [] : v.moves.map((m, i) => [m, i]).filter(([m]) => m.cpu === c).map(([m, i]) => drawMove(m, i, v));
    const no = ended ? [] : v.blocked.filter((b) => b.cpu === c && !b.never).map(drawBlocked);
    const never = v.blocked.filter((b) => b.cpu === c && b.never);
    out.push(h("div", { class: "cpu" }, head, frames, moves, no,
      never.length && !ended ? h("details", { class: "never" }, h("summary", {}, "left out by the scenario"), never.map((b) => b.what).join(", ")) : null));
  }
  if (ended) out.unshift(h("p", { class: "blocked badly" }, move(S.at).ends === "waits"
    ? "What was asked has failed, and the step then waits: nothing has moved." : "A fault: execution cannot go on from here."));
  const off = v ? v.blocked.filter((b) => b.cpu < 0) : [];
  if (off.length) out.push(h("div", { class: "cpu" }, h("div", { class: "head" }, h("b", {}, "on no CPU")),
    off.map((b) => h("div", { class: "blocked" }, h("b", {}, b.who), ` in ${b.what}(): ${b.why}`))));
  put("cpulist", out);
}
function drawMove(m, i, v) {
  const all = m.changes.length, seen = m.changes.filter(([k]) => isShown(k));
  const few = { ...m, changes: seen.slice(0, 4) };
  const known = S.steps[S.at] === i && S.at < S.steps.length;
  const outside = !LIVE && v.to && v.to[i] < 0 && !m.ends;
  return h("button", { class: "move" + (known ? " next" : "") + (m.bad ? " fails" : "") + (outside ? " gone" : ""), "data-i": i,
    title: outside ? OUTSIDE : m.stack.join(" › "), onclick: () => take(i) },
  h("span", { class: "n" }, i < 9 ? i + 1 : ""), h("b", { class: "k" + m.cpu % 4 }, m.who), " ",
  m.begins ? h("span", { class: "dim" }, `${m.begins}: `) : "", m.fn,
  m.free ? h("div", { class: "dim" }, m.free.join(", ")) : null,
  h("div", { class: "chg" }, changeRow(few, v, () => true), seen.length > 4 ? `, and ${seen.length - 4} more` : "",
    !seen.length ? (m.ends === "waits" ? "then waits" : m.ends ? "cannot go on" : m.same ? "changes nothing" : all ? "goes on" : "goes on") : ""),
  m.bad ? h("div", { class: "badly" }, `violates ${m.bad.join(", ")}`) : null);
}
function drawBlocked(b) {
  return h("div", { class: "blocked" }, h("span", { class: "x" }, "✕"), h("b", {}, b.who === "irq" ? "" : b.who + " "), b.what, ": ", b.why,
    b.until ? [b.why.startsWith("waits") ? " until " : ": wants ", h("code", {}, b.until)] : null,
    b.reads ? h("span", {}, " (", b.reads.join(", "), ")") : null);
}
function drawSteps() {
  const rows = [], hits = new Set(S.prop >= 0 ? readsOf(S.prop) : []);
  rows.push(h("li", { class: "step" + (S.at === 0 ? " cur" : ""), "data-k": 0, onclick: () => jump(0) },
    h("span", { class: "no" }, "0"), h("span", { class: "truth" }), h("span", { class: "who dim" }, "at the start")));
  let hidden = 0;
  for (let k = 1; k <= S.steps.length; k++) {
    const m = move(k);
    if (!m) break;
    const before = view(k - 1), parts = partings(k), p = S.pairs[k - 1];
    const hit = m.changes.some(([i]) => hits.has(META.vars[i].name));
    const seen = m.changes.filter(([i]) => isShown(i) || hits.has(META.vars[i].name));
    const bad = m.bad || (k === S.steps.length || k === S.at ? (view(k) || { bad: [] }).bad : []);
    const parted = p && p.how === "parted";
    const matters = hit || bad.length || parts.some((d) => hits.has(d[0])) || parted;
    if (S.few && !matters && k !== S.at) { hidden++; continue; }
    if (hidden) rows.push(h("li", { class: "step quiet" }, h("span", { class: "no" }, "⋮"), h("span", {}), h("span", { class: "who dim" }, `${hidden} steps`)));
    hidden = 0;
    const t = S.prop >= 0 ? truthAt(k, S.prop) : "-";
    const who = h("div", { class: "who" }, hit ? h("span", { class: "mk", title: "changes what the property reads" }, "◆ ") : "",
      META.cpus > 1 ? h("span", { class: "k" + m.cpu % 4 }, `c${m.cpu} `) : "", h("b", { class: "k" + m.cpu % 4 }, m.who), " ",
      m.begins ? h("span", { class: "dim" }, `${m.begins}: `) : "", m.fn);
    const mine = seen.filter(([i]) => hits.has(META.vars[i].name)), rest = seen.filter(([i]) => !hits.has(META.vars[i].name));
    const shown = { changes: [...mine, ...rest].slice(0, k === S.at ? 30 : 4) };
    const body = h("div", {}, who, seen.length ? h("div", { class: "chg" }, changeRow(shown, before, () => true, hits),
      seen.length > shown.changes.length ? `, and ${seen.length - shown.changes.length} more` : "") : null,
    bad.length ? h("div", { class: "badly" }, `✕ ${bad.join(", ")}`) : null,
    parts.length ? h("div", { class: "beside" }, `${META.beside.name} has `, parts.slice(0, 3).map((d) => `${d[0]} = ${d[2]}`).join(", "), parts.length > 3 ? ", …" : "") : null,
    parted ? h("div", { class: "beside" }, `${META.beside.name} parts here: ${p.why}`) : null);
    rows.push(h("li", { class: "step" + (k === S.at ? " cur" : "") + (bad.length ? " bad" : "") + (k > S.at ? " ahead" : "")
      + (seen.length ? "" : " quiet") + (hit ? " marked" : ""), "data-k": k, onclick: () => jump(k) },
    h("span", { class: "no" }, k), h("span", { class: "truth " + t, title: { t: "holds here", f: "would not hold if it were asked here", v: "violated", "-": "" }[t] }), body));
  }
  put("steps", rows);
  put("legend", S.prop < 0 ? "" : [h("span", {}, "bar: ", h("b", { style: "color:var(--ok)" }, "holds"), ", ", h("b", { style: "color:var(--mark)" }, "would fail if asked"),
    ", ", h("b", { style: "color:var(--bad)" }, "fails"), ` (${META.props[S.prop].name}); `, h("span", { class: "mk", style: "color:var(--mark)" }, "◆"), " changes what it reads")]);
  const cur = $("steps").querySelector(".cur");
  if (cur) cur.scrollIntoView({ block: "nearest" });
}
function lastChange() {
  const out = new Map();
  for (let k = 1; k <= S.at; k++) { const m = move(k); if (m) for (const [i] of m.changes) out.set(i, k); }
  return out;
}
function chip(i, text) {
  const v = META.vars[i];
  if (v.kind !== "register" && v.kind !== "copy") return h("span", {}, text);
  if (text === "none") return h("span", { class: "chip dim", title: "nobody's" }, "nobody's");
  const old = text.endsWith("(old)");
  return h("span", { class: "chip " + (old ? "old" : "now"), title: old ? "a value that its owner has replaced since" : "what its owner has now" },
    old ? `${text.slice(0, -5)}'s, stale` : `${text}'s, current`);
}
function drawState() {
  const v = view(S.at) || view(S.at - 1), before = S.at > 0 ? view(S.at - 1) : null;
  if (!v) return;
  const ages = lastChange(), hits = new Set(S.prop >= 0 ? readsOf(S.prop) : []), groups = new Map();
  META.vars.forEach((x, i) => {
    const changed = before && before.values[i] !== v.values[i];
    if (!isShown(i) && !hits.has(x.name)) return;
    if (x.group.startsWith("idle") && !S.all && !changed) return;
    if (!groups.has(x.group)) groups.set(x.group, []);
    const other = S.pairs.length ? there(x.name, S.at) : null;
    const age = ages.get(i);
    const row = h("div", { class: "val" + (changed ? " changed" : "") + (hits.has(x.name) ? " read" : ""), "data-v": x.name, title: `${x.kind === "register" ? "a register of the hardware" : x.kind === "copy" ? "memory that holds a register's value" : x.kind === "ghost" ? "the model's own, for properties" : ""} ${x.file}` },
      h("span", { class: "nm" }, x.name, x.kind === "register" ? h("span", { class: "dim" }, " reg") : ""),
      h("span", { class: "vv" }, changed ? h("span", { class: "was" }, `${before.values[i]} → `) : "", chip(i, v.values[i]),
        age ? h("span", { class: "age" }, ` since ${age}`) : "",
        other != null && other !== v.values[i] ? h("div", { class: "k2" }, `${META.beside.name}: ${other}`) : null));
    // What decides stands first.
    const g = groups.get(x.group);
    if (hits.has(x.name)) g.unshift(row); else g.push(row);
  });
  const order = (g) => ["CPU", "vCPU", "vmcb", "T", "idle", "VM", ""].findIndex((p) => g.startsWith(p));
  put("values", [...groups.keys()].sort((a, b) => order(a) - order(b) || a.localeCompare(b)).map((g) =>
    h("div", { class: "group" }, h("h3", {}, g), groups.get(g))));
}
const toStep = (k, text) => h("a", { class: "to", role: "button", tabindex: 0, onclick: () => jump(k) }, text || `step ${k}`);
function equation(a) {      // the sub-expression that decides, then each thing that it read
  return [h("div", { class: "eq" }, a[2] || "(known from the program text alone)"),
    a[3].length ? h("div", { class: "eq" }, a[3].map((r, n) => [n ? ",  " : "", `${r[0]} = `, varAt.has(r[0]) ? chip(varAt.get(r[0]), r[1]) : r[1]])) : null];
}
function because(prop, n, reads) {
  const items = [];
  for (const [name] of reads) {
    const i = varAt.get(name), when = [];
    for (let k = 1; k <= n; k++) {
      const m = move(k), c = m && m.changes.find((x) => x[0] === i);
      if (c && k < n) when.push([k, m, c[1]]);
    }
    const last = when.slice(-2);
    items.push(h("li", {}, h("code", {}, name), ": ", last.length ? last.map(([k, m, to], x) => [x ? "; " : "",
      toStep(k), ` (${m.who} in ${m.fn}) `, to.endsWith("(old)") ? ["made it ", h("b", {}, "stale"), `: ${to.slice(0, -5)} has another value since`] : ["set it to ", chip(i, to)]])
      : "as it was at the start"));
    if (S.pairs.length && S.pairs[n - 2]) {
      let since = 0;
      for (let k = 2; k < n; k++) if (there(name, k) !== there(name, k - 1)) since = k;
      const other = there(name, n - 1), mine = view(n - 1) ? view(n - 1).values[i] : other;
      if (other !== mine && since) items.push(h("li", { class: "k2" }, `${META.beside.name} on the same schedule: `, toStep(since), since && move(since) ? ` (${move(since).fn}) ` : " ", "has set it to ", chip(i, other), ", which this program did not"));
    }
  }
  let from = n;
  while (from > 1 && ["f", "-"].includes(truthAt(from - 1, prop))) from--;
  while (from < n && truthAt(from, prop) === "-") from++;
  const held = from > 1 && truthAt(from - 1, prop) === "t";
  if (from < n && held) items.unshift(h("li", {}, "It would have held until ", toStep(from - 1), "; from ", toStep(from), " on it is wrong, and nothing sets it right before it is asked."));
  return items;
}
function drawWhy() {
  const out = [];
  for (const name of [...new Set([...failsIn(S.at), ...((view(S.at) || { bad: [] }).bad)])]) {
    const prop = propAt.get(name);
    if (prop == null) continue;
    const p = META.props[prop], m = move(S.at);
    const a = askedIn(S.at, prop).find((x) => !x[1]) || ((view(S.at) || { truth: [] }).truth.filter((t) => t[0] === prop && !t[3]).map((t) => [t[0], t[3], t[4], t[5]])[0]);
    out.push(h("div", { class: "panel failed" }, h("h3", {}, h("span", { class: "badly" }, `${name} fails in step ${S.at}`), ` on CPU ${m.cpu}: ${title(m)}`),
      h("p", {}, p.sentence), p.where ? h("p", { class: "dim" }, `asked ${p.where}; from ${p.source}`) : null,
      a ? [equation(a), h("p", {}, "How it came to that:"), h("ul", { class: "because" }, because(prop, S.at, a[3]))] : null,
      p.fn ? h("a", { class: "to", onclick: () => { S.fn = p.fn; render(); } }, "its condition in the source") : null));
  }
  const told = [...failsIn(S.at), ...((view(S.at) || { bad: [] }).bad)];
  if (S.prop >= 0 && !told.includes(META.props[S.prop].name)) {
    const p = META.props[S.prop], v = view(S.at), said = v ? v.truth.filter((t) => t[0] === S.prop) : [];
    const asked = askedIn(S.at, S.prop), n = failing(S.prop);
    out.push(h("div", { class: "panel" }, h("h3", {}, p.name), h("p", {}, p.sentence), h("p", { class: "dim" }, p.where ? `asked ${p.where}` : ""),
      asked.length ? [h("p", {}, h("b", { style: "color:var(--ok)" }, "asked in this step, and holds:")), equation(asked[0])]
        : said.length ? said.map((t) => [h("p", {}, t[1] >= 0 ? `asked here, on CPU ${t[1]} (${t[2]}), it would ` : "here it would ",
          h("b", { style: `color:var(--${t[3] ? "ok" : "mark"})` }, t[3] ? "hold" : "fail"), ":"), equation([t[0], t[3], t[4], t[5]])])
          : h("p", { class: "dim" }, "What it asks means nothing in this state: it is of a place that nobody is at."),
      n && n !== S.at ? h("p", {}, "it fails in ", toStep(n)) : null,
      LIVE && p.fn ? h("button", { id: "witness", onclick: () => witness(p.name) }, "a run in which it is at stake") : null));
  }
  put("why", out);
}
function drawSource() {
  const m = move(S.at), v = view(S.at) || view(S.at - 1);
  let fn = S.fn;
  const bad = failsIn(S.at)[0];
  // What is judged comes first: a function that this program has otherwise than the release's own.
  if (!fn && m) fn = Object.keys(m.lines || {}).find((f) => META.functions[f] && !/^(mainline|arch:|release:)/.test(META.functions[f].origin)) || "";
  if (!fn && m) fn = META.functions[m.fn] ? m.fn : Object.keys(m.lines || {}).find((f) => META.functions[f]) || "";
  if (!fn && v) fn = (v.cpus[0].frames[0] || { stack: [""] }).stack.at(-1);
  const src = META.functions[fn];
  if (!src) return put("source", fn ? h("p", { class: "dim" }, `${fn}(): its text is not in the specification`) : "");
  const passed = new Set(m && m.lines && m.lines[fn] || []), next = new Set();
  if (v && view(S.at)) for (const c of v.cpus) { const f = c.frames[0]; if (f && f.stack.at(-1) === fn) next.add(f.line); }
  const why = bad && META.props[propAt.get(bad)] && META.props[propAt.get(bad)].fn === fn;
  const kernel = META.kernel && META.kernel[fn];
  const spec = listing(src.file + (src.origin !== "mainline" ? `  (${src.origin})` : ""), src.first, src.text, passed, next, why, true);
  const rows = kernel && new Set([...passed].map((l) => kernel.map[l]).filter((x) => x != null));
  const coming = kernel && new Set([...next].map((l) => kernel.map[l]).filter((x) => x != null));
  const ways = m ? Object.keys(m.lines || {}).filter((f) => META.functions[f]) : [];
  const way = ways.length > 1 ? h("div", { class: "passes" }, `step ${S.at} passes: `, ways.map((f, i) => [i ? ", " : "",
    h("span", { class: "fn" + (f === fn ? " cur" : ""), role: "button", tabindex: 0, onclick: () => { S.fn = f; render(); } }, f)])) : "";
  put("source", way, h("div", { class: "srcs" + (kernel ? " two" : "") }, spec,
    kernel ? listing(`${kernel.path}  (the kernel's)`, kernel.first, kernel.text, rows, coming, false, false) : null));
  for (const e of $("source").querySelectorAll(".src")) {
    const line = e.querySelector(".passed") || e.querySelector(".next");
    if (line) e.scrollTop = Math.max(0, line.offsetTop - 60);
  }
}
function listing(file, first, text, passed, next, why, python) {
  let doc = false;
  const body = text.split("\n").map((row, i) => {
    const quotes = python ? (row.match(/"""/g) || []).length : 0, inDoc = doc || quotes > 0, n = first + i;
    const within = doc;
    if (quotes === 1) doc = !doc;
    // Of a docstring its first line: the rest is of who wrote it, and stands in the file.
    if (within) return null;
    return h("span", { class: "ln" + (inDoc ? " doc" : "") + (passed.has(n) ? " passed" : "") + (next.has(n) ? " next" : "") + (why && !inDoc && i ? " why" : "") }, h("i", {}, n), row || " ");
  });
  return h("div", { class: "src" }, h("div", { class: "file" }, file), h("pre", {}, body.filter(Boolean)));
}
function drawProps() {
  const rows = META.props.map((p, i) => {
    let last = 0, bad = failing(i);
    for (let k = 1; k <= S.at; k++) if (askedIn(k, i).length) last = k;
    const now = askedIn(S.at, i).length > 0, t = truthAt(S.at, i);
    const cls = bad && bad <= S.at ? "v" : now ? "t" : t === "f" && i === S.prop ? "wf" : "";
    const text = bad && bad <= S.at ? `fails in step ${bad}` : now ? "asked, holds" : last ? `held in step ${last}` : "not asked yet";
    return [cls === "v" ? 0 : now ? 1 : last ? 2 : 3, -last, h("div", { class: "prow" + (i === S.prop ? " cur" : ""), title: p.sentence, role: "button", tabindex: 0,
      onclick: () => { S.prop = i; render(); } }, h("span", { class: "dot " + cls }), h("span", {}, p.name), h("span", { class: "dim" }, text))];
  }).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  put("props", h("h2", {}, `Properties: ${META.props.length}`), rows.map((r) => r[2]),
    h("p", { class: "dim mono" }, META.command));
}
function drawBar() {
  $("title").textContent = META.title;
  $("sub").textContent = [META.program, `scenario ${META.scenario}`, META.beside ? `beside ${META.beside.title}` : "", META.verdict || ""].filter(Boolean).join(" · ");
  $("where").textContent = `step ${S.at} of ${S.steps.length}`;
  $("back").disabled = $("first").disabled = S.at === 0;
  $("on").disabled = $("last").disabled = S.at >= S.steps.length;
  const runs = DATA.runs.map((r, i) => h("option", { value: i, selected: i === S.run }, r.name));
  put("runs", h("option", { value: -1, selected: S.run < 0 }, DATA.runs.length ? "your own schedule" : META.verdict ? "no counterexample" : "checking …"), runs);
  $("few").checked = S.few;
  $("all").checked = S.all;
}
function render() {
  drawWhy();
  drawBar(); drawCpus(); drawSteps(); drawState(); drawSource(); drawProps();
  const to = new URLSearchParams({ s: encode(S.steps), at: S.at });
  if (S.prop >= 0) to.set("p", META.props[S.prop].name);
  history.replaceState(null, "", "#" + to);
  window.drawn = (window.drawn || 0) + 1;
}

// searches

function goal(kind, name) { // as explore/search.py, of what a file holds
  const field = (n) => { const d = n.split("."); return (d[1] || d[0]).split("[")[0]; };
  const wanted = new Set(META.vars.map((v, i) => [v, i]).filter(([v]) => v.name === name || field(v.name) === name).map(([, i]) => i));
  if (kind === "change" && !wanted.size) throw Error(`no variable '${name}' in this program`);
  if (kind === "call" && !META.calls.includes(name)) throw Error(`no function '${name}' in this program`);
  if (kind === "fail" && name && !propAt.has(name)) throw Error(`no property '${name}' of this program`);
  const within = (v, m) => m.begins || v.cpus[m.cpu].frames.some((f, i) => !i && f.stack.includes(name));
  return (v, m, after) => {
    if (kind === "change") return m.changes.some(([i]) => wanted.has(i));
    if (kind === "fail") return (m.bad || []).concat(after ? after.bad : []).some((b) => !name || b === name);
    if (!m.begins && within(v, m)) return false;
    return m.stack.includes(name) || name in (m.lines || {}) || (after && after.cpus[m.cpu].frames[0] && after.cpus[m.cpu].frames[0].stack.includes(name));
  };
}
function searchHere(kind, name) {
  const is = goal(kind, name), from = ids.get(key(S.at)), back = new Map([[from, null]]);
  const at = (id) => JSON.parse(lines[id]);
  let level = [from];
  while (level.length) {
    const next = [];
    for (const id of level) {
      const v = at(id);
      for (let i = 0; i < v.moves.length; i++) {
        const to = v.to[i], after = to >= 0 ? at(to) : null;
        if (is(v, v.moves[i], after)) {
          const path = [i];
          for (let x = id; back.get(x); x = back.get(x)[0]) path.unshift(back.get(x)[1]);
          return { steps: path, states: back.size };
        }
        if (to >= 0 && !back.has(to)) { back.set(to, [id, i]); next.push(to); }
      }
    }
    level = next;
  }
  return { steps: null, states: back.size, whole: false };
}
async function until() {
  const kind = $("kind").value, name = $("what").value.trim();
  say("searching …");
  try {
    const got = LIVE ? await ask("until", { s: encode(S.steps.slice(0, S.at)), kind, name }) : searchHere(kind, name);
    const n = got.states.toLocaleString("en");
    if (!got.steps) return say(got.whole ? `it never comes from here: all ${n} states that can be reached were seen` : LIVE ? `not within ${n} states from here` : `not in the ${n} states of this file that can be reached from here`, true);
    await go([...S.steps.slice(0, S.at), ...got.steps], S.at + got.steps.length);
    say(`${got.steps.length} steps on, the shortest way; ${n} states seen`);
  } catch (e) { say(e.message, true); }
}
async function random() {
  say("");
  if (LIVE) {
    try {
      const got = await ask("walk", { s: encode(S.steps.slice(0, S.at)), seed: Math.floor(Math.random() * 1e9), steps: 20 });
      return await go([...S.steps.slice(0, S.at), ...got.steps], S.at + got.steps.length);
    } catch (e) { return say(e.message, true); }
  }
  const path = [];
  let id = ids.get(key(S.at));
  for (let n = 0; n < 20 && id >= 0; n++) {
    const v = JSON.parse(lines[id]), can = v.moves.map((m, i) => i).filter((i) => v.to[i] >= 0 && !v.moves[i].same);
    if (!can.length) break;
    path.push(can[Math.floor(Math.random() * can.length)]);
    id = v.to[path.at(-1)];
  }
  await go([...S.steps.slice(0, S.at), ...path], S.at + path.length);
}
async function witness(name) {
  say("searching …");
  try {
    const got = await ask("witness", { p: name });
    if (!got.steps) return say(`no run that comes to it within ${got.states.toLocaleString("en")} states`, true);
    await go(got.steps, got.steps.length);
    say({ 3: "the shortest run in which it is asked with something at stake, and holds",
      2: "the shortest run in which another value of what it reads would fail it; what it reads is as at the start",
      1: "the shortest run that comes to it; no value of what it reads could fail it here" }[got.degree]);
  } catch (e) { say(e.message, true); }
}

// taking it along

const TWO = 72;
function wrap(text, width, pad) {
  const out = [];
  let row = "";
  for (const word of text.split(" ")) {
    if (row && (row + " " + word).length > width) { out.push(pad + row); row = word; } else row = row ? row + " " + word : word;
  }
  return row ? [...out, pad + row] : out;
}
function mailText() {
  const out = [META.title, ...wrap(`${META.program}, scenario ${META.scenario}`, TWO, ""), ""];
  const wide = Math.floor((TWO - 5) / META.cpus);
  out.push(("  #  " + Array.from({ length: META.cpus }, (_, c) => `c${c}`.padEnd(wide)).join("")).trimEnd());
  let shown = "";
  for (let k = 1; k <= S.at; k++) {
    const m = move(k);
    if (!m) break;
    const before = view(k - 1), told = m.changes.filter(([i]) => isShown(i)).map(([i, to]) => `${META.vars[i].name} ${before.values[i]}>${to}`);
    const place = `${m.cpu} ${m.who}`;
    if (!told.length && !m.bad && shown.startsWith(place + " ")) continue;
    if (`${place} ${m.fn}` !== shown || m.bad) out.push(`${String(k).padStart(3)}  ${" ".repeat(wide * m.cpu)}${m.who} ${m.fn}`.slice(0, TWO));
    shown = `${place} ${m.fn}`;
    const pad = " ".repeat(Math.min(8 + wide * m.cpu, TWO - 36));
    out.push(...wrap(told.join(", "), TWO - pad.length, pad));
    for (const name of m.bad || []) {
      out.push(`${" ".repeat(5 + wide * m.cpu)}!! ${name}`);
      const a = askedIn(k, propAt.get(name)).find((x) => !x[1]);
      if (a) out.push(...wrap(a[3].map((r) => `${r[0]} = ${r[1]}`).join(", "), TWO - pad.length, pad));
    }
  }
  const schedule = encode(S.steps.slice(0, S.at));
  const replay = META.replay ? `${META.replay} --schedule ${schedule}` : `${META.command} # schedule ${schedule}`;
  return [...out, "", ...wrap(replay, TWO - 2, "  ")].join("\n");
}
function box(...kids) { put("boxbody", kids); $("box").showModal(); }
async function copy(text, done) {
  try { await navigator.clipboard.writeText(text); say(done); } catch { say("copy it from here: " + text); }
}
function keys() {
  const rows = [["← →", "one step back, on: undo and redo"], ["Home End", "to the start, to the end of the schedule"], ["1 … 9", "take that step"], ["/", "go on until …"], ["r", "twenty steps at random"],
    ["n p", "the next, the previous step that matters"], ["f", "only what matters"], ["a", "the model's own variables too"], ["m", "as mail"], ["l", "copy the link"], ["t", "light or dark"], ["?", "this"]];
  box(h("table", {}, rows.map(([k, text]) => h("tr", {}, h("td", {}, k.split(" ").map((x) => [h("kbd", {}, x), " "])), h("td", {}, text)))));
  $("copy").hidden = true;
}
function nextMark(by) {
  const hits = new Set(S.prop >= 0 ? readsOf(S.prop) : []);
  for (let k = S.at + by; k > 0 && k <= S.steps.length; k += by) {
    const m = move(k);
    if (m && (m.bad || m.changes.some(([i]) => hits.has(META.vars[i].name)))) return jump(k);
  }
}
function names() {
  const kind = $("kind").value, field = (n) => (n.split(".")[1] || n).split("[")[0];
  const list = kind === "call" ? META.calls : kind === "fail" ? META.props.map((p) => p.name) : [...new Set(META.vars.flatMap((v) => [field(v.name), v.name]))];
  put("names", list.map((n) => h("option", { value: n })));
  $("what").placeholder = { call: "function", change: "field, or v0.field", fail: "property; empty: any" }[kind];
}
const acts = {
  ArrowLeft: () => S.at && jump(S.at - 1), ArrowRight: () => S.at < S.steps.length && jump(S.at + 1),
  Home: () => jump(0), End: () => jump(S.steps.length), r: random, n: () => nextMark(1), p: () => nextMark(-1),
  f: () => { S.few = !S.few; render(); }, a: () => { S.all = !S.all; render(); }, t: () => root.classList.toggle("dark"),
  m: () => { $("copy").hidden = false; box(h("pre", { id: "text" }, mailText())); }, l: () => copy(location.href, "copied: the address says the whole schedule"),
  "/": () => $("what").focus(), "?": keys,
};
function listen() {
  const on = (id, f, what = "click") => $(id).addEventListener(what, f);
  on("first", acts.Home); on("last", acts.End); on("back", acts.ArrowLeft); on("on", acts.ArrowRight);
  on("go", until); on("random", random); on("link", acts.l); on("mail", acts.m); on("theme", acts.t); on("help", keys);
  on("kind", names, "change"); on("few", acts.f, "change"); on("all", acts.a, "change");
  on("runs", () => show(+$("runs").value), "change");
  on("what", (e) => { if (e.key === "Enter") until(); }, "keydown");
  on("copy", () => copy($("text") ? $("text").textContent : "", "copied"));
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || $("box").open || ["INPUT", "SELECT", "TEXTAREA"].includes(e.target.tagName)) return;
    const f = acts[e.key] || (/^[1-9]$/.test(e.key) && (() => take(+e.key - 1)));
    if (f) { e.preventDefault(); f(); }
  });
  addEventListener("hashchange", fromAddress);
}
async function fromAddress() {
  const to = new URLSearchParams(location.hash.slice(1));
  if (!to.get("s")) return false;
  try {
    const steps = decode(to.get("s"));
    if (propAt.has(to.get("p"))) S.prop = propAt.get(to.get("p"));
    const at = Number.parseInt(to.get("at") ?? steps.length, 10);
    await go(steps, Number.isFinite(at) ? Math.max(0, at) : steps.length);
    // Views for the part ahead, so that it is drawn too.
    await need(S.steps.length); render();
    return true;
  } catch (e) { say(e.message, true); return false; }
}
async function poll() {     // the check runs beside: what it finds comes later
  const got = await ask("runs", {});
  if (got.runs.length > DATA.runs.length || got.verdict !== META.verdict) {
    DATA.runs = got.runs;
    META.verdict = got.verdict;
    if (got.runs.length && !S.steps.length) await show(0); else drawBar();
  }
  if (!got.done) setTimeout(poll, 1000);
}
async function main() {
  const want = new URLSearchParams(location.search).get("theme");
  if (want ? want === "dark" : matchMedia("(prefers-color-scheme: dark)").matches) root.classList.add("dark");
  try { await unpack(); } catch (e) { say(`the states of this file cannot be read: ${e.message}`, true); return; }
  listen(); names();
  await need(0);
  if (!await fromAddress()) { if (DATA.runs.length) await show(0); else await go([], 0); }
  if (LIVE) poll();
  window.ready = true;
}
main();
