/** A group of bars that are compared with each other. */
export interface Panel {
  readonly title: string;
  readonly unit: string;
  /** Of values, after the point. */
  readonly digits: number;
  readonly bars: readonly Bar[];
}

/** One value. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Stands out. */
  readonly isOurs: boolean;
}

const WIDTH = 860;
const COLUMNS = 2;
const GAP = 40;
const PANEL_WIDTH = (WIDTH - GAP * (COLUMNS - 1)) / COLUMNS;
const TITLE_HEIGHT = 30;
const ROW_HEIGHT = 26;
const BAR_HEIGHT = 16;
const LABEL_WIDTH = 162;
const VALUE_WIDTH = 54;
const MARGIN = 8;

/** Colours for a light page and for a dark one; images in Markdown follow the system's setting. */
const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .unit, .note { fill: #59636e; }
  .note { font-size: 12px; }
  .bar { fill: #8c959f; }
  .ours { fill: #0969da; }
  .strong { font-weight: 600; }
  .track { fill: #59636e; fill-opacity: 0.12; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .unit, .note { fill: #9198a1; }
    .bar { fill: #6e7681; }
    .ours { fill: #4493f8; }
    .track { fill: #9198a1; }
  }`;

/** An SVG of horizontal bars, two panels to a row; readable on light and dark pages. */
export function drawChart(title: string, panels: readonly Panel[], note: string): string {
  const bars = Math.max(0, ...panels.map((panel) => panel.bars.length));
  const panelHeight = TITLE_HEIGHT + bars * ROW_HEIGHT + GAP / 2;
  const rows = Math.ceil(panels.length / COLUMNS);
  const height = MARGIN * 2 + rows * panelHeight + 18;
  const drawn = panels.map((panel, index) => {
    const x = (index % COLUMNS) * (PANEL_WIDTH + GAP);
    const y = MARGIN + Math.floor(index / COLUMNS) * panelHeight;
    return `  <g transform="translate(${x} ${y})">\n${drawPanel(panel)}\n  </g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">`,
    `  <title id="title">${escapeXml(title)}</title>`,
    `  <desc id="description">${escapeXml(panels.map(inWords).join(' '))}</desc>`,
    `  <style>${STYLE}\n  </style>`,
    ...drawn,
    `  <text class="note" x="0" y="${height - MARGIN}">${escapeXml(note)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, unit, digits, bars }: Panel): string {
  const room = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const most = Math.max(...bars.map(({ value }) => value), Number.EPSILON);
  const lines = bars.map(({ label, value, isOurs }, index) => {
    const y = TITLE_HEIGHT + index * ROW_HEIGHT;
    const width = Math.max(1, (Math.max(0, value) / most) * room).toFixed(1);
    const strong = isOurs ? ' class="strong"' : '';
    return [
      `    <text${strong} x="0" y="${y + 13}">${escapeXml(label)}</text>`,
      `    <rect class="track" x="${LABEL_WIDTH}" y="${y}" width="${room.toFixed(1)}" height="${BAR_HEIGHT}" rx="3"/>`,
      `    <rect class="${isOurs ? 'ours' : 'bar'}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="3"/>`,
      `    <text${strong} x="${PANEL_WIDTH}" y="${y + 13}" text-anchor="end">${formatValue(value, digits)}</text>`,
    ].join('\n');
  });
  const head = `    <text class="title" x="0" y="14">${escapeXml(title)} <tspan class="unit" font-weight="400">${escapeXml(unit)}</tspan></text>`;
  return [head, ...lines].join('\n');
}

/** What the panel shows, for who does not see it. */
function inWords({ title, unit, digits, bars }: Panel): string {
  return `${title}, ${unit}: ${bars.map(({ label, value }) => `${label} ${formatValue(value, digits)}`).join(', ')}.`;
}

function formatValue(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
