/** The page's style: one column on a phone, dark where the reader prefers it. */
export const INSPECTOR_CSS = `:root {
  color-scheme: light dark;
  --page: #f4f5f7;
  --card: #ffffff;
  --text: #171b22;
  --quiet: #5a6372;
  --line: #e1e5eb;
  --control: #8a93a3;
  --accent: #2f5bd0;
  --on-accent: #ffffff;
  --good: #17703f;
  --warn: #8a5300;
  --bad: #b3261e;
  --mark: #eef2fc;
  font: 14px/1.45 system-ui, sans-serif;
  background: var(--page);
  color: var(--text);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116;
    --card: #161a21;
    --text: #e6e9ef;
    --quiet: #9aa4b4;
    --line: #272d37;
    --control: #6f7a8c;
    --accent: #8fb0ff;
    --on-accent: #0f1830;
    --good: #63d19a;
    --warn: #e8b765;
    --bad: #ff9890;
    --mark: #1d2433;
  }
}
* {
  box-sizing: border-box;
}
[hidden] {
  display: none !important;
}
body,
h1,
h2,
p,
dl,
dd,
ul,
ol {
  margin: 0;
  padding: 0;
}
ul,
ol {
  list-style: none;
}
code {
  font: 0.93em ui-monospace, monospace;
}
small {
  font-size: 0.86em;
  font-weight: 400;
  color: var(--quiet);
}
abbr {
  text-decoration: none;
}
:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}
main:focus {
  outline: none;
}
.visually-hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
}
.skip {
  position: absolute;
  left: -100vw;
  top: 0.5rem;
  z-index: 2;
  padding: 0.4rem 0.8rem;
  background: var(--card);
  color: var(--accent);
}
.skip:focus {
  left: 0.5rem;
}

header {
  position: sticky;
  top: 0;
  z-index: 1;
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.25rem 1rem;
  padding: 0.6rem max(1rem, calc((100% - 78rem) / 2 + 1rem));
  background: var(--card);
  border-bottom: 1px solid var(--line);
}
h1 {
  font-size: 1.1rem;
  font-weight: 650;
  letter-spacing: -0.01em;
}
#status {
  display: flex;
  align-items: center;
  gap: 0.45rem;
  font-weight: 550;
  color: var(--quiet);
}
#status::before,
.state::before {
  content: '';
  flex: none;
  width: 0.55rem;
  height: 0.55rem;
  border-radius: 50%;
  background: currentcolor;
}
#status[data-state='live'] {
  color: var(--good);
}
#status[data-state='waiting'] {
  color: var(--warn);
}
#status[data-state='refused'] {
  color: var(--bad);
}
.asked {
  color: var(--quiet);
  font-size: 0.86rem;
  font-variant-numeric: tabular-nums;
  margin-right: auto;
}

main {
  display: grid;
  gap: 0.9rem;
  max-width: 78rem;
  margin: 0 auto;
  padding: 0.9rem 1rem 3rem;
  grid-template-columns: minmax(0, 1fr);
}
@media (min-width: 64rem) {
  main {
    grid-template-columns: repeat(2, minmax(0, 1fr));
  }
  main > :not(.half) {
    grid-column: 1 / -1;
  }
}
.card,
.tile {
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 10px;
  min-width: 0;
}
.card {
  padding: 0.8rem 0 0.5rem;
}
h2 {
  font-size: 0.95rem;
  font-weight: 650;
  padding: 0 1rem 0.45rem;
}
h2 small {
  margin-left: 0.3rem;
}

.tiles {
  display: grid;
  grid-template-columns: repeat(2, minmax(0, 1fr));
  gap: 0.6rem;
}
@media (min-width: 40rem) {
  .tiles {
    grid-template-columns: repeat(12, minmax(0, 1fr));
  }
  .tile {
    grid-column: span 3;
  }
  .tile:has(svg) {
    grid-column: span 4;
  }
}
@media (min-width: 64rem) {
  .tiles {
    grid-template-columns: repeat(3, minmax(0, 3fr)) repeat(4, minmax(0, 2fr));
  }
  .tiles .tile {
    grid-column: auto;
  }
}
.tile {
  position: relative;
  padding: 0.65rem 0.9rem;
  overflow: hidden;
}
.tile dt {
  color: var(--quiet);
  font-size: 0.82rem;
  white-space: nowrap;
  overflow: hidden;
  text-overflow: ellipsis;
}
.tile dd {
  font-size: 1.55rem;
  font-weight: 600;
  line-height: 1.25;
  letter-spacing: -0.02em;
  font-variant-numeric: tabular-nums;
}
.spark {
  position: absolute;
  right: 0;
  bottom: 0.5rem;
  width: 55%;
  height: 1.9rem;
}
.spark polyline {
  fill: none;
  stroke: var(--accent);
  stroke-width: 1.5;
  stroke-linejoin: round;
  vector-effect: non-scaling-stroke;
  opacity: 0.75;
}
@media (max-width: 39.99rem) {
  .tile:first-child {
    grid-column: 1 / -1;
  }
}

.scroll {
  overflow-x: auto;
}
.scroll:focus-visible {
  outline-offset: -2px;
}
table {
  width: 100%;
  border-collapse: collapse;
  font-variant-numeric: tabular-nums;
}
th,
td {
  padding: 0.34rem 0.6rem;
  text-align: left;
  vertical-align: baseline;
  white-space: nowrap;
  font-weight: 400;
  border-top: 1px solid var(--line);
}
th:first-child {
  position: sticky;
  left: 0;
  padding-left: 1rem;
  background: var(--card);
}
th:last-child,
td:last-child {
  padding-right: 1rem;
}
thead th {
  border-top: 0;
  color: var(--quiet);
  font-size: 0.82rem;
  padding-block: 0.2rem;
}
tbody:empty,
table:not(:has(tbody tr)) {
  display: none;
}
.number {
  text-align: right;
}
.words {
  white-space: normal;
  overflow-wrap: anywhere;
}
td.words,
th.words {
  min-width: 6rem;
}
tbody .pattern,
tbody .id {
  font: 0.93em ui-monospace, monospace;
  white-space: normal;
  overflow-wrap: anywhere;
}
tbody .pattern:not([data-state='topic']) {
  font-family: inherit;
  color: var(--quiet);
}
tbody .id {
  min-width: 11rem;
}
.latest {
  min-width: 14rem;
}
.text {
  font: 0.93em ui-monospace, monospace;
  min-width: 16rem;
}
thead .text {
  font: inherit;
  font-size: 0.82rem;
}
.state {
  display: inline-flex;
  align-items: center;
  gap: 0.4rem;
  margin-right: 0.4rem;
  white-space: nowrap;
}
[data-state='up'] .state::before {
  background: var(--good);
}
[data-state='degraded'] .state,
[data-state='silent'] .state {
  color: var(--warn);
}
[data-state='down'] .state,
[data-state='detached'] .state,
[data-state='gone'] .state {
  color: var(--bad);
}
tr:has([data-state='gone']) > :not([data-state]) {
  color: var(--quiet);
}
@media (hover: hover) {
  tbody tr:hover > * {
    background: var(--mark);
  }
}
@media (max-width: 39.99rem) {
  .wide {
    display: none;
  }
}
details[data-single] summary {
  list-style: none;
  pointer-events: none;
}
details[data-single] summary::-webkit-details-marker {
  display: none;
}
summary {
  cursor: pointer;
}
details li {
  padding: 0.15rem 0 0 1rem;
  color: var(--quiet);
}
.topics {
  display: flex;
  flex-wrap: wrap;
  gap: 0.25rem;
}
.topics li {
  padding: 0 0.45rem;
  border: 1px solid var(--line);
  border-radius: 6px;
  font: 0.93em ui-monospace, monospace;
}
.topics .more {
  border: 0;
  font-family: inherit;
  color: var(--quiet);
}
.none,
.result {
  padding: 0.2rem 1rem 0.4rem;
  color: var(--quiet);
  overflow-wrap: anywhere;
}
.result:empty {
  display: none;
}
.result[data-outcome='failed'] {
  color: var(--bad);
}
.result[data-outcome='partial'] {
  color: var(--warn);
}

.search {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.5rem;
  padding: 0.1rem 1rem 0.6rem;
}
input,
button {
  font: inherit;
  min-height: 2.1rem;
  border-radius: 7px;
  border: 1px solid var(--control);
  background: var(--card);
  color: var(--text);
  padding: 0 0.7rem;
}
input {
  flex: 1 1 12rem;
  max-width: 28rem;
  min-width: 0;
}
button {
  cursor: pointer;
  font-weight: 550;
}
button[type='submit'] {
  border-color: transparent;
  background: var(--accent);
  color: var(--on-accent);
}
button[aria-pressed='true'] {
  background: var(--mark);
  border-color: var(--accent);
}
@media (pointer: coarse) {
  input,
  button {
    min-height: 2.75rem;
  }
  summary {
    padding-block: 0.4rem;
  }
}
`;
