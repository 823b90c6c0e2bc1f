// Linked maps of a grid on a canvas: one scale, one view, one step for all of them.
// Data comes as quantized bytes (see crimecast/plots/rasters.py); text is only ever set as text.

const KEEP = 60e6; // bytes of maps that are kept to move back to
const NARROW = 520; // pixels: below it one map stands there at a time

const kept = new WeakMap(); // root element → state that outlives a rerun

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  let s = kept.get(root);
  if (!s) {
    s = { cache: new Map(), lines: true, hover: null };
    s.follow = (event) => { if (event.detail.by !== s && event.detail.city === city(s.head)) { s.view = known(s.head); later(s); } };
    window.addEventListener(PART, s.follow);
    kept.set(root, s);
  }
  s.send = setStateValue;
  read(s, data);
  s.scale ??= s.head.scale;
  if (s.built !== s.head.identity) build(root, s);
  draw(s);
  // What an earlier look had been sent is gone with it: ask again.
  if (!s.cache.has(s.step)) tell(s);
  return () => {
    clearInterval(s.timer);
    s.timer = null;
    if (s.watch) s.watch.disconnect();
    window.removeEventListener(PART, s.follow);
    kept.delete(root);
  };
}

// Which part of a city is looked at is the same for all of its maps, on this page and on the next.
const PART = "crimecast-part", WHOLE = () => ({ x: 0, y: 0, zoom: 1 });

function city(head) {
  const metres = head.shape.map((cells) => Math.round(cells * head.cell / 2000));
  return `${PART} ${head.about.split(" · ")[0]} ${metres.join("×")}`;
}

function share(s) {
  const [height, width] = s.head.shape, { x, y, zoom } = s.view;
  try { sessionStorage.setItem(city(s.head), JSON.stringify([x / width, y / height, zoom])); } catch { return; }
  window.dispatchEvent(new CustomEvent(PART, { detail: { by: s, city: city(s.head) } }));
}

function known(head) {
  if (head.layout !== "maps") return WHOLE();
  try {
    const [x, y, zoom] = JSON.parse(sessionStorage.getItem(city(head)));
    if ([x, y, zoom].every(Number.isFinite) && zoom >= 1 && zoom <= 16) return { x: x * head.shape[1], y: y * head.shape[0], zoom };
  } catch { /* nothing is kept */ }
  return WHOLE();
}

function read(s, data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  const take = (n) => bytes.slice(at, (at += n));
  const size = head.shape[0] * head.shape[1];
  if (!s.head || s.head.identity !== head.identity) {
    s.cache = new Map();
    s.view = known(head);
    s.step = s.sent = s.rested = head.step;
    s.asked = new Set();
  } else {
    // A step of our own comes back as an echo, maybe late; any other is a jump, from a list say.
    if (!s.asked.has(head.step) && head.step !== s.sent) s.step = s.rested = head.step;
    if (head.step === s.lastAsked) s.asked.clear();
    s.sent = head.step;
  }
  s.head = head;
  // Where maps are of areas: which row and column of a map each cell of the picture shows.
  s.tiles = head.tiles ? new Int16Array(Uint8Array.from(atob(head.tiles), (c) => c.charCodeAt(0)).buffer) : null;
  s.area = take(size);
  s.tables = take(3072);
  for (const step of head.steps) {
    const maps = head.panels.map((panel) => {
      if (panel.minus) return null;
      const raw = take(size * panel.size);
      return panel.size === 2 ? new Uint16Array(raw.buffer) : raw;
    });
    s.cache.set(step, maps);
  }
  const far = [...s.cache.keys()].sort((a, b) => Math.abs(b - s.step) - Math.abs(a - s.step));
  const most = Math.max(24, Math.floor(KEEP / (size * head.panels.length)));
  for (const step of far.slice(0, Math.max(0, far.length - most))) s.cache.delete(step);
}

// The values of all codes of a panel: maps stay as codes, and are decoded by looking up.
function decoded(s, panel) {
  const key = [panel.low, panel.high, panel.gamma, panel.size].join();
  s.tablesOf ??= new Map();
  if (!s.tablesOf.has(key)) {
    const top = panel.size === 2 ? 65535 : 255;
    const values = new Float32Array(top + 1);
    for (let i = 0; i <= top; i++) values[i] = panel.low + (panel.high - panel.low) * Math.pow(i / top, panel.gamma);
    s.tablesOf.set(key, values);
  }
  return s.tablesOf.get(key);
}

function valueAt(s, index, at) {
  const panel = s.head.panels[index];
  if (panel.minus) return valueAt(s, panel.minus[0], at) - valueAt(s, panel.minus[1], at);
  return decoded(s, panel)[s.shown[index][at]];
}

// The colours of all codes of a panel, as the canvas wants them; made anew when the scale changes.
function colours(s, made, panel, bounds, bend, table) {
  const key = [panel.low, panel.high, panel.gamma, panel.size, panel.kind, ...bounds, s.scale, s.dark].join();
  if (made.coloursOf !== key) {
    made.coloursOf = key;
    made.painted = null;
    made.colours = Uint32Array.from(decoded(s, panel), (value) => rgba(table, tint(s, panel, value, bounds, bend)));
  }
  return made.colours;
}

// The row and column of a map that a cell of the picture shows.
function placed(s, [row, column]) {
  const at = 2 * (row * s.head.shape[1] + column);
  return s.tiles ? [s.tiles[at], s.tiles[at + 1]] : [row, column];
}

// The cell of the picture, nearest to the middle of them, that shows a row and column of a map.
function pictured(s, [row, column]) {
  if (!s.tiles) return [row, column];
  const width = s.head.shape[1], found = [];
  for (let at = 0; at < s.tiles.length; at += 2)
    if (s.tiles[at] === row && s.tiles[at + 1] === column) found.push([Math.floor(at / 2 / width), (at / 2) % width]);
  const middle = [0, 1].map((axis) => found.reduce((sum, one) => sum + one[axis], 0) / found.length);
  const far = ([r, c]) => (r - middle[0]) ** 2 + (c - middle[1]) ** 2;
  return found.reduce((best, one) => (far(one) < far(best) ? one : best), found[0]) || null;
}

const rgba = (table, index) => (255 << 24) | (table[3 * index + 2] << 16) | (table[3 * index + 1] << 8) | table[3 * index];

function build(root, s) {
  const head = s.head;
  s.built = head.identity;
  clearInterval(s.timer);
  s.timer = null;
  if (s.watch) s.watch.disconnect();
  const old = root.querySelector(".maps");
  if (old) old.remove();
  const all = (s.all = make("div", "maps"));
  root.appendChild(all);
  const bar = make("div", "bar");
  all.appendChild(bar);
  if (head.labels.length > 1) steps(bar, s);
  const tools = make("div", "tools");
  bar.appendChild(tools);
  if (head.layout === "maps") {
    const scale = make("select");
    scale.title = "How values become colours";
    scale.setAttribute("aria-label", "Colour scale");
    for (const [value, text] of [["linear", "linear"], ["sqrt", "square root"], ["log", "logarithm"]]) {
      const option = make("option", "", text);
      option.value = value;
      scale.appendChild(option);
    }
    scale.value = s.scale;
    scale.onchange = () => { s.scale = scale.value; draw(s); };
    tools.appendChild(scale);
  }
  const lines = make("button", "", "Lines");
  lines.title = "Outline and neighbourhoods on or off";
  lines.setAttribute("aria-pressed", String(s.lines));
  lines.onclick = () => { s.lines = !s.lines; lines.setAttribute("aria-pressed", String(s.lines)); draw(s); };
  tools.appendChild(lines);
  if (head.layout === "maps") {
    const reset = make("button", "", "Whole city");
    reset.onclick = () => { s.view = WHOLE(); draw(s); share(s); };
    tools.append(reset);
    const [one, other] = head.panels;
    if (other && one.group && one.group === other.group) {
      const button = make("button", "", "Wipe");
      button.title = `Lay “${other.title}” over “${one.title}”, up to a handle that you move`;
      button.setAttribute("aria-pressed", String(Boolean(s.wipe)));
      button.onclick = () => { s.wipe = s.wipe ? 0 : 0.5; button.setAttribute("aria-pressed", String(Boolean(s.wipe))); draw(s); };
      tools.append(button);
    } else s.wipe = 0;
  }
  for (const [name, making] of [["PNG", picture], ["SVG", vectors]]) {
    const button = make("button", "", name);
    button.title = "Save the maps as a picture";
    button.onclick = () => making(s);
    tools.append(button);
  }
  s.tabs = head.layout === "maps" && head.panels.length > 1 ? oneAtATime(all, s) : null;
  const grid = make("div", "grid " + (head.layout === "gallery" ? "gallery" : "maps3"));
  all.appendChild(grid);
  s.panels = head.panels.map((panel, index) => one(grid, s, panel, index));
  // A finger has no wheel and no keys: it taps.
  const finger = matchMedia("(hover: none)").matches;
  const hint = !finger ? head.hint : /click a cell/.test(head.hint || "") ? "Tap a cell for its history." : "";
  if (hint) all.appendChild(make("div", "hint", hint));
  s.watch = new ResizeObserver(() => draw(s));
  s.watch.observe(grid);
}

// On a narrow screen maps under one another can't be compared: one stands there, and a tap or a swipe changes it.
function oneAtATime(all, s) {
  const tabs = make("div", "tools tabs");
  s.front = Math.min(s.front || 0, s.head.panels.length - 1);
  s.head.panels.forEach((panel, index) => {
    const button = make("button", "", panel.title);
    button.onclick = () => turn(s, index);
    tabs.append(button);
  });
  all.appendChild(tabs);
  return tabs;
}

function turn(s, index) {
  const count = s.head.panels.length;
  s.front = (index + count) % count;
  draw(s);
}

function one(grid, s, panel, index) {
  const box = make("div", "panel");
  const title = make("h4");
  const name = make("span", "", panel.title);
  const value = make("span", "value");
  title.append(name, value);
  const map = make("canvas", "map");
  map.setAttribute("role", "img");
  map.setAttribute("aria-label", panel.title + (s.head.alt ? ": " + s.head.alt : ""));
  map.tabIndex = 0;
  box.append(title, map);
  let legend = null;
  if (s.head.layout === "maps" && index === 0) {
    s.handle = make("input", "handle");
    s.handle.type = "range";
    s.handle.min = s.handle.step = 0.005;
    s.handle.max = 0.995;
    s.handle.setAttribute("aria-label", "Where the wipe stands");
    s.handle.oninput = () => { s.wipe = Number(s.handle.value); later(s); };
    box.append(s.handle);
  }
  if (s.head.layout === "maps") {
    legend = { box: make("div", "legend wrap"), low: make("span"), bar: make("canvas"), high: make("span"), unit: make("span", "unit", panel.unit) };
    legend.box.append(legend.low, legend.bar, legend.high, legend.unit);
    box.appendChild(legend.box);
  }
  grid.appendChild(box);
  const made = { box, map, legend, value, name, raster: document.createElement("canvas") };
  const cell = (event) => {
    const at = map.getBoundingClientRect();
    const f = frame(s, made);
    const column = Math.floor(((event.clientX - at.left) - f.left) / f.unit);
    const row = s.head.shape[0] - 1 - Math.floor(((event.clientY - at.top) - f.top) / f.unit);
    return row >= 0 && column >= 0 && row < s.head.shape[0] && column < s.head.shape[1] ? [row, column] : null;
  };
  map.onpointermove = (event) => {
    if (s.drag && event.buttons) {
      if (s.view.zoom > 1) {
        const f = frame(s, made);
        s.view.x = s.drag.x - (event.clientX - s.drag.px) / f.unit;
        s.view.y = s.drag.y - (event.clientY - s.drag.py) / f.unit;
        share(s);
      }
      s.drag.moved = s.drag.moved || Math.hypot(event.clientX - s.drag.px, event.clientY - s.drag.py) > 4;
    }
    s.hover = cell(event);
    later(s);
  };
  map.onpointerleave = () => { s.hover = null; later(s); };
  map.onpointerdown = (event) => {
    s.drag = { px: event.clientX, py: event.clientY, x: s.view.x, y: s.view.y, moved: false };
    if (s.head.layout === "maps" && (s.view.zoom > 1 || s.narrow)) map.setPointerCapture(event.pointerId);
  };
  map.onpointerup = (event) => {
    const drag = s.drag;
    s.drag = null;
    if (drag && drag.moved && s.view.zoom > 1) return;
    const across = drag ? event.clientX - drag.px : 0;
    if (s.narrow && Math.abs(across) > 40) { turn(s, s.front + (across < 0 ? 1 : -1)); return; }
    if (s.head.layout === "gallery") {
      s.send("channel", index);
      s.chosen = index;
      later(s);
      // Where the large map lies below all small ones, out of sight.
      const large = document.querySelector(".st-key-layer_large");
      const narrow = matchMedia("(max-width: 640px)").matches;
      if (large && (narrow || large.getBoundingClientRect().top > innerHeight - 200)) {
        large.scrollIntoView({ behavior: "smooth", block: narrow ? "start" : "nearest" });
      }
      return;
    }
    const at = cell(event);
    if (at && s.area[at[0] * s.head.shape[1] + at[1]]) { s.picked = at; s.send("cell", placed(s, at)); later(s); }
  };
  map.onwheel = (event) => {
    if (s.head.layout !== "maps") return;
    event.preventDefault();
    const at = map.getBoundingClientRect();
    const before = frame(s, made);
    const mx = event.clientX - at.left, my = event.clientY - at.top;
    const cx = (mx - before.left) / before.unit, cy = (my - before.top) / before.unit;
    s.view.zoom = Math.min(16, Math.max(1, s.view.zoom * Math.exp(-event.deltaY * 0.0015)));
    if (s.view.zoom === 1) { s.view.x = 0; s.view.y = 0; }
    else {
      const after = frame(s, made);
      s.view.x += cx - (mx - after.left) / after.unit;
      s.view.y += cy - (my - after.top) / after.unit;
    }
    later(s);
    share(s);
  };
  map.onkeydown = (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") { event.preventDefault(); move(s, s.step + (event.key === "ArrowLeft" ? -1 : 1)); }
    if (event.key === "Enter" && s.head.layout === "gallery") s.send("channel", index);
  };
  return made;
}

function steps(bar, s) {
  const head = s.head;
  const time = make("div", "time");
  const curve = (s.curve = make("canvas", "curve"));
  curve.title = head.curve_title;
  curve.setAttribute("role", "img");
  curve.setAttribute("aria-label", head.curve_title);
  const slider = (s.slider = make("input"));
  slider.type = "range";
  slider.min = 0;
  slider.max = head.labels.length - 1;
  slider.setAttribute("aria-label", "Step");
  slider.oninput = () => move(s, Number(slider.value) + head.first);
  curve.onclick = (event) => {
    const at = curve.getBoundingClientRect();
    move(s, head.first + Math.round(((event.clientX - at.left) / at.width) * (head.labels.length - 1)));
  };
  time.append(curve, slider);
  const play = make("button", "", "▶");
  play.title = "Play the steps";
  play.setAttribute("aria-label", "Play");
  play.onclick = () => {
    if (s.timer) { clearInterval(s.timer); s.timer = null; play.textContent = "▶"; return; }
    play.textContent = "❚❚";
    s.timer = setInterval(() => {
      if (!s.cache.has(s.step)) return; // wait for the data rather than run ahead of it
      if (s.step >= last(s)) { clearInterval(s.timer); s.timer = null; play.textContent = "▶"; } else move(s, s.step + 1);
    }, 160);
  };
  const back = make("button", "", "‹"), next = make("button", "", "›");
  back.setAttribute("aria-label", "Step back");
  next.setAttribute("aria-label", "Step forward");
  back.onclick = () => move(s, s.step - 1);
  next.onclick = () => move(s, s.step + 1);
  s.label = make("span", "label");
  s.label.setAttribute("aria-live", "polite");
  const buttons = make("div", "tools");
  buttons.append(back, play, next, s.label);
  bar.append(time, buttons);
}

const last = (s) => s.head.first + s.head.labels.length - 1;

function move(s, step) {
  s.step = Math.min(last(s), Math.max(s.head.first, step));
  draw(s);
  // Draw first, tell the server afterwards: at once when what is here runs out, else when it rests.
  const direction = s.step >= s.sent ? 1 : -1;
  const soon = s.step + 6 * direction;
  const short = soon >= s.head.first && soon <= last(s) && !s.cache.has(soon);
  clearTimeout(s.wait);
  const now = performance.now();
  if ((short || !s.cache.has(s.step)) && now - (s.told || 0) > 250) tell(s);
  s.wait = setTimeout(() => tell(s, true), 220);
}

function tell(s, resting) {
  const news = resting && s.rested !== s.step;
  if (s.step === s.sent && !s.asked.size && s.cache.has(s.step) && !news) return;
  if (resting) s.rested = s.step;
  s.told = performance.now();
  s.lastAsked = s.step;
  s.asked.add(s.step);
  // What is here need not be sent again: the range without holes around the step.
  let low = s.step, high = s.step;
  while (s.cache.has(low - 1)) low--;
  while (s.cache.has(high + 1)) high++;
  const have = s.cache.has(s.step) ? [low, high] : null;
  s.send("at", { step: s.step, key: s.head.key, have, resting: Boolean(resting) });
}

function later(s) {
  if (s.frame) return;
  s.frame = requestAnimationFrame(() => { s.frame = null; draw(s); });
}

function frame(s, made) {
  const [height, width] = s.head.shape;
  const w = made.map.clientWidth, h = made.map.clientHeight;
  const unit = Math.min(w / width, h / height) * s.view.zoom;
  return { unit, left: (w - unit * width) / 2 - s.view.x * unit, top: (h - unit * height) / 2 - s.view.y * unit };
}

const shape = { linear: (v) => v, sqrt: Math.sqrt, log: (v) => Math.log1p(30 * v) / Math.log1p(30) };

function limits(s, panel) {
  if (panel.kind === "diverging") {
    const top = panel.top ?? Math.max(Math.abs(panel.low), Math.abs(panel.high));
    return [-top, top];
  }
  return [panel.low, panel.top ?? panel.high];
}

function tint(s, panel, value, bounds, bend) {
  // → index into the colour table
  const [low, high] = bounds;
  if (panel.kind === "diverging") {
    const part = Math.min(1, Math.abs(value) / (high || 1));
    return Math.round(127.5 + 127.5 * Math.sign(value) * bend(part));
  }
  return Math.round(255 * bend(Math.min(1, Math.max(0, (value - low) / (high - low || 1)))));
}

const digits = (v) => (Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : Math.abs(v) >= 1 ? v.toFixed(2) : v.toPrecision(2)).replace("-", "−");

function draw(s) {
  const head = s.head;
  const [height, width] = head.shape;
  const maps = s.cache.get(s.step);
  s.all.classList.toggle("waiting", !maps);
  s.dark = isDark(s.all);
  if (s.slider) {
    s.slider.value = s.step - head.first;
    s.slider.setAttribute("aria-valuetext", head.labels[s.step - head.first]);
    s.label.textContent = head.labels[s.step - head.first];
    drawCurve(s);
  }
  if (head.cell_picked !== undefined && JSON.stringify(head.cell_picked) !== s.serverPicked) {
    s.serverPicked = JSON.stringify(head.cell_picked);
    s.picked = head.cell_picked && pictured(s, head.cell_picked);
  }
  if (head.channel !== undefined && head.channel !== s.serverChannel) { s.serverChannel = head.channel; s.chosen = head.channel; }
  if (maps) s.shown = maps;
  if (!s.shown) return;
  s.all.dataset.step = s.step;
  s.all.dataset.drawn = maps ? s.step : "";
  const bend = shape[head.layout === "maps" ? s.scale : "linear"];
  s.narrow = Boolean(s.tabs) && !s.wipe && s.all.clientWidth < NARROW;
  s.all.classList.toggle("narrow", s.narrow);
  if (s.tabs) [...s.tabs.children].forEach((button, index) => button.setAttribute("aria-pressed", String(index === s.front)));
  s.panels.forEach((made, index) => {
    const panel = head.panels[index];
    made.name.textContent = s.wipe && index === 0 ? `${panel.title} | ${head.panels[1].title}` : panel.title;
    made.box.hidden = s.narrow ? index !== s.front : Boolean(s.wipe) && index === 1;
    made.box.classList.toggle("chosen", head.layout === "gallery" && index === s.chosen);
    const bounds = limits(s, panel);
    const table = s.tables.subarray((panel.kind === "diverging" ? 1536 : 0) + (s.dark ? 768 : 0));
    colourIn(s, made, index, bounds, bend, table);
    if (made.legend) drawLegend(s, made, panel, bounds, bend, table);
    else if (!index) s.scaled = [panel, bounds, bend, table]; // of small maps, which have one scale
    const at = s.hover || s.picked;
    made.value.textContent = at && s.area[at[0] * width + at[1]] ? digits(valueAt(s, index, at[0] * width + at[1])) : panel.note;
  });
  if (s.handle) { s.handle.hidden = !s.wipe; s.handle.value = s.wipe || 0.5; }
  s.panels.forEach((made) => made.box.hidden || paint(s, made));
}

// Fill a panel's raster, a pixel a cell, unless it holds the same maps in the same colours already.
function colourIn(s, made, index, bounds, bend, table) {
  const [height, width] = s.head.shape;
  const panel = s.head.panels[index];
  const codes = panel.minus ? null : s.shown[index];
  const known = codes && colours(s, made, panel, bounds, bend, table);
  const state = codes || [...panel.minus.map((i) => s.shown[i]), s.scale, s.dark, bounds.join()];
  if (made.painted && (codes ? made.painted === codes : state.every((part, i) => part === made.painted[i]))) return;
  made.painted = state;
  if (made.raster.width !== width || made.raster.height !== height || !made.image) {
    made.raster.width = width;
    made.raster.height = height;
    made.image = made.raster.getContext("2d", PLAIN).createImageData(width, height);
    made.pixels = new Uint32Array(made.image.data.buffer);
  }
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const from = row * width + column, to = (height - 1 - row) * width + column;
      if (!s.area[from]) made.pixels[to] = 0;
      else if (known) made.pixels[to] = known[codes[from]];
      else made.pixels[to] = rgba(table, tint(s, panel, valueAt(s, index, from), bounds, bend));
    }
  made.raster.getContext("2d", PLAIN).putImageData(made.image, 0, 0);
}

function paint(s, made) {
  const [height, width] = s.head.shape;
  const ratio = window.devicePixelRatio || 1;
  const w = made.map.clientWidth;
  const h = Math.min(w * (height / width), s.head.layout === "maps" ? Math.max(260, window.innerHeight * 0.62) : w * 1.25);
  made.map.style.height = h + "px";
  if (made.map.width !== Math.round(w * ratio) || made.map.height !== Math.round(h * ratio)) {
    made.map.width = Math.round(w * ratio);
    made.map.height = Math.round(h * ratio);
  }
  const context = made.map.getContext("2d", PLAIN);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, w, h);
  context.imageSmoothingEnabled = false;
  const f = frame(s, made);
  context.drawImage(made.raster, f.left, f.top, f.unit * width, f.unit * height);
  if (s.wipe && made === s.panels[0]) {
    context.save();
    context.beginPath();
    context.rect(s.wipe * w, 0, w, h);
    context.clip();
    context.clearRect(0, 0, w, h);
    context.drawImage(s.panels[1].raster, f.left, f.top, f.unit * width, f.unit * height);
    context.restore();
    context.fillStyle = colour(s.all, "--st-text-color", "#333");
    context.fillRect(s.wipe * w - 1, 0, 2, h);
  }
  const point = ([x, y]) => [f.left + x * f.unit, f.top + (height - y) * f.unit];
  const trace = (rings, style, thick) => {
    context.strokeStyle = style;
    context.lineWidth = thick;
    context.beginPath();
    for (const ring of rings) ring.forEach((p, i) => context[i ? "lineTo" : "moveTo"](...point(p)));
    context.stroke();
  };
  if (s.lines) {
    const ink = s.dark ? "255,255,255" : "20,24,40";
    if (s.head.layout === "maps") trace(s.head.neighbourhoods, `rgba(${ink},.22)`, 0.7);
    trace(s.head.outline, `rgba(${ink},.75)`, s.head.layout === "maps" ? 1.2 : 0.7);
  }
  const mark = (cell, style) => {
    const [x, y] = point([cell[1], cell[0] + 1]);
    context.strokeStyle = style;
    context.lineWidth = 2;
    context.strokeRect(x - 0.5, y - 0.5, Math.max(4, f.unit) + 1, Math.max(4, f.unit) + 1);
  };
  if (s.picked) mark(s.picked, colour(s.all, "--st-primary-color", "#0072B2"));
  if (s.hover) mark(s.hover, s.dark ? "#fff" : "#000");
  if (s.head.layout === "maps") scaleBar(s.all, context, f.unit / s.head.cell, w, h);
}

function drawLegend(s, made, panel, bounds, bend, table) {
  const bar = made.legend.bar;
  bar.width = 256;
  bar.height = 1;
  const context = bar.getContext("2d", PLAIN);
  const image = context.createImageData(256, 1);
  for (let i = 0; i < 256; i++) {
    const value = bounds[0] + ((bounds[1] - bounds[0]) * i) / 255;
    const at = 3 * tint(s, panel, value, bounds, bend);
    image.data.set([table[at], table[at + 1], table[at + 2], 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  made.legend.low.textContent = digits(bounds[0]);
  made.legend.high.textContent = (panel.kind === "sequential" ? "≥ " : "") + digits(bounds[1]);
  made.legend.unit.textContent = panel.unit;
}

function drawCurve(s) {
  const values = s.head.curve;
  const ratio = window.devicePixelRatio || 1;
  const w = s.curve.clientWidth, h = s.curve.clientHeight;
  s.curve.width = w * ratio;
  s.curve.height = h * ratio;
  const context = s.curve.getContext("2d", PLAIN);
  context.scale(ratio, ratio);
  const known = values.filter((v) => v !== null);
  if (!known.length) { s.curve.style.display = "none"; return; }
  const low = Math.min(...known), high = Math.max(...known);
  const x = (i) => 8 + ((w - 16) * i) / Math.max(1, values.length - 1);
  context.strokeStyle = colour(s.all, "--st-primary-color", "#0072B2");
  context.lineWidth = 1.2;
  context.beginPath();
  let pen = false;
  values.forEach((v, i) => {
    if (v === null) { pen = false; return; }
    const y = h - 3 - ((h - 6) * (v - low)) / (high - low || 1);
    context[pen ? "lineTo" : "moveTo"](x(i), y);
    pen = true;
  });
  context.stroke();
  context.strokeStyle = colour(s.all, "--st-text-color", "#333");
  context.beginPath();
  context.moveTo(x(s.step - s.head.first), 0);
  context.lineTo(x(s.step - s.head.first), h);
  context.stroke();
}

// A picture of the maps as they lie on the page, cells as one pixel each, lines and words as vectors: what of
// which city, whose forecast and when stands above, the colour scale and its unit below each map.
function drawing(s) {
  const around = s.all.querySelector(".grid").getBoundingClientRect();
  const back = colour(s.all, "--st-background-color", "#fff"), ink = colour(s.all, "--st-text-color", "#333");
  const [rows, columns] = s.head.shape, large = s.head.layout === "maps";
  const clean = (text) => text.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const when = s.head.labels.length ? s.head.labels[s.step - s.head.first] : "";
  const about = [s.head.about, when].filter(Boolean).join(" · ");
  const top = 32, side = 10;
  const place = (element) => {
    const at = element.getBoundingClientRect();
    return { x: at.left - around.left + side, y: at.top - around.top + top, w: at.width, h: at.height };
  };
  const word = (element) => {
    const at = place(element);
    const lines = [""]; // as wide as on the page, at six pixels a letter
    for (const part of element.className === "unit" ? element.textContent.split(" ") : [element.textContent]) {
      if (lines[0] && 6 * (lines.at(-1).length + part.length) > at.w) lines.push("");
      lines[lines.length - 1] += (lines.at(-1) && " ") + part;
    }
    return lines.map((line, i) => `<text x="${at.x}" y="${at.y + 12 + 15 * i}" font-size="12">${clean(line)}</text>`).join("");
  };
  const body = s.panels.filter((made) => !made.box.hidden).map((made) => {
    const part = place(made.map), f = frame(s, made);
    const path = (rings) => rings.map((ring) => "M" + ring.map(([x, y]) => `${(f.left + x * f.unit).toFixed(1)} ${(f.top + (rows - y) * f.unit).toFixed(1)}`).join("L")).join("");
    const lines = s.lines ? `<path d="${path(s.head.outline)}" opacity=".75"/><path d="${path(large ? s.head.neighbourhoods : [])}" opacity=".3"/>` : "";
    const picked = s.picked ? `<rect x="${f.left + s.picked[1] * f.unit}" y="${f.top + (rows - 1 - s.picked[0]) * f.unit}" width="${f.unit}" height="${f.unit}" stroke-width="2"/>` : "";
    const image = (other) => `<image href="${other.raster.toDataURL()}" x="${f.left}" y="${f.top}" width="${f.unit * columns}" height="${f.unit * rows}" style="image-rendering:pixelated"/>`;
    const cut = s.wipe * part.w, rest = part.w - cut;
    const second = s.wipe && made === s.panels[0]
      ? `<svg x="${cut}" width="${rest}" height="${part.h}" viewBox="${cut} 0 ${rest} ${part.h}"><rect x="${cut}" width="${rest}" height="${part.h}" fill="${back}"/>${image(s.panels[1])}</svg><path d="M${cut} 0V${part.h}" stroke="${ink}" stroke-width="2"/>` : "";
    const bar = large ? scaleLine(f.unit / s.head.cell, part, ink) : "";
    const scale = made.legend && made.legend.box.offsetParent ? `<image href="${made.legend.bar.toDataURL()}" ${Object.entries(place(made.legend.bar)).map(([k, v]) => `${{ x: "x", y: "y", w: "width", h: "height" }[k]}="${v}"`).join(" ")} preserveAspectRatio="none"/>${[made.legend.low, made.legend.high, made.legend.unit].map(word).join("")}` : "";
    return `<text x="${part.x + 2}" y="${part.y - 5}">${clean(made.name.textContent)}</text>
<svg x="${part.x}" y="${part.y}" width="${part.w}" height="${part.h}">${image(made)}${second}<g fill="none" stroke="${ink}">${lines}${picked}</g>${bar}</svg>${scale}`;
  });
  const width = Math.ceil(around.width) + 2 * side, height = Math.ceil(around.height + top + 20);
  if (!large && s.head.panels.every((panel) => panel.low === s.head.panels[0].low && panel.high === s.head.panels[0].high)) {
    const legend = { bar: make("canvas"), low: make("span"), high: make("span"), unit: make("span") };
    drawLegend(s, { legend }, ...s.scaled);
    const at = width - side - 150;
    body.push(`<g font-size="11"><text x="${at - 4}" y="18" text-anchor="end">${clean(`${legend.unit.textContent} ${legend.low.textContent}`)}</text><image href="${legend.bar.toDataURL()}" x="${at}" y="9" width="110" height="9" preserveAspectRatio="none"/><text x="${at + 114}" y="18">${clean(legend.high.textContent)}</text></g>`);
  }
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="${large ? 13 : 10}" fill="${ink}"><rect width="100%" height="100%" fill="${back}"/><text x="${side}" y="18" font-size="13" font-weight="600">${clean(about)}</text>${body.join("")}</svg>`;
  const name = about.normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_|_$/g, "").slice(0, 80) || "crimecast";
  return { text, width, height, name };
}

// How long a way is, in a map of a picture; `unit` pixels a metre.
function scaleLine(unit, part, ink) {
  const [length, words] = barOf(unit, part.w);
  const y = part.h - 8;
  return `<path d="M8 ${y - 4}V${y}H${8 + length}V${y - 4}" fill="none" stroke="${ink}" stroke-width="1.5"/><text x="12" y="${y - 5}" font-size="11">${words}</text>`;
}

function save(address, name) {
  const link = document.createElement("a");
  link.download = name;
  link.href = address;
  link.click();
}

function vectors(s) {
  const { text, name } = drawing(s);
  save(URL.createObjectURL(new Blob([text], { type: "image/svg+xml" })), name + ".svg");
}

function picture(s) {
  const { text, width, height, name } = drawing(s);
  const image = new Image();
  image.onload = () => {
    const made = document.createElement("canvas");
    made.width = 2 * width;
    made.height = 2 * height;
    made.getContext("2d", PLAIN).drawImage(image, 0, 0, made.width, made.height);
    save(made.toDataURL("image/png"), name + ".png");
  };
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
}
