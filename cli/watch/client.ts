/**
 * What a page of charts does in a browser: says the values under the pointer, and where the page is live, asks for what is new. Runs as it
 * is in a report, which is one file; talks to nobody but the server that sent it.
 */

interface ChartData {
  /** Left, top, right and bottom of what is drawn, in the units of the picture. */
  readonly box: readonly [number, number, number, number];
  readonly across: string;
  readonly curves: readonly {
    readonly label: string;
    readonly colour: number;
    /** Across, value, and where it is drawn. */
    readonly points: readonly (readonly [number, number, number, number])[];
  }[];
}

const number = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 5 });

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("role", "status");
document.body.append(tip);

/** The nearest point of each curve to the pointer. */
function show(event: PointerEvent): void {
  const figure = event.target instanceof Element ? event.target.closest<HTMLElement>("figure.chart") : null;
  const picture = figure?.querySelector("svg");
  if (!figure || !picture) {
    tip.hidden = true;
    return;
  }
  const data = JSON.parse(figure.dataset.chart ?? "null") as ChartData;
  const place = picture.getBoundingClientRect();
  const x = ((event.clientX - place.left) / place.width) * picture.viewBox.baseVal.width;
  const lines: HTMLElement[] = [];
  let at: number | null = null;
  for (const { label, colour, points } of data.curves) {
    const nearest = points.reduce<(typeof points)[number] | null>(
      (best, point) => (best === null || Math.abs(point[2] - x) < Math.abs(best[2] - x) ? point : best),
      null,
    );
    if (nearest === null) continue;
    at ??= nearest[0];
    const line = document.createElement("div");
    const key = document.createElement("i");
    key.className = `key c${colour}`;
    line.append(key, `${label}  ${number.format(nearest[1])}`);
    lines.push(line);
  }
  const head = document.createElement("b");
  head.textContent = at === null ? "" : `${data.across} ${number.format(at)}`;
  tip.replaceChildren(head, ...lines.slice(0, 16));
  tip.hidden = at === null;
  const isRight = event.clientX > innerWidth / 2;
  tip.style.left = isRight ? "auto" : `${event.clientX + 14}px`;
  tip.style.right = isRight ? `${innerWidth - event.clientX + 14}px` : "auto";
  tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
}

document.addEventListener("pointermove", show);
document.addEventListener("pointerleave", () => {
  tip.hidden = true;
});

const main = document.querySelector<HTMLElement>("main[data-live]");
const form = document.querySelector("form");
const said = document.querySelector<HTMLElement>("#said");

/** Milliseconds between two questions. */
const between = 2000;
let known = main?.dataset.live ?? "";

function wanted(): string {
  const query = new URLSearchParams();
  if (form) for (const [name, value] of new FormData(form)) query.append(name, String(value));
  query.set("known", known);
  return query.toString();
}

/** Replaces what the server says anew; what was folded open stays open. */
async function ask(): Promise<void> {
  if (!main) return;
  try {
    const answer = await fetch(`live?${wanted()}`);
    if (answer.status === 200) {
      const { id, html } = (await answer.json()) as { readonly id: string; readonly html: string };
      const open = [...main.querySelectorAll("details[open]")].map((one) => one.id);
      known = id;
      // The server has escaped what is not its own.
      main.innerHTML = html;
      for (const one of main.querySelectorAll("details")) if (open.includes(one.id)) one.open = true;
    }
    if (said) said.textContent = "";
  } catch {
    if (said) said.textContent = "mae watch has ended: what you see is what was last said";
  }
}

async function go(): Promise<void> {
  if (!document.hidden) await ask();
  setTimeout(go, between);
}

if (main) {
  form?.addEventListener("change", () => {
    known = "";
    void ask();
  });
  setTimeout(go, between);
}
