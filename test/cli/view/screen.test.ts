/** The live view fits every terminal, and nothing from outside can break it. */

import t from 'tap';
import { Look, lookOf } from '../../../cli/terminal/look.js';
import { cut, fitted, textWidth } from '../../../cli/terminal/text_width.js';
import {
  durationText,
  renderScreen,
  type Screen,
  type ScreenPerson,
  sizeText,
} from '../../../cli/view/screen.js';

const PLAIN = new Look({ colours: 'no', characters: 'unicode' });
const COLOURED = new Look({ colours: 'yes', characters: 'unicode' });
const ASCII = new Look({ colours: 'no', characters: 'ascii' });

const HOSTILE = [
  '\x1b[2J\x1b]0;title\x07',
  'a\r\nb',
  '\u202eevil',
  '田中さん'.repeat(9),
  '👩‍👩‍👧'.repeat(9),
  'é\u0301\u0301',
  '',
];

function person(slot: number, name: string, more: Partial<ScreenPerson> = {}): ScreenPerson {
  const quiet = { speaking: false, recent: false, notes: [], levelDb: null, delayMs: null, lossShare: null };
  return { slot, name, ...quiet, ...more };
}

function screenOf(people: readonly ScreenPerson[], more: Partial<Screen> = {}): Screen {
  const rest = { state: 'joined', doing: 'listening', sizeBytes: null, playing: null } as const;
  return { lobby: 'den', elapsedMs: 62_000, people, ...rest, ...more };
}

const speaking = (slot: number, name: string) =>
  person(slot, name, { speaking: true, levelDb: -18, delayMs: 60, lossShare: 0.012, notes: ['to red'] });

t.test('who speaks has a row with level, delay and loss; the others share rows', async (t) => {
  const screen = screenOf([speaking(1, 'Ada'), person(2, 'Ben', { notes: ['muted'] }), person(3, 'Cleo')]);
  t.strictSame(renderScreen(screen, 79, 23, PLAIN), [
    'den · 3 others · 1 speaks · 1:02',
    ' ● Ada      ███████████▎      -18 dB   60 ms   1.2 % lost  to red',
    ' ○ Ben (muted)  ○ Cleo',
  ]);
  t.strictSame(renderScreen(screen, 79, 23, ASCII), [
    'den - 3 others - 1 speaks - 1:02',
    ' * Ada      ###########       -18 dB   60 ms   1.2 % lost  to red',
    ' o Ben (muted)  o Cleo',
  ]);
  t.strictSame(renderScreen(screenOf([]), 79, 23, PLAIN), [
    'den · 0 others · 0 speak · 1:02',
    '  nobody else is here',
  ]);
});

t.test('a recording shows its size, a player its device, a lost connection that', async (t) => {
  const recording = screenOf([], { doing: 'recording', sizeBytes: 12_400_000 });
  t.match(renderScreen(recording, 79, 2, PLAIN)[0], /1:02 · REC 12\.4 MB$/);
  const playing = screenOf([], { playing: 'Built-in Audio, by pacat', state: 'reconnecting' });
  t.equal(
    renderScreen(playing, 100, 2, PLAIN)[0],
    'den · reconnecting · 0 others · 0 speak · 1:02 · Built-in Audio, by pacat',
  );
});

t.test('no row is wider or holds a control character, and no view is taller, at any size', async (t) => {
  const people = [
    ...HOSTILE.map((name, slot) => speaking(slot, name)),
    ...Array.from({ length: 60 }, (_, at) =>
      person(100 + at, HOSTILE[at] ?? `player ${at}`, { notes: [HOSTILE[at % 7]!] }),
    ),
  ];
  const screen = screenOf(people, { lobby: HOSTILE[3]!, playing: HOSTILE[0]! });
  for (const look of [PLAIN, ASCII, COLOURED]) {
    for (let columns = 1; columns < 130; columns += columns < 40 ? 1 : 11) {
      for (const rows of [1, 2, 3, 9, 40]) {
        const shown = renderScreen(screen, columns, rows, look);
        if (shown.length > Math.min(rows, 30)) t.fail(`${shown.length} rows of ${rows}`);
        for (const row of shown) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are ours.
          const text = row.replace(/\x1b\[(?:0|1|2|31|32|33)m/g, '');
          if (textWidth(text) > columns) t.fail(`${textWidth(text)} of ${columns} columns: ${text}`);
          if (/[\p{Cc}\u202e]/u.test(text)) t.fail(JSON.stringify(row));
        }
      }
    }
  }
});

t.test('speakers that do not fit are counted, and so is everyone else', async (t) => {
  const people = [
    ...Array.from({ length: 10 }, (_, at) => speaking(at, `speaker ${at}`)),
    ...Array.from({ length: 60 }, (_, at) => person(100 + at, `player ${at}`)),
  ];
  const shown = renderScreen(screenOf(people), 79, 6, PLAIN);
  t.equal(shown.length, 6);
  t.equal(shown[4]?.slice(0, 12), ' ● speaker 3');
  const [, names = ''] = /^(.*) \+\d+ more$/.exec(shown[5]!) ?? [];
  const named = names.match(/player \d/g)?.length ?? 0;
  t.match(shown[5], new RegExp(`\\+${66 - named} more$`));
});

t.test('what a terminal can show follows its environment', async (t) => {
  const bar = (environment: NodeJS.ProcessEnv, platform: NodeJS.Platform = 'linux') =>
    lookOf(environment, platform).bar(-30, 4);
  t.equal(bar({ LANG: 'C.UTF-8' }), '\x1b[32m██ \x1b[0m ');
  t.equal(bar({ LANG: 'de_DE.utf8', NO_COLOR: '1' }), '██  ');
  t.equal(bar({ LANG: 'C.UTF-8', LC_ALL: 'C', NO_COLOR: '1' }), '##  ');
  t.equal(bar({ TERM: 'dumb' }), '##  ');
  t.equal(bar({ NO_COLOR: '1' }, 'win32'), '██  ');
  t.equal(lookOf({ LC_ALL: 'C' }, 'linux').outside('Zoë\x1b[2J 😀'), 'Zo?[2J ?');
});

t.test('columns of a text', async (t) => {
  for (const [text, width] of [
    ['Ada', 3],
    ['田中', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['😀', 2],
    ['👩‍👩‍👧', 2],
    ['مرحبا', 5],
  ] as const)
    t.equal(textWidth(text), width, text);
  t.equal(cut('田中さん', 6, '…'), '田中…');
  t.equal(fitted('田中さん', 4, '…'), '田… ');
  t.equal(fitted('Ada', 5, '…'), 'Ada  ');
  t.equal(cut('Ada', 0, '…'), '');
});

t.test('times and sizes', async (t) => {
  t.strictSame([0, 59_999, 3_723_000].map(durationText), ['0:00', '0:59', '1:02:03']);
  t.strictSame([0, 25_000, 999_999, 1_500_000, 2e9, 3e15].map(sizeText), [
    '0 kB',
    '25 kB',
    '1000 kB',
    '1.5 MB',
    '2.0 GB',
    '3000.0 TB',
  ]);
});
