// Tells that something has ended: in the tab's title, and as the browser's notification where that was allowed;
// and tells the server when one was last here. Nothing leaves the browser.

const HERE = "crimecast_here"; // when this browser was last seen on a page
const MARK = "\u2713 ";

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  root.querySelector(".tell")?.remove();
  const all = document.createElement("div");
  all.className = "tell";
  root.appendChild(all);
  const now = Date.now() / 1000;
  const mine = (window.crimecastTold ??= { known: null, last: stored() });
  if (data.asks && mine.last) setStateValue("last", mine.last);
  store(now);
  const fresh = mine.known === null ? [] : data.ended.filter((one) => !mine.known.includes(one));
  mine.known = data.ended;
  if (fresh.length) tell(fresh);
  const can = "Notification" in window && Notification.permission === "default";
  if (data.waiting && can) {
    const button = document.createElement("button");
    button.textContent = "Tell me when it ends";
    button.onclick = () => Notification.requestPermission().then(() => button.remove());
    all.appendChild(button);
  }
}

function tell(lines) {
  if (!document.hidden) return;
  if (!document.title.startsWith(MARK)) document.title = MARK + document.title;
  const back = () => {
    if (document.hidden) return;
    document.title = document.title.replace(MARK, "");
    document.removeEventListener("visibilitychange", back);
  };
  document.addEventListener("visibilitychange", back);
  if ("Notification" in window && Notification.permission === "granted")
    new Notification("CrimeCast", { body: lines.join("\n") });
}

function stored() {
  try {
    return Number(localStorage.getItem(HERE)) || 0;
  } catch {
    return 0; // a browser that keeps nothing
  }
}

function store(now) {
  try {
    localStorage.setItem(HERE, String(now));
  } catch {} // the same
}
