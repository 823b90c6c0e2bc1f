// Records as dots on the city's own outline. Comes with canvas.js before it; text is only ever set as text.

const kept = new WeakMap(); // root element → state that outlives a rerun

export default function (component) {
  const { data, parentElement: root } = component;
  let s = kept.get(root);
  if (!s) {
    s = { view: { x: 0, y: 0, zoom: 1 } };
    kept.set(root, s);
    build(root, s);
  }
  read(s, data);
  draw(s);
  return () => {
    s.watch.disconnect();
    kept.delete(root);
  };
}

function read(s, data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  s.head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const body = bytes.slice(4 + length).buffer, count = s.head.count;
  s.x = new Float32Array(body, 0, count);
  s.y = new Float32Array(body, 4 * count, count);
  s.minute = new Int32Array(body, 8 * count, count);
  s.type = new Uint16Array(body, 12 * count, count);
  s.map.setAttribute("aria-label", s.head.alt);
}

function build(root, s) {
  const all = (s.all = make("div", "places"));
  const map = (s.map = make("canvas"));
  map.setAttribute("role", "img");
  map.tabIndex = 0;
  s.tip = make("div", "tip");
  s.tip.hidden = true;
  const whole = make("button", "", "Whole city");
  whole.onclick = () => { s.view = { x: 0, y: 0, zoom: 1 }; later(s); };
  all.append(map, s.tip, whole);
  root.appendChild(all);
  map.onpointerdown = (event) => { s.drag = [event.clientX, event.clientY]; map.setPointerCapture(event.pointerId); };
  map.onpointerup = () => { s.drag = null; };
  map.onpointermove = (event) => {
    if (s.drag) {
      const f = frame(s);
      s.view.x -= (event.clientX - s.drag[0]) / f.unit;
      s.view.y += (event.clientY - s.drag[1]) / f.unit;
      s.drag = [event.clientX, event.clientY];
      later(s);
    } else point(s, event);
  };
  map.onpointerleave = () => { s.tip.hidden = true; };
  map.onwheel = (event) => {
    event.preventDefault();
    const at = map.getBoundingClientRect();
    zoom(s, Math.exp(-event.deltaY * 0.0015), event.clientX - at.left, event.clientY - at.top);
  };
  map.onkeydown = (event) => {
    const pan = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key];
    const step = 60 / frame(s).unit;
    if (pan) { s.view.x += pan[0] * step; s.view.y += pan[1] * step; }
    else if (event.key === "+" || event.key === "-") zoom(s, event.key === "+" ? 1.5 : 1 / 1.5, map.clientWidth / 2, map.clientHeight / 2);
    else return;
    event.preventDefault();
    later(s);
  };
  s.watch = new ResizeObserver(() => later(s));
  s.watch.observe(map);
}

// Zoom about a point of the canvas, which stays where it is.
function zoom(s, factor, px, py) {
  const before = frame(s);
  s.view.zoom = Math.min(60, Math.max(1, s.view.zoom * factor));
  const after = frame(s);
  s.view.x += (px - before.w / 2) * (1 / before.unit - 1 / after.unit);
  s.view.y -= (py - before.h / 2) * (1 / before.unit - 1 / after.unit);
  if (s.view.zoom === 1) s.view = { x: 0, y: 0, zoom: 1 };
  later(s);
}

// Pixels a metre, and where a place in metres lies on the canvas.
function frame(s) {
  const [west, south, east, north] = s.head.bounds;
  const w = s.map.clientWidth, h = s.map.clientHeight;
  const unit = 0.96 * Math.min(w / (east - west), h / (north - south)) * s.view.zoom;
  const x0 = (west + east) / 2 + s.view.x, y0 = (south + north) / 2 + s.view.y;
  return { unit, w, h, at: (x, y) => [w / 2 + (x - x0) * unit, h / 2 - (y - y0) * unit] };
}

function later(s) {
  if (s.waiting) return;
  s.waiting = requestAnimationFrame(() => { s.waiting = null; draw(s); });
}

function draw(s) {
  if (!s.head || !s.map.clientWidth) return;
  const ratio = window.devicePixelRatio || 1, f = frame(s), dark = isDark(s.all);
  s.map.width = Math.round(f.w * ratio);
  s.map.height = Math.round(f.h * ratio);
  const context = s.map.getContext("2d", PLAIN);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const ink = dark ? "235,235,240" : "40,44,60";
  const trace = (rings, style, thick, fill) => {
    context.beginPath();
    for (const ring of rings) ring.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](...f.at(x, y)));
    if (fill) { context.fillStyle = fill; context.fill(); }
    context.strokeStyle = style;
    context.lineWidth = thick;
    context.stroke();
  };
  trace(s.head.outline, `rgba(${ink},.75)`, 1.4, `rgba(${ink},.05)`);
  trace(s.head.neighbourhoods, `rgba(${ink},.24)`, 0.6);
  context.fillStyle = dark ? "rgba(240,150,79,.32)" : "rgba(184,68,111,.28)";
  const size = Math.max(2.4, 50 * f.unit); // a dot is 50 m wide, or as small as one can see
  for (let i = 0; i < s.x.length; i++) {
    const [px, py] = f.at(s.x[i], s.y[i]);
    if (px < -size || py < -size || px > f.w + size || py > f.h + size) continue;
    if (size < 4) context.fillRect(px - size / 2, py - size / 2, size, size);
    else { context.beginPath(); context.arc(px, py, size / 2, 0, 7); context.fill(); }
  }
  scaleBar(s.all, context, f.unit, f.w, f.h);
  s.all.dataset.drawn = s.x.length;
}

// Say what the record under the pointer is.
function point(s, event) {
  const box = s.map.getBoundingClientRect(), f = frame(s);
  const px = event.clientX - box.left, py = event.clientY - box.top;
  let best = 64, found = -1; // within eight pixels
  for (let i = 0; i < s.x.length; i++) {
    const [x, y] = f.at(s.x[i], s.y[i]);
    const far = (x - px) ** 2 + (y - py) ** 2;
    if (far < best) { best = far; found = i; }
  }
  s.tip.hidden = found < 0;
  if (found < 0) return;
  const when = new Date(60000 * s.minute[found]).toISOString();
  s.tip.textContent = `${s.head.types[s.type[found]]}, ${when.slice(0, 10)} ${when.slice(11, 16)}`;
  s.tip.style.left = Math.max(0, Math.min(px + 12, f.w - s.tip.offsetWidth)) + "px";
  s.tip.style.top = py + 12 + "px";
}
