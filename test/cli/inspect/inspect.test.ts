/** `hotmic inspect`: what is in a packet, what is wrong with it and where, from every kind of input. */

import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { hex } from '../../../voice/bytes.js';
import { type PacketFault, readPacket } from '../../../voice/packet.js';
import { readWav } from '../../../voice/wav.js';
import { runCli, startCli } from '../../kit/cli.js';
import { goldenPackets, SILENCE_PACKET, TWO_GROUPS_OF_DTX } from '../../kit/golden_packets.js';
import { hexOfBytes } from '../../kit/hex.js';
import { frameOf, opusOp, packetOfOps, RATE_24K } from '../../kit/raw_packet.js';

/** One packet for each fault, and where it is. */
const DAMAGED: Record<PacketFault, { readonly packet: Uint8Array; readonly offset: number }> = {
  'too-short': { packet: SILENCE_PACKET.slice(0, 14), offset: 14 },
  'bad-crc': { packet: SILENCE_PACKET.map((byte, at) => (at === 9 ? byte ^ 1 : byte)), offset: 14 },
  'op-truncated': { packet: packetOfOps(`${RATE_24K}0605000100`), offset: 11 },
  'op-unknown': { packet: packetOfOps(`${RATE_24K}630000`), offset: 11 },
  'rate-unknown': { packet: packetOfOps('0b44ac'), offset: 8 },
  'frame-truncated': { packet: packetOfOps(RATE_24K + opusOp(`${frameOf(7, '68')}0900080068`)), offset: 19 },
  'frame-framing': { packet: packetOfOps(RATE_24K + opusOp(frameOf(7, '6b'))), offset: 14 },
};

t.test('a whole packet is listed op by op', async (t) => {
  for (const [name, packet] of Object.entries(goldenPackets)) {
    const { code, stdout, stderr } = await runCli(t, ['inspect', hexOfBytes(packet)]);
    t.match({ code, stderr }, { code: 0, stderr: '' }, name);
    const read = readPacket(packet);
    if (read.kind === 'malformed') throw new Error(read.detail);
    t.ok(stdout.includes(`CRC ${hex(read.crc, 8)} right`));
    t.ok(stdout.includes('SteamID 76561197960265729'));
    for (const op of read.ops) t.match(stdout, new RegExp(`^ +${op.offset}  ${op.kind} `, 'm'));
    for (const op of read.ops) {
      if (op.kind !== 'opus') continue;
      for (const item of op.frames) {
        const what =
          item.kind === 'end' ? 'end of recording' : `sequence ${item.sequence}, 1 byte, 20 ms, DTX`;
        t.match(stdout, new RegExp(`^ +${item.offset}    ${item.kind} +${what}$`, 'm'));
      }
    }
  }
});

t.test('a damaged packet is reported with its fault and the offset, and exit code 1', async (t) => {
  for (const [reason, { packet, offset }] of Object.entries(DAMAGED)) {
    const { code, stdout, stderr } = await runCli(t, ['inspect', hexOfBytes(packet)]);
    t.match({ code, stderr }, { code: 1, stderr: '' }, reason);
    t.ok(stdout.startsWith(`argument: MALFORMED (${reason}) at offset ${offset}: `), stdout);
    const read = readPacket(packet);
    if (read.kind === 'packet') throw new Error(`${reason} is whole`);
    t.ok(stdout.includes(read.detail));
    t.match(stdout, new RegExp(`^ +${offset}  ! `, 'm'), 'the place of the fault has a line');
  }
});

t.test('packets come from an argument, files, a folder and standard input', async (t) => {
  const lines = Object.values(goldenPackets).map(hexOfBytes);
  const comments = `# three of one recording\r\n\r\n${lines[0]} # the first\r\n${lines[1]}\n\n${lines[2]?.toUpperCase()}`;
  const folder = t.testdir({ 'comments.hex': comments, packets: { 'b.hex': lines[1]!, deeper: {} } });
  writeFileSync(join(folder, 'packets/a.bin'), TWO_GROUPS_OF_DTX);
  const heads = async (args: string[], input: Uint8Array | string = '') => {
    const { code, stdout, stderr } = await runCli(t, ['inspect', ...args], { input, cwd: folder });
    t.match({ code, stderr }, { code: 0, stderr: '' }, args.join(' '));
    return stdout
      .split('\n')
      .flatMap((line) => /^(\S.*?): whole, (\d+) bytes/.exec(line)?.slice(1, 3).join(' ') ?? []);
  };
  t.same(await heads([lines[2]!]), ['argument 18']);
  t.same(await heads(['comments.hex']), ['comments.hex:3 44', 'comments.hex:4 56', 'comments.hex:6 18']);
  t.same(await heads(['packets']), ['packets/a.bin 44', 'packets/b.hex 56']);
  t.same(await heads(['-'], SILENCE_PACKET), ['standard input 18']);
  t.same(await heads(['-'], `${lines.join('\n')}\n`), [
    'standard input:1 44',
    'standard input:2 56',
    'standard input:3 18',
  ]);
  t.same(await heads(['packets/a.bin', '-'], lines[2]), ['packets/a.bin 44', 'standard input 18']);
});

t.test('an empty file is a packet that is too short', async (t) => {
  const folder = t.testdir({ empty: '' });
  const { code, stdout } = await runCli(t, ['inspect', join(folder, 'empty')]);
  t.equal(code, 1);
  t.match(stdout, /MALFORMED \(too-short\) at offset 0: 0 bytes/);
});

t.test('--json prints one line per packet', async (t) => {
  const packets = [...Object.values(goldenPackets), ...Object.values(DAMAGED).map(({ packet }) => packet)];
  const reasons = [null, null, null, ...Object.keys(DAMAGED)];
  const input = packets.map(hexOfBytes).join('\n');
  const { code, stdout, stderr } = await runCli(t, ['inspect', '--json', '-'], { input });
  t.match({ code, stderr }, { code: 1, stderr: '' });
  const lines = stdout.trimEnd().split('\n');
  t.equal(lines.length, packets.length);
  for (const [at, line] of lines.entries()) {
    const told = JSON.parse(line) as Record<string, unknown>;
    const reason = reasons[at] ?? null;
    t.equal(told.file, `standard input:${at + 1}`);
    t.equal(told.verdict, reason === null ? 'whole' : 'malformed');
    t.equal(told.reason, reason);
    t.equal(told.offset, reason === null ? null : DAMAGED[reason as PacketFault].offset);
    t.equal(told.bytes, packets[at]?.length);
    t.same(told.ops, readPacket(packets[at]!).ops);
  }
});

t.test('--wav decodes them as one speaker, to a WAV of the right length', async (t) => {
  const folder = t.testdir();
  const wav = join(folder, 'out.wav');
  const packets = Object.values(goldenPackets).map(hexOfBytes);
  const { code, stderr } = await runCli(t, ['inspect', '--wav', wav, ...packets]);
  t.equal(code, 0);
  t.equal(stderr, `${wav}: 0.23 s\n`);
  const read = readWav(readFileSync(wav));
  if (read.kind === 'malformed') throw new Error(read.reason);
  t.equal(read.sampleRateHz, 24_000);
  t.equal(read.samples, (4 + 6) * 480 + 750);

  const again = await runCli(t, ['inspect', '--wav', wav, packets[0]!]);
  t.equal(again.code, 1, 'an existing file is not overwritten');
  t.match(again.stderr, /it already exists \(EEXIST\) \[ERR_HOTMIC_FILE\]/);

  const other = join(folder, 'other.wav');
  const partly = await runCli(t, ['inspect', '--wav', other, packets[0]!, `${packets[1]!.slice(0, -2)}00`]);
  t.equal(partly.code, 1);
  t.match(partly.stderr, /^argument: not decoded, VoiceResult 5\n/, 'a damaged one is reported and skipped');

  const nowhere = await runCli(t, ['inspect', '--wav', join(folder, 'no/out.wav'), packets[0]!]);
  t.equal(nowhere.code, 1);
  t.match(
    nowhere.stderr,
    /^hotmic: Cannot create recording .*: it does not exist \(ENOENT\) \[ERR_HOTMIC_FILE\]\n$/,
  );
});

t.test('a reader that stops reading is not a failure', async (t) => {
  const input = `${hexOfBytes(SILENCE_PACKET)}\n`.repeat(20_000);
  const inspect = startCli(t, ['inspect', '--json', '-'], { input, output: 'leave' });
  await once(inspect.child.stdout, 'readable');
  inspect.child.stdout.destroy();
  t.match(await inspect.ended, { code: 0, signal: null, stderr: '' });
});

t.test('a file name cannot steer the terminal', async (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, 'a\u001b[2J\u202eb.bin'), SILENCE_PACKET);
  const { code, stdout } = await runCli(t, ['inspect', folder]);
  t.equal(code, 0);
  t.match(stdout, /a\[2Jb\.bin: whole/);
  t.notOk(stdout.includes('\u001b') || stdout.includes('\u202e'));
});

t.test('a packet in hexadecimal may be longer than any file name', async (t) => {
  for (const bytes of [300, 1280]) {
    const packet = packetOfOps(RATE_24K + opusOp(frameOf(7, `48${'ab'.repeat(bytes - 23)}`)));
    t.equal(packet.length, bytes);
    const { code, stdout, stderr } = await runCli(t, ['inspect', hexOfBytes(packet)]);
    t.match({ code, stderr }, { code: 0, stderr: '' });
    t.match(stdout, new RegExp(`^argument: whole, ${bytes} bytes, 20 ms, `));
  }
});

t.test('unreadable input and a folder without packets are reported with the reason', async (t) => {
  const folder = t.testdir({ empty: {}, nested: { deeper: {} }, dangling: {} });
  symlinkSync('nowhere', join(folder, 'dangling/a.bin'));
  const table: [name: string, text: RegExp][] = [
    ['x'.repeat(256), /^hotmic: Cannot read x{256}: .*ENAMETOOLONG/],
    // An odd number of digits is not a packet.
    ['a'.repeat(301), /^hotmic: Cannot read a{301}: .*ENAMETOOLONG/],
    [join(folder, 'dangling'), /\/dangling\/a\.bin: .*ENOENT/],
    [join(folder, 'empty'), /^hotmic: Cannot inspect [^\n]*\/empty: no packets found /],
    [join(folder, 'nested'), /^hotmic: Cannot inspect [^\n]*\/nested: no packets found /],
  ];
  for (const [name, text] of table) {
    const { code, stdout, stderr } = await runCli(t, ['inspect', name]);
    t.match({ code, stdout }, { code: 1, stdout: '' }, name);
    t.match(stderr, text);
    t.match(stderr, /^[^\n]+ \[ERR_HOTMIC_INPUT\]\n$/, 'one line');
  }
});

t.test('hexadecimal lines may have spaces in them', async (t) => {
  const spaced = (packet: Uint8Array, group: RegExp) => hexOfBytes(packet).replace(group, '$& ');
  const lines = [
    spaced(TWO_GROUPS_OF_DTX, /../g),
    `\t${spaced(SILENCE_PACKET, /.{8}/g)}\t# the last`,
    // Not even in pairs.
    spaced(SILENCE_PACKET, /.{5}/g),
  ];
  const folder = t.testdir({ 'dump.hex': `${lines.join('\r\n')}\r\n` });
  for (const [args, input] of [
    [[join(folder, 'dump.hex')], ''],
    [['-'], lines.join('\n')],
  ] as const) {
    const { code, stdout, stderr } = await runCli(t, ['inspect', ...args], { input });
    t.match({ code, stderr }, { code: 0, stderr: '' });
    t.same(
      stdout
        .split('\n')
        .flatMap((line) => /:(\d+): whole, (\d+) bytes/.exec(line)?.slice(1, 3).join(' ') ?? []),
      ['1 44', '2 18', '3 18'],
    );
  }
});
