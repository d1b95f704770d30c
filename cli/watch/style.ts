/** How pages of runs look, in light and dark and on paper: the colours of the site. */

export const style = `
:root { color-scheme: light dark; --paper: light-dark(#fdfcf9, #1a1b1f); --raised: light-dark(#f5f2ea, #232529); --ink: light-dark(#22242a, #dfdcd3);
--faint: light-dark(#6a6d75, #9a9a97); --line: light-dark(#e2ddd0, #36383e); --accent: light-dark(#9a5b00, #f2b84b); --error: light-dark(#b3261e, #ff8d80);
--good: light-dark(#34733a, #8fcb8f);
--c0: light-dark(#1f5fa8, #86b8f2); --c1: light-dark(#b3470b, #f0a777); --c2: light-dark(#34733a, #8fcb8f); --c3: light-dark(#8a3ea8, #cf9be6);
--c4: light-dark(#8f6a00, #e6c35c); --c5: light-dark(#a81f5b, #f28cb8); --c6: light-dark(#0d7377, #6fd0d3); --c7: light-dark(#555, #bbb) }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 110rem; padding: 1rem clamp(1rem, 3vw, 2.5rem) 4rem; background: var(--paper); color: var(--ink);
font: 1rem/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0 }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem }
p, li { max-width: 56rem }
header p { color: var(--faint) }
form { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }
th { font-weight: 600 }
table.numbers td:nth-child(n + 3), table.numbers th:nth-child(n + 3) { text-align: right }
td:first-child { overflow-wrap: anywhere }
progress { width: 5rem; vertical-align: middle; accent-color: var(--accent) }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1rem }
figure { margin: 0 }
.chart { padding: .6rem .6rem .2rem; background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; break-inside: avoid }
figcaption { font-weight: 600; font-size: .9rem }
figcaption small { font-weight: 400; color: var(--faint) }
svg { display: block; width: 100%; height: auto }
.curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; vector-effect: non-scaling-stroke }
.band { stroke: none; opacity: .18 }
.rule { stroke: var(--line) }
.axis { font-size: 11px; fill: var(--faint) }
${Array.from({ length: 8 }, (_, i) => `.curve.c${i} { stroke: var(--c${i}) } .band.c${i}, .dot.c${i} { fill: var(--c${i}) } .key.c${i} { background: var(--c${i}) }`).join("\n")}
.key { display: inline-block; width: .8em; height: .8em; border-radius: .2em; margin-right: .45em }
.legend span { margin-right: 1.2rem; white-space: nowrap }
.bars { margin: 1rem 0 } .bars svg { width: auto; max-width: none } .bars rect { fill: var(--accent) } .bars text { font-size: 13px; fill: var(--ink) }
.picture { margin: .5rem 0 }
.picture img { max-width: 100%; height: auto; border: 1px solid var(--line); background: #fff }
.picture figcaption { font-weight: 400; color: var(--faint) }
.tip { position: fixed; z-index: 9; padding: .4rem .6rem; background: var(--raised); border: 1px solid var(--line); border-radius: .4rem; font-size: .8rem;
pointer-events: none; max-width: 26rem; overflow-wrap: anywhere }
.failed { color: var(--error) } .training, .finished { color: var(--good) } .interrupted, .starting { color: var(--faint) }
pre { padding: .8rem 1rem; overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: .5rem; font-size: .85rem }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
@media print { body { max-width: none; padding: 0 } .tip, form { display: none } details > * { display: block } }
`;
