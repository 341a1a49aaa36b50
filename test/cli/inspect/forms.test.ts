/** The forms in which people have packets: hexadecimal as C and shells write it, and data that is not a packet. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { hexDigits } from '../../../cli/inspect/hex_text.js';
import { lookalike } from '../../../cli/inspect/lookalike.js';
import { runCli } from '../../kit/cli.js';
import { goldenPackets, SILENCE_PACKET } from '../../kit/golden_packets.js';
import { hexOfBytes } from '../../kit/hex.js';
import { opusOp, packetOfOps, RATE_24K } from '../../kit/raw_packet.js';

const bytes = hexOfBytes(SILENCE_PACKET).match(/../g)!;

/** The same packet, as people write it. */
const FORMS: Readonly<Record<string, string>> = {
  'with spaces': bytes.join(' '),
  'with colons': bytes.join(':'),
  'as C bytes': bytes.map((byte) => `0x${byte}`).join(', '),
  'as a C initialiser': `{ ${bytes.map((byte) => `0x${byte.toUpperCase()}`).join(',')} };`,
  'as short C bytes': bytes.map((byte) => `0x${byte.replace(/^0/, '')}`).join(', '),
  'as a C string': `"${bytes.map((byte) => `\\x${byte}`).join('')}"`,
  'as one number': `0x${bytes.join('')}`,
};

t.test('hexadecimal is read as C, shells and dumps write it', async (t) => {
  for (const [name, text] of Object.entries(FORMS))
    t.equal(hexDigits(text)?.toLowerCase(), bytes.join(''), name);
  for (const text of ['', ' ', '0', '0x', 'hello', '01 0', '0x01, zz', '{}', '\\x'])
    t.equal(hexDigits(text), null, text);
  const input = Object.values(FORMS).join('\n');
  const { code, stdout } = await runCli(t, ['inspect', '-'], { input });
  t.equal(code, 0);
  t.equal(stdout.match(/: whole, 18 bytes/g)?.length, Object.keys(FORMS).length);
  const argument = await runCli(t, ['inspect', FORMS['with spaces']!, FORMS['as C bytes']!]);
  t.match(argument, { code: 0, stdout: /^argument: whole, 18 bytes/ });
  t.equal(argument.stdout.match(/^argument: whole/gm)?.length, 2);
});

t.test('bytes as separate arguments are one packet', async (t) => {
  t.match(await runCli(t, ['inspect', ...bytes]), { code: 0, stdout: /^arguments: whole, 18 bytes/ });
});

t.test('a line that is not hexadecimal is reported with its number, and the others are read', async (t) => {
  const input = `${bytes.join('')}\nnothing\n${bytes.join('')}\n`;
  const { code, stdout } = await runCli(t, ['inspect', '-'], { input });
  t.equal(code, 1);
  t.match(
    stdout.split('\n').filter((line) => line.startsWith('standard')),
    [/:1: whole/, /:2: MALFORMED \(not-hexadecimal\)/, /:3: whole/],
  );
});

t.test('other data is named if its kind is known', async (t) => {
  const header = '01000000070000000000000000000000';
  const table = [
    ['480badc0de0badc0de', 'opus-packet', /possibly a raw Opus packet \(SILK, mono, 20 ms\)/],
    ['78', 'opus-packet', /possibly a raw Opus packet \(hybrid, mono, 20 ms\)/],
    ['fc1122334455667788', 'opus-packet', /possibly a raw Opus packet \(CELT, stereo, 20 ms\)/],
    ['232153494c4b5f56330c', 'silk-file', /a SILK file/],
    ['02232153494c4b5f5633', 'silk-file', /a SILK file \(Tencent\)/],
    ['4f6767530002', 'ogg-file', /an Ogg file/],
    ['5249464600000000', 'riff-file', /a RIFF file such as a WAV/],
    [header + bytes.join(''), 'voice-frame', /a Hotmic voice frame: 16 bytes of header/],
  ] as const;
  for (const [hex, kind, text] of table) {
    t.match(lookalike(Buffer.from(hex, 'hex')), { kind, text }, kind);
  }
  t.equal(lookalike(SILENCE_PACKET.subarray(0, 14)), null, 'a damaged packet is a packet');
  t.equal(lookalike(new Uint8Array(0)), null);
  const input = table.map(([hex]) => hex).join('\n');
  const json = await runCli(t, ['inspect', '--json', '-'], { input });
  t.same(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).looksLike),
    table.map(([, kind]) => kind),
  );
  const { code, stdout } = await runCli(t, ['inspect', '480badc0de']);
  t.equal(code, 1);
  t.match(stdout, /^ +It is possibly a raw Opus packet/m);
});

t.test('a SILK packet of old Steam is named, with the reason why a relay drops it', async (t) => {
  const packet = hexOfBytes(packetOfOps(`0b803e04040001020304`));
  const { code, stdout } = await runCli(t, ['inspect', packet]);
  t.equal(code, 0);
  t.match(stdout, /0x04 +SILK, as Steam sent before 2017: 4 bytes, not decoded/);
  t.match(stdout, /A relay drops it: packet-op-foreign\./);
  const json = JSON.parse((await runCli(t, ['inspect', '--json', packet])).stdout);
  t.equal(json.relayDrops, 'packet-op-foreign');
});

t.test('--wav of packets that decode to nothing is an error, and leaves no file', async (t) => {
  const wav = join(t.testdir(), 'out.wav');
  const damaged = `${bytes.join('').slice(0, -2)}00`;
  const marker = hexOfBytes(packetOfOps(RATE_24K + opusOp('ffff')));
  const { code, stderr } = await runCli(t, ['inspect', '--wav', wav, damaged, marker, '480badc0de']);
  t.equal(code, 1);
  t.match(stderr, /Cannot write .*out\.wav: 3 packets, and no sound in them, .* \[ERR_HOTMIC_INPUT\]\n$/);
  t.notOk(existsSync(wav));
});

t.test('a text file with a byte-order mark is hexadecimal lines all the same', async (t) => {
  const path = join(t.testdir(), 'dump.hex');
  writeFileSync(path, `\ufeff${Object.values(goldenPackets).map(hexOfBytes).join('\r\n')}`);
  t.match(await runCli(t, ['inspect', path]), { code: 0, stdout: /dump\.hex:1: whole/ });
});
