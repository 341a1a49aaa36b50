/** Small plots side by side as one SVG: points with labels, and lines. Axes begin at 0. Pure: the same figures give the same bytes. */

export interface Series {
  readonly name: string;
  readonly color: string;
  readonly mark: 'circle' | 'diamond' | 'dot' | 'line';
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Written beside the point. */
  readonly label?: string;
}

export interface Panel {
  readonly title: string;
  readonly subtitle: string;
  /** By the name of the series. A series with the mark `dot` is also joined by a line. */
  readonly points: Readonly<Record<string, readonly Point[]>>;
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** The same for all panels. Points beyond it are drawn at the edge, with their value. */
  readonly xMax: number;
  readonly xStep: number;
  /** The least upper end of a panel's y axis. */
  readonly yLeast: number;
  /** Drawn in this order: the last one is on top. */
  readonly series: readonly Series[];
  readonly panels: readonly Panel[];
  readonly columns: number;
}

const PANEL = { width: 280, height: 222, left: 40, right: 18, top: 56, bottom: 26 };
/** Characters of a subtitle per line, at most two lines. */
const SUBTITLE_CHARACTERS = 44;
const MARGIN = { left: 22, right: 8, top: 62, bottom: 30 };
const INNER = {
  width: PANEL.width - PANEL.left - PANEL.right,
  height: PANEL.height - PANEL.top - PANEL.bottom,
};

const COLORS = { text: '#1f2328', faint: '#59636e', grid: '#e4e7eb', axis: '#9aa4ae' };

export function renderPlot(plot: Plot): string {
  const rows = Math.ceil(plot.panels.length / plot.columns);
  const width = MARGIN.left + plot.columns * PANEL.width + MARGIN.right;
  const height = MARGIN.top + rows * PANEL.height + MARGIN.bottom;
  const panels = plot.panels.map((panel, index) => {
    const x = MARGIN.left + (index % plot.columns) * PANEL.width;
    const y = MARGIN.top + Math.floor(index / plot.columns) * PANEL.height;
    return `<g transform="translate(${x} ${y})">\n${renderPanel(plot, panel)}\n</g>`;
  });
  const middle = MARGIN.top + (rows * PANEL.height) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="11" fill="${COLORS.text}">`,
    `<title>${escaped(plot.title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN.left + PANEL.left, 22, plot.title, 'font-size="15" font-weight="600"'),
    legend(plot.series),
    ...panels,
    text(width / 2, height - 10, plot.xLabel, `text-anchor="middle" fill="${COLORS.faint}"`),
    `<g transform="translate(16 ${middle}) rotate(-90)">` +
      `${text(0, 0, plot.yLabel, `text-anchor="middle" fill="${COLORS.faint}"`)}</g>`,
    '</svg>\n',
  ].join('\n');
}

function legend(series: readonly Series[]): string {
  let x = MARGIN.left + PANEL.left;
  const y = 44;
  return [...series]
    .reverse()
    .map(({ name, color, mark }) => {
      const symbol =
        mark === 'line'
          ? `<line x1="${x - 7}" y1="${y}" x2="${x + 7}" y2="${y}" stroke="${color}" stroke-width="1.5"/>`
          : symbolAt(mark, x, y, color);
      const label = text(x + 12, y + 4, name);
      x += 34 + 6.3 * name.length;
      return symbol + label;
    })
    .join('\n');
}

function renderPanel(plot: Plot, panel: Panel): string {
  const { xMax, xStep } = plot;
  const all = Object.entries(panel.points);
  // Lines may leave the panel at the top; points may not.
  const isLine = (name: string) => plot.series.find((series) => series.name === name)?.mark === 'line';
  const highest = Math.max(
    ...all.flatMap(([name, points]) => (isLine(name) ? [] : points.map(({ y }) => y))),
  );
  const { top, step } = niceAxis(Math.max(highest * 1.08, plot.yLeast));
  const toX = (x: number) => PANEL.left + (Math.min(x, xMax) / xMax) * INNER.width;
  const toY = (y: number) => PANEL.top + INNER.height * (1 - Math.min(y, top) / top);
  const lines: string[] = [
    text(PANEL.left, 16, panel.title, 'font-weight="600" font-size="12"'),
    ...inLines(panel.subtitle).map((line, at) =>
      text(PANEL.left, 30 + 12 * at, line, `fill="${COLORS.faint}" font-size="10"`),
    ),
  ];
  for (let y = 0; y <= top + step / 2; y += step) {
    lines.push(
      rule(PANEL.left, toY(y), PANEL.left + INNER.width, toY(y), y === 0 ? COLORS.axis : COLORS.grid),
    );
    lines.push(
      text(PANEL.left - 5, toY(y) + 3.5, short(y), `text-anchor="end" fill="${COLORS.faint}" font-size="10"`),
    );
  }
  for (let x = 0; x <= xMax; x += xStep) {
    lines.push(rule(toX(x), PANEL.top + INNER.height, toX(x), PANEL.top + INNER.height + 4, COLORS.axis));
    lines.push(
      text(
        toX(x),
        PANEL.top + INNER.height + 15,
        short(x),
        `text-anchor="middle" fill="${COLORS.faint}" font-size="10"`,
      ),
    );
  }
  const marks: string[] = [];
  const labels: Label[] = [];
  for (const { name, color, mark } of plot.series) {
    const points = panel.points[name] ?? [];
    if (mark === 'line' || mark === 'dot') lines.push(path(points, toX, toY, top, color, mark));
    if (mark === 'line') continue;
    for (const { x, y, label } of points) {
      marks.push(symbolAt(mark, toX(x), toY(y), color));
      const content = x > xMax ? `${label ?? ''} ${Math.round(x)} →`.trim() : label;
      if (content !== undefined) labels.push({ content, x: toX(x), y: toY(y), mark, color });
    }
  }
  lines.push(...marks, ...placed(labels));
  return lines.join('\n');
}

/** A line of points. Where it begins above the panel, it is cut at the top. */
function path(
  points: readonly Point[],
  toX: (x: number) => number,
  toY: (y: number) => number,
  top: number,
  color: string,
  mark: 'line' | 'dot',
): string {
  const first = Math.max(
    0,
    points.findLastIndex(({ y }) => y > top),
  );
  const shown = points.slice(first);
  const [a, b] = shown;
  if (a && b && a.y > top) {
    const part = (a.y - top) / (a.y - b.y);
    shown[0] = { x: a.x + part * (b.x - a.x), y: top };
  }
  const at = shown.map(({ x, y }) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`).join(' ');
  const style = mark === 'line' ? 'stroke-width="1.5"' : 'stroke-width="1" stroke-dasharray="2 3"';
  return `<polyline points="${at}" fill="none" stroke="${color}" ${style}/>`;
}

interface Label {
  readonly content: string;
  readonly x: number;
  readonly y: number;
  readonly mark: Series['mark'];
  readonly color: string;
}

/** Where a label may be, from its point: how far its baseline is away, and on which side it is. In the order of preference. */
const PLACES = [
  { dx: 7, dy: -5, anchor: 'start' },
  { dx: -7, dy: -5, anchor: 'end' },
  { dx: 9, dy: 4, anchor: 'start' },
  { dx: 7, dy: 14, anchor: 'start' },
  { dx: 0, dy: -21, anchor: 'middle' },
  { dx: 4, dy: -32, anchor: 'start' },
] as const;

/** A dot's label stays close to it. */
const DOT_PLACES = 2;

/** The labels where they cover neither a point nor each other. The last series chooses first; a dot without space has no label. */
function placed(labels: readonly Label[]): string[] {
  const taken = labels.map(({ x, y, mark }) => {
    const radius = mark === 'dot' ? 2 : 5;
    return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
  });
  const texts: string[] = [];
  for (const { content, x, y, mark, color } of [...labels].reverse()) {
    const isDot = mark === 'dot';
    const size = isDot ? 9 : 10;
    const width = content.length * size * 0.62;
    const boxes = PLACES.slice(0, isDot ? DOT_PLACES : PLACES.length).map(({ dx, dy, anchor }) => {
      const left = x + dx - { start: 0, middle: width / 2, end: width }[anchor];
      return { left, right: left + width, top: y + dy - size + 1, bottom: y + dy + 1 };
    });
    const isFree = (box: (typeof boxes)[number]) =>
      box.left >= PANEL.left - 2 &&
      box.right <= PANEL.width - 4 &&
      box.bottom <= PANEL.top + INNER.height &&
      !taken.some(
        (other) =>
          box.left < other.right &&
          other.left < box.right &&
          box.top < other.bottom &&
          other.top < box.bottom,
      );
    const at = boxes.findIndex(isFree);
    if (at < 0 && isDot) continue;
    const place = PLACES[Math.max(0, at)]!;
    taken.push(boxes[Math.max(0, at)]!);
    const style = isDot
      ? `fill="${COLORS.faint}" font-size="9"`
      : `fill="${color}" font-size="10" font-weight="600"`;
    texts.push(text(x + place.dx, y + place.dy, content, `text-anchor="${place.anchor}" ${style} ${HALO}`));
  }
  return texts;
}

/** A subtitle, broken between words. */
function inLines(content: string): string[] {
  const lines: string[] = [];
  // A number stays with its unit.
  const glued = content.replaceAll(/(\d) (?=(Hz|ms|s|ppm|%)\b|%)/g, '$1\u00a0');
  for (const word of glued.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= SUBTITLE_CHARACTERS)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** So that text can be read on lines. */
const HALO = 'stroke="#ffffff" stroke-width="2.5" paint-order="stroke"';

function symbolAt(mark: Series['mark'], x: number, y: number, color: string): string {
  const [cx, cy] = [x.toFixed(1), y.toFixed(1)];
  if (mark === 'diamond')
    return `<path d="M${cx} ${(y - 5.5).toFixed(1)}l5.5 5.5l-5.5 5.5l-5.5 -5.5z" fill="${color}" stroke="#ffffff"/>`;
  const radius = mark === 'circle' ? 5.5 : 3;
  return `<circle cx="${cx}" cy="${cy}" r="${radius}" fill="${color}" stroke="#ffffff"/>`;
}

/** The end of an axis that shows `most`, and its steps of 1, 2 or 5. */
export function niceAxis(most: number): { readonly top: number; readonly step: number } {
  const rough = most / 4;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((step) => step >= rough)!;
  return { top: Math.ceil(most / step - 1e-9) * step, step };
}

function rule(x1: number, y1: number, x2: number, y2: number, color: string): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${color}"/>`;
}

function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(content)}</text>`;
}

function short(value: number): string {
  return String(Number(value.toFixed(6)));
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
