// What all our canvases share: elements, the theme's colours, the bar that says how long a way is.

const make = (tag, kind, text) => {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
};

// Dozens of small maps are drawn faster by the processor than by as many textures of a graphics card.
const PLAIN = { willReadFrequently: true };

const colour = (element, name, otherwise) => getComputedStyle(element).getPropertyValue(name).trim() || otherwise;

function isDark(element) {
  // Asked of the style, not of a canvas: reading a pixel back waits for everything that is being drawn.
  const probe = document.createElement("span");
  probe.style.color = colour(element, "--st-background-color", "#ffffff");
  element.append(probe);
  const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return 0.3 * r + 0.6 * g + 0.1 * b < 128;
}

// A round way on a map of that width, in pixels and in words; `unit` pixels a metre.
function barOf(unit, width) {
  const metres = (width * 0.28) / unit;
  const base = Math.pow(10, Math.floor(Math.log10(metres)));
  const nice = [5, 2, 1].map((k) => k * base).find((v) => v <= metres);
  return [nice * unit, nice >= 1000 ? nice / 1000 + " km" : nice + " m"];
}

function scaleBar(element, context, unit, w, h) {
  const [length, words] = barOf(unit, w);
  const ink = colour(element, "--st-text-color", "#333");
  context.strokeStyle = context.fillStyle = ink;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(8, h - 12); context.lineTo(8, h - 8); context.lineTo(8 + length, h - 8); context.lineTo(8 + length, h - 12);
  context.stroke();
  context.font = "11px sans-serif";
  context.fillText(words, 12, h - 13);
}
