// How a guide looks. Light or dark follows the page's own `color-scheme`. A constructable sheet needs no leave from a
// policy that forbids inline style.

export const css = `
:host {
  --accent: var(--pilotage-accent, light-dark(#3d4fe0, #8b98ff));
  --surface: var(--pilotage-surface, light-dark(#fff, #1d2029));
  --text: var(--pilotage-text, light-dark(#161922, #f1f3f9));
  --muted: var(--pilotage-muted, light-dark(#545b6e, #abb3c7));
  --line: var(--pilotage-line, light-dark(#161a2a1f, #fff3));
  --radius: var(--pilotage-radius, 14px);
  all: initial; color-scheme: inherit; direction: inherit; position: fixed; inset: auto; z-index: 2147483647; overflow: visible;
  margin: 8px; font: 15px/1.5 var(--pilotage-font, system-ui, sans-serif);
}
:host([data-kind=tooltip]) {
  --caret: ''; container-type: anchored; position-area: block-end span-inline-start; position-try-order: most-inline-size; position-try-fallbacks: flip-block, flip-inline, flip-block flip-inline; position-visibility: anchors-visible;
}
:host([data-kind=open]) { position-area: inline-end span-block-end; position-try-fallbacks: flip-inline, block-end span-inline-start }
:host([data-kind=hotspot]) { position-area: center; place-self: start end; margin: -10px; position-visibility: anchors-visible }
:host([data-kind=banner]) { inset: var(--pilotage-banner-inset, auto 0 0); margin: 0 auto 16px; padding: 0 16px; box-sizing: border-box; width: auto; max-width: 792px }
:host([data-kind=voice]) { width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
.card {
  box-sizing: border-box; position: relative; width: min(320px, 100vw - 24px); padding: 18px 20px; border: 1px solid var(--line);
  border-block-start: 3px solid var(--accent); border-radius: var(--radius); background: var(--surface); color: var(--text);
  box-shadow: var(--pilotage-shadow, 0 16px 40px -8px #0b0e1a40); overflow-wrap: anywhere; animation: rise .22s ease-out;
}
.card[hidden] { display: none }
h2 { margin: 0 28px 4px 0; font-size: 1.06em; line-height: 1.35; font-weight: 650 }
p { margin: 0; color: var(--muted) }
.cta {
  display: inline-block; margin-top: 14px; padding: 8px 16px; border-radius: calc(var(--radius) * .6); background: var(--accent);
  color: var(--pilotage-on-accent, light-dark(#fff, #10132e)); font-size: .95em; font-weight: 600; text-decoration: none;
}
.cta:hover { filter: brightness(1.1) }
.close {
  position: absolute; inset: 12px 12px auto auto; width: 30px; height: 30px; padding: 0; border: 0; border-radius: 50%;
  background: none; color: var(--muted); font: 20px/1 system-ui; cursor: pointer;
}
.close:hover { background: var(--line) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.dot { width: 20px; height: 20px; padding: 0; border: 4px solid var(--surface); border-radius: 50%; background: var(--accent); cursor: pointer; animation: pulse 2s infinite }
dialog.card { position: fixed; width: min(440px, 100vw - 32px); padding: 28px }
dialog h2 { font-size: 1.25em }
dialog::backdrop { background: #0b0e1a80 }
:host([data-kind=banner]) .card { display: grid; grid-template-columns: 1fr auto; column-gap: 20px; align-items: center; width: auto; padding-right: 56px }
:host([data-kind=banner]) .cta { grid-area: 1 / 2 / span 2; margin: 0 }
@media (max-width: 520px) { :host([data-kind=banner]) .card { display: block } :host([data-kind=banner]) .cta { margin-top: 12px } }
@supports (container-type: anchored) {
  section::before {
    content: var(--caret, none); position: absolute; inset: -8px 22px auto auto; width: 12px; height: 12px; rotate: 45deg; background: var(--accent); clip-path: polygon(0 0, 100% 0, 0 100%);
  }
  @container anchored(fallback: flip-block) { section::before { inset: auto 22px -7px auto; rotate: 225deg; background: var(--surface) } }
  @container anchored(fallback: flip-inline) { section::before { inset: -8px auto auto 22px } }
  @container anchored(fallback: flip-block flip-inline) { section::before { inset: auto auto -7px 22px; rotate: 225deg; background: var(--surface) } }
}
@keyframes rise { from { opacity: 0; translate: 0 6px } }
@keyframes pulse { from { box-shadow: 0 0 0 0 var(--accent) } 70%, to { box-shadow: 0 0 0 14px transparent } }
@media (prefers-reduced-motion) { * { animation: none !important } }
`;
