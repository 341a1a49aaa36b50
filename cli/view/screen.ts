/** The rows of the live view. Pure: what is known of a lobby, and a size, become rows of text. */

import type { Decibels } from '../../voice/mixing/decibels.js';
import type { Milliseconds } from '../../voice/units.js';
import { type Look, withoutColours } from '../terminal/look.js';
import { cut, fitted, textWidth } from '../terminal/text_width.js';

/** A person, as they are shown. */
export interface ScreenPerson {
  readonly slot: number;
  readonly name: string;
  readonly speaking: boolean;
  /** They spoke a moment ago, and keep their row. */
  readonly recent: boolean;
  /** `muted`, `away`, `to red`: in a word or two each. */
  readonly notes: readonly string[];
  readonly levelDb: Decibels | null;
  readonly delayMs: Milliseconds | null;
  readonly lossShare: number | null;
}

export interface Screen {
  readonly lobby: string;
  readonly elapsedMs: Milliseconds;
  readonly state: 'joined' | 'reconnecting';
  readonly doing: 'listening' | 'recording';
  readonly sizeBytes: number | null;
  /** What plays; null: nothing. */
  readonly playing: string | null;
  /** In the order in which they are shown. */
  readonly people: readonly ScreenPerson[];
}

/** Taller views are hard to read, and slow over a slow line. */
const MAX_ROWS = 30;

const MAX_NAME_COLUMNS = 28;
const BAR_COLUMNS = 16;
const SMALL_BAR_COLUMNS = 8;

/** Rows of at most `columns` columns, at most `rows` of them. */
export function renderScreen(screen: Screen, columns: number, rows: number, look: Look): readonly string[] {
  return allRows(screen, columns, rows, look).map((row) => {
    const text = withoutColours(row);
    return textWidth(text) > columns ? cut(text, columns, look.marks.ellipsis) : row;
  });
}

function allRows(screen: Screen, columns: number, rows: number, look: Look): readonly string[] {
  const height = Math.max(1, Math.min(rows, MAX_ROWS));
  const head = header(screen, columns, look);
  if (height === 1) return [head];
  const active = screen.people.filter(({ speaking, recent }) => speaking || recent);
  const silent = screen.people.filter(({ speaking, recent }) => !speaking && !recent);
  const room = height - 1;
  // Those who speak come first; at least one row says how many others there are.
  const forActive = silent.length > 0 || active.length > room ? room - 1 : room;
  const shownActive = active.slice(0, Math.max(0, forActive));
  const lines = [head, ...speakerRows(shownActive, columns, look)];
  const hidden = active.length - shownActive.length;
  const left = height - lines.length;
  if (screen.people.length === 0 && left > 0)
    lines.push(look.colour(cut('  nobody else is here', columns, look.marks.ellipsis), 'dim'));
  else if (left > 0 && (silent.length > 0 || hidden > 0))
    lines.push(...silentRows(silent, hidden, columns, left, look));
  return lines;
}

function header(screen: Screen, columns: number, look: Look): string {
  const { lobby, people, elapsedMs, state, doing, sizeBytes, playing } = screen;
  const speaking = people.filter((person) => person.speaking).length;
  const facts = [
    `${people.length} ${people.length === 1 ? 'other' : 'others'}`,
    `${speaking} ${speaking === 1 ? 'speaks' : 'speak'}`,
    durationText(elapsedMs),
    ...(doing === 'recording' ? [`REC ${sizeText(sizeBytes ?? 0)}`] : []),
    ...(playing === null ? [] : [look.outside(playing)]),
  ];
  if (state === 'reconnecting') facts.unshift('reconnecting');
  const { ellipsis, dot } = look.marks;
  const name = cut(look.outside(lobby), Math.max(4, Math.min(MAX_NAME_COLUMNS, columns >> 1)), ellipsis);
  let text = '';
  for (const fact of facts) {
    const longer = `${text} ${dot} ${fact}`;
    if (textWidth(name) + textWidth(longer) > columns) continue;
    text = longer;
  }
  return look.colour(cut(name, columns, ellipsis), 'bold') + text;
}

/** Name, level, delay, loss and notes, as far as they fit. */
function speakerRows(people: readonly ScreenPerson[], columns: number, look: Look): string[] {
  const longest = Math.max(0, ...people.map(({ name }) => textWidth(look.outside(name))));
  const nameColumns = Math.min(MAX_NAME_COLUMNS, Math.max(8, longest), Math.max(1, columns - 3));
  const { ellipsis, none } = look.marks;
  const hasDelay = people.some(({ delayMs }) => delayMs !== null);
  const hasLoss = people.some(({ lossShare }) => lossShare !== null);
  return people.map((person) => {
    const mark = person.speaking ? look.marks.speaking : look.marks.silent;
    const name = fitted(look.outside(person.name), nameColumns, ellipsis);
    let row = look.colour(` ${mark} ${name}`, person.speaking ? 'green' : 'dim');
    let left = columns - 3 - nameColumns;
    const put = (text: string, width: number) => {
      row += text;
      left -= width;
    };
    const barColumns = left >= BAR_COLUMNS + 10 ? BAR_COLUMNS : SMALL_BAR_COLUMNS;
    if (person.levelDb !== null && left >= barColumns + 1)
      put(` ${look.bar(person.levelDb, barColumns)}`, barColumns + 1);
    if (person.levelDb !== null && left >= 8) {
      const figure = person.levelDb > -90 ? person.levelDb.toFixed(0) : none;
      put(` ${figure.padStart(4)} dB`, 8);
    }
    if (hasDelay && left >= 8)
      put(` ${(person.delayMs === null ? none : person.delayMs.toFixed(0)).padStart(4)} ms`, 8);
    if (hasLoss && left >= 13) {
      const loss = person.lossShare === null ? none : (100 * person.lossShare).toFixed(1);
      const text = ` ${loss.padStart(5)} % lost`;
      put(person.lossShare !== null && person.lossShare >= 0.01 ? look.colour(text, 'yellow') : text, 13);
    }
    const notes = look.outside(person.notes.join(', '));
    if (notes !== '' && left >= 6) put(look.colour(`  ${cut(notes, left - 2, ellipsis)}`, 'dim'), 0);
    return row;
  });
}

/** Everyone else, several to a row. `hidden`: speakers without a row. */
function silentRows(
  people: readonly ScreenPerson[],
  hidden: number,
  columns: number,
  maxRows: number,
  look: Look,
): string[] {
  const { silent, ellipsis } = look.marks;
  const limit = Math.max(1, Math.min(MAX_NAME_COLUMNS, columns - 3));
  const rows: string[][] = [[]];
  let width = 0;
  let shown = 0;
  for (const { name, notes } of people) {
    const marks = notes.length > 0 ? ` (${notes.join(', ')})` : '';
    const text = ` ${silent} ${cut(look.outside(name), limit, ellipsis)}${look.outside(marks)} `;
    const item = cut(text, columns, ellipsis);
    if (width > 0 && width + textWidth(item) > columns) {
      if (rows.length === maxRows) break;
      rows.push([]);
      width = 0;
    }
    rows.at(-1)!.push(item);
    width += textWidth(item);
    shown += 1;
  }
  const last = rows.at(-1)!;
  const more = () => ` +${people.length - shown + hidden} more`;
  if (shown < people.length || hidden > 0) {
    for (; last.length > 0 && textWidth(last.join('') + more()) > columns; shown -= 1) last.pop();
    last.push(more());
  }
  return rows.map((row) => look.colour(row.join('').trimEnd(), 'dim'));
}

/** `1:02`, `1:02:03`. */
export function durationText(ms: Milliseconds): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** `312 kB`, `12.4 MB`. */
export function sizeText(bytes: number): string {
  const units = ['kB', 'MB', 'GB', 'TB'] as const;
  let value = bytes / 1000;
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[at]}`;
}
