/** The parts of the page that need no browser: links, keys, words, and what waits to be played. */

import { readdirSync, readFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { linkTo, readLink, relayUrl, withoutToken } from '../../web/page/link.js';
import { TalkKeys, takesSpace } from '../../web/page/talk_keys.js';
import { LANGUAGES, wordsFor, wordsForFailure } from '../../web/page/words.js';
import { PlaybackBuffer } from '../../web/sound/playback_buffer.js';

t.test('a link has the lobby, a name and a token', async (t) => {
  t.same(readLink('https://voice.example/?lobby=den&name=Ada#token=a.b.c'), {
    ...{ lobby: 'den', name: 'Ada', token: 'a.b.c' },
  });
  t.same(readLink('http://127.0.0.1:7800/'), { lobby: 'lobby', name: '', token: null });
  t.equal(readLink(`https://voice.example/?lobby=${'x'.repeat(1000)}`).lobby.length, 64);
});

t.test('no link that the page shows or copies has the token', async (t) => {
  const invited = 'https://voice.example/?lobby=den&name=Ada#token=a.b.c';
  t.equal(withoutToken(invited), 'https://voice.example/?lobby=den&name=Ada');
  t.equal(linkTo(invited, 'attic'), 'https://voice.example/?lobby=attic');
});

t.test('the relay is on the page’s own host, by TLS as the page is', async (t) => {
  t.equal(relayUrl('https://voice.example/?lobby=den#x', '/voice'), 'wss://voice.example/voice');
  t.equal(relayUrl('http://127.0.0.1:7800/?lobby=den', '/'), 'ws://127.0.0.1:7800/');
});

t.test('the key is down while anything holds it, and up at once when the window is left', async (t) => {
  const told: boolean[] = [];
  const keys = new TalkKeys((isDown) => told.push(isDown));
  keys.hold('key');
  keys.hold('pointer');
  keys.letGo('key');
  t.equal(keys.isDown, true);
  keys.letGo('pointer');
  keys.letGo('pointer');
  t.same(told, [true, false]);
  keys.hold('key');
  keys.hold('pointer');
  keys.letGoOfAll();
  keys.letGoOfAll();
  t.same(told, [true, false, true, false]);
});

t.test('Space types where one can type, and nowhere else ends as something else', async (t) => {
  t.equal(takesSpace(null), false);
  for (const tagName of ['INPUT', 'TEXTAREA', 'SELECT']) t.equal(takesSpace({ tagName }), true, tagName);
  t.equal(takesSpace({ tagName: 'DIV' }), false);
  t.equal(takesSpace({ tagName: 'DIV', isContentEditable: true }), true);
});

/** Every text of a language, with what it says of an example. */
function texts(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value === 'function') return [[path, String((value as (of: unknown) => string)(2))]];
  return Object.entries(value as object).flatMap(([name, inner]) => texts(inner, `${path}.${name}`));
}

t.test('each language says everything, and says it otherwise', async (t) => {
  const { en, ...others } = LANGUAGES;
  const english = new Map(texts(en));
  for (const [language, words] of Object.entries(others)) {
    const said = texts(words);
    t.same(said.map(([path]) => path).sort(), [...english.keys()].sort(), language);
    t.same(
      said.filter(([, text]) => text.trim() === ''),
      [],
      language,
    );
    const same = said.filter(([path, text]) => english.get(path) === text).map(([path]) => path);
    t.ok(same.length < 4, `${language} says as in English: ${same.join(', ')}`);
  }
});

t.test('the browser’s first language that the page speaks is taken', async (t) => {
  t.equal(wordsFor(['fr-FR', 'de-AT', 'en']).language, 'de');
  t.equal(wordsFor(['fr-FR']).language, 'en');
  t.equal(wordsFor([]).language, 'en');
});

t.test('what a relay refuses is said in the player’s words', async (t) => {
  const { words } = wordsFor(['en']);
  const refused = (code: string) =>
    wordsForFailure(words, { code: 'ERR_HOTMIC_REFUSED', message: `Relay refused (${code}): because` });
  t.equal(refused('kicked'), words.told.kicked);
  t.equal(refused('banned'), words.told.banned);
  t.equal(refused('replaced'), words.told.elsewhere);
  t.equal(refused('lobby-full'), words.told.lobbyFull);
  t.equal(refused('token-expired'), words.told.tokenBad);
  t.match(refused('something-new'), /something-new/);
  t.equal(wordsForFailure(words, { code: 'ERR_HOTMIC_CONNECT', message: 'no' }), words.told.noRelay);
});

const RATE_HZ = 48_000;
const BLOCK = 480;
const QUANTUM = 128;

/** Plays for so long with a worker that answers after some quanta; null: never. Returns what came out. */
function play(
  buffer: PlaybackBuffer,
  quanta: number,
  answersAfter: (asked: number) => number | null,
): Float32Array {
  const out = new Float32Array(quanta * QUANTUM);
  const coming: { at: number; samples: number }[] = [];
  let next = 1;
  for (let at = 0; at < quanta; at++) {
    for (const answer of coming.filter((one) => one.at === at)) {
      for (let left = answer.samples; left > 0; left -= BLOCK)
        buffer.push(Int16Array.from({ length: BLOCK }, () => next++ % 30_000));
    }
    buffer.pull(out.subarray(at * QUANTUM, (at + 1) * QUANTUM));
    const samples = buffer.wanted();
    const after = samples > 0 ? answersAfter(at) : null;
    if (after !== null) coming.push({ at: at + 1 + after, samples });
  }
  return out;
}

t.test('what is played comes once, in order, and as little waits as was asked for', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1 }), (delays) => {
      const buffer = new PlaybackBuffer(RATE_HZ);
      const played = play(buffer, 1000, (asked) => delays[asked % delays.length]!);
      const numbers = [...played]
        .filter((sample) => sample !== 0)
        .map((sample) => Math.round(sample * 32_768));
      const isInOrder = numbers.every(
        (number, at) => at === 0 || number > numbers[at - 1]! || numbers[at - 1]! > 29_000,
      );
      return isInOrder && buffer.waiting <= (RATE_HZ * 140) / 1000 && numbers.length > 1000;
    }),
    { numRuns: 25 },
  );
});

t.test('a prompt worker costs 20 ms, a late one more, and calm brings it back', async (t) => {
  const buffer = new PlaybackBuffer(RATE_HZ);
  play(buffer, 1000, () => 0);
  t.equal(buffer.targetMs, 20);
  t.equal(buffer.underruns, 0);
  play(buffer, 400, (asked) => (asked > 100 && asked < 140 ? 40 : 0));
  const troubled = buffer.targetMs;
  t.ok(troubled > 20 && troubled <= 120, `${troubled} ms`);
  play(buffer, Math.ceil((120 * RATE_HZ) / QUANTUM), () => 0);
  t.equal(buffer.targetMs, 20);
});

t.test('a worker that is gone leaves silence, and another one is heard', async (t) => {
  const buffer = new PlaybackBuffer(RATE_HZ);
  play(buffer, 500, () => 0);
  const silent = play(buffer, 500, () => null);
  t.ok(silent.subarray(-QUANTUM).every((sample) => sample === 0));
  t.equal(buffer.wanted(), 0, 'what was asked for is still to come');
  buffer.forget();
  const again = play(buffer, 500, () => 0);
  t.ok(again.subarray(-QUANTUM).every((sample) => sample !== 0));
});

t.test('the first load is at most 350 kB: the page, its worker, its worklets and the codec', async (t) => {
  const site = 'dist/web/site';
  const parts = ['worker', 'worklets', 'codec'].map((name) => {
    const file = readdirSync(site).find((one) => one.startsWith(`${name}-`) && one.endsWith('.br'));
    return readFileSync(`${site}/${file}`).length;
  });
  const html = brotliCompressSync(readFileSync(`${site}/index.html`)).length;
  const bytes = parts.reduce((sum, part) => sum + part, html);
  t.ok(bytes > 200_000 && bytes <= 350_000, `${bytes} bytes`);
});
