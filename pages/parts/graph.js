// A network as a diagram one can click: boxes and lines come placed (see crimecast/plots/diagram.py).

const SVG = "http://www.w3.org/2000/svg";

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  root.querySelector(".graph")?.remove();
  const all = document.createElement("div");
  all.className = "graph";
  root.appendChild(all);
  const svg = add(all, "svg", { viewBox: `-6 -6 ${data.width + 12} ${data.height + 12}`, role: "group", "aria-label": data.alt });
  svg.style.maxWidth = data.width + 12 + "px";
  for (const edge of data.edges) add(svg, "path", { d: way(edge.points), class: "edge" });
  for (const box of data.boxes) {
    const [x, y, width, height] = box.place;
    const group = add(svg, "g", { class: "layer" + (box.name === data.chosen ? " chosen" : "") + (box.source ? " source" : "") + (box.broken ? " broken" : "") });
    const rect = add(group, "rect", { x, y, width, height, rx: 9 });
    if (box.share > 0) rect.style.fill = `color-mix(in srgb, #E08030 ${Math.round(8 + 82 * box.share)}%, var(--st-secondary-background-color))`;
    box.lines.forEach((line, i) => {
      const at = y + height / 2 + 5 + (i - (box.lines.length - 1) / 2) * 16;
      const text = add(group, "text", { x: x + width / 2, y: at, class: i ? "small" : "name" });
      text.textContent = line; // text is only ever set as text
    });
    if (box.source) continue;
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    group.setAttribute("aria-label", box.lines.join(", "));
    group.setAttribute("aria-pressed", String(box.name === data.chosen));
    const choose = () => setStateValue("layer", box.name);
    group.onclick = choose;
    group.onkeydown = (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); }
    };
  }
}

function add(parent, tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.appendChild(element);
  return element;
}

function way(points) {
  return points.reduce((path, [x, y], i) => {
    if (!i) return `M${x} ${y}`;
    const [, before] = points[i - 1];
    const middle = (before + y) / 2;
    return `${path} C${points[i - 1][0]} ${middle} ${x} ${middle} ${x} ${y}`;
  }, "");
}
