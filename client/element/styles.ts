/** The colours that a page may set: name, in light and in dark themes. */
const COLOURS = [
  ['ink', '#17181c', '#f1f2f4'],
  ['soft', '#5b5f66', '#a9adb5'],
  ['line', '#d9dce1', '#3a3d44'],
  ['edge', '#7d828b', '#7f848d'],
  ['tint', '#eef0f3', '#26282d'],
  ['accent', '#1f5eff', '#8fb0ff'],
  ['on-accent', '#fff', '#0c1430'],
  ['done', '#0b7a4b', '#6fdca9'],
  ['on-done', '#fff', '#05301d'],
  ['wrong', '#b3261e', '#ff9c91'],
] as const;

function declareColours(choose: (light: string, dark: string) => string): string {
  return COLOURS.map(
    ([name, light, dark]) => `--_${name}: var(--leadway-${name}, ${choose(light, dark)});`,
  ).join('');
}

/**
 * The look of the element. Sizes are in `em`, so that the text size of the page decides; directions are logical.
 * Each colour is a custom property that a page may set; `light-dark()` follows the `color-scheme` of the page, and
 * browsers of before 2024 have the light colours. A text in a language of the other direction keeps its order, and the
 * side of the page.
 */
export const STYLES = `
:host {
  ${declareColours((light) => light)}
  --_surface: var(--leadway-surface, transparent);
  --_radius: var(--leadway-radius, 10px);
  --_quick: 200ms cubic-bezier(.2, 0, 0, 1);
  display: block;
  container-type: inline-size;
  min-inline-size: min(100%, 16em);
  color: var(--_ink);
  font-family: var(--leadway-font, inherit);
  line-height: 1.45;
  text-align: start;
}
@supports (color: light-dark(#000, #fff)) {
  :host {
    ${declareColours((light, dark) => `light-dark(${light}, ${dark})`)}
  }
}
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
p, ul { margin: 0; padding: 0; list-style: none; }
p { unicode-bidi: plaintext; }
p:dir(rtl) { text-align: right; }
.unseen, :host([compact]) :is(.words, .button span, .limits:not(.wrong)) {
  position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
.icon {
  flex: none; width: 1.25em; height: 1.25em; fill: none; stroke: currentcolor; stroke-width: 1.75;
  stroke-linecap: round; stroke-linejoin: round;
}
:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }

.drop {
  display: grid; align-content: center; gap: .875em 1.5em; padding: 1.25em; border: 2px dashed var(--_edge);
  border-radius: var(--_radius); background: var(--_surface);
}
.drop, button { transition: border-color var(--_quick), background-color var(--_quick); }
.over .drop { border-color: var(--_accent); border-style: solid; background: color-mix(in srgb, var(--_accent) 9%, var(--_surface)); }
.heading { font-size: 1.125em; font-weight: 650; line-height: 1.3; }
.hint, .limits, .count, .fine { color: var(--_soft); }
.limits { grid-column: 1 / -1; min-height: 1.45em; font-size: .8125em; }
.notice:empty { display: none; }
.limits.wrong, .notice, .warning, [data-state=failed] .line { color: var(--_wrong); }
.buttons { display: flex; flex-wrap: wrap; gap: .625em; }
button {
  display: inline-flex; align-items: center; justify-content: center; gap: .5em; margin: 0; border: 0;
  border-radius: calc(var(--_radius) * .7); background: none; color: inherit; font: inherit; white-space: nowrap;
  cursor: pointer;
}
button span, .count { text-box: trim-both cap alphabetic; }
button:disabled { opacity: .5; cursor: default; }
.button { flex: 1 1 auto; min-height: 2.875em; padding: 0 1.125em; border: 2px solid var(--_accent); font-size: .9375em; font-weight: 600; }
.browse { background: var(--_accent); color: var(--_on-accent); }
button:not(:disabled):hover { box-shadow: inset 0 0 0 9em color-mix(in srgb, var(--_ink) 9%, transparent); }
.quiet { min-width: 2.75em; min-height: 2.75em; padding: 0 .75em; font-size: .875em; font-weight: 600; }
.camera { display: none; }
@media (hover: none) and (pointer: coarse) {
  .hint, .folder { display: none; }
  .camera { display: inline-flex; }
}

.summary { display: flex; flex-wrap: wrap; align-items: center; row-gap: .25em; margin-block-start: .75em; }
.summary .quiet { padding: 0 .625em; }
.count { flex: 1 0 6em; min-height: 2.75em; align-content: center; font-size: .875em; font-variant-numeric: tabular-nums; }
.track { flex-basis: 100%; visibility: hidden; height: 4px; overflow: hidden; border-radius: 2px; background: var(--_line); }
.track div {
  height: 100%; border-radius: inherit; background: var(--_accent);
  transform: scaleX(var(--fraction, 0)); transform-origin: 0 0; transition: transform 200ms linear;
}
.track div:dir(rtl) { transform-origin: 100% 0; }
.track.on { visibility: visible; }
.notice { margin-block-start: .75em; font-size: .875em; }

.card {
  display: grid; grid-template-columns: auto minmax(0, 1fr) auto; align-items: start; gap: 0 .875em;
  padding: .75em 0; border-block-end: 1px solid var(--_line);
}
.card:last-child { border: 0; padding-block-end: 0; }
@keyframes arrive { from { opacity: 0; translate: 0 8px; } }
.thumbnail { position: relative; width: 3.25em; height: 3.25em; }
.face {
  position: relative; display: grid; align-content: space-between; justify-items: start; width: 100%; height: 100%;
  padding: .4375em; overflow: hidden; border-radius: calc(var(--_radius) * .8); background: var(--_tint);
}
.face span { font: 700 .625em/1 ui-monospace, monospace; text-transform: uppercase; }
.face canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
:is([data-state=failed], [data-state=cancelled]) :is(.face .icon, canvas) { opacity: .5; }
.badge {
  position: absolute; inset-block-end: -.375em; inset-inline-end: -.375em; display: none; padding: .1875em; border-radius: 50%;
  background: var(--_done); color: var(--_on-done); box-shadow: 0 0 0 2px var(--leadway-ground, Canvas);
}
.badge .icon { display: block; width: .75em; height: .75em; stroke-width: 3.5; }
[data-state=done] .badge { display: block; }
.card, .badge { animation: arrive var(--_quick) backwards; }
.text { min-height: 3.75em; align-content: center; }
.thumbnail, .actions { margin-block-start: .25em; }
.name, .url {
  display: block; width: fit-content; max-width: 100%; overflow: hidden; color: inherit;
  text-overflow: ellipsis; white-space: nowrap; text-underline-offset: 3px;
}
.name { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; white-space: normal; overflow-wrap: anywhere; font-size: .9375em; font-weight: 600; text-decoration: none; }
.name[href] { text-decoration: underline 1px; }
.line { font-size: .875em; overflow-wrap: anywhere; }
.url { font: .9375em/1.6 ui-monospace, monospace; }
.fine { font-size: .8125em; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.warning { font-size: .8125em; }
.actions { display: flex; font-size: 1.0625em; }
.card .quiet { position: relative; padding: 0; }
.pause span, .card .quiet span { display: none; }
.anyway .actions { grid-column: 2; }
.anyway .retry span { display: inline; }
.ring { position: absolute; inset: 0; fill: none; stroke: var(--_line); stroke-width: 3; rotate: -90deg; }
.ring .sent {
  stroke: var(--_accent); stroke-dasharray: 1; stroke-dashoffset: calc((1 - var(--fraction, 0)) * 1px);
  transition: stroke-dashoffset 200ms linear;
}
:is([data-state=checking], [data-state=preparing], [data-state=confirming]) .ring { animation: turn 1.1s linear infinite; }
:is([data-state=checking], [data-state=preparing], [data-state=confirming]) .sent { stroke-dashoffset: .72; }
[data-state=retrying] .sent { stroke-dasharray: .02 .0633; stroke-dashoffset: 0; }
@keyframes turn { to { rotate: 270deg; } }

.landing {
  position: fixed; z-index: 2147483647; inset: 0; display: grid; place-items: center; padding: 1em; outline: 3px dashed; outline-offset: -1rem;
  background: color-mix(in srgb, var(--_accent) 94%, transparent); color: var(--_on-accent); opacity: 0; visibility: hidden; pointer-events: none;
  font-size: 3em; font-weight: 700; transition: opacity var(--_quick), visibility var(--_quick);
}
.over .landing { opacity: 1; visibility: visible; }

:host([compact]) .drop { padding: 0; border: 0; background: none; }
:host([compact]) .button { flex: none; width: 2.75em; min-height: 2.75em; padding: 0; border: 0; background: none; color: inherit; font-size: 1em; }
:host([compact]) .thumbnail { width: 2.5em; height: 2.5em; }
:host([compact]) .text { min-height: 2.875em; }

@container (min-width: 30em) {
  .pause span { display: inline; }
  .card { align-items: center; }
  .thumbnail, .actions { margin: 0; }
  .anyway .actions { grid-column: 3; }
  .drop { grid-template-columns: minmax(0, 1fr) auto; align-items: center; padding: 1.375em 1.625em; }
}
@container (min-width: 36em) {
  .card .quiet:has(span) { padding: 0 .75em; }
  .card .quiet span { display: inline; }
}
@media (forced-colors: active) {
  .button, .quiet, .track, .face { border: 1px solid; }
  .track div { background: Highlight; }
  .ring .sent { stroke: Highlight; }
  .browse { forced-color-adjust: none; background: ButtonText; color: ButtonFace; border-color: ButtonText; }
}
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation-duration: 0s !important; animation-iteration-count: 1 !important; transition-duration: 0s !important; }
}
`;
