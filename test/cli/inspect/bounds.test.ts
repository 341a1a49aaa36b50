/** `hotmic inspect` on endless and very long input: memory and output stay bounded, and what is too long is reported. */

import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCli, startCli } from '../../kit/cli.js';
import { SILENCE_PACKET } from '../../kit/golden_packets.js';
import { hexOfBytes } from '../../kit/hex.js';
import { packetOfOps } from '../../kit/raw_packet.js';

const MIB = 1024 * 1024;

/** The most memory that `hotmic inspect` may take, in MiB; Node alone takes 50 to 100. */
const MAX_MEMORY_MIB = 200;

/** Has a child print its largest resident memory, in KiB, as its last word. */
const TELL_MEMORY = `data:text/javascript,process.on('exit',()=>process._rawDebug('memory:'+process.resourceUsage().maxRSS))`;

/** A file of about `bytes`, made of `part` again and again. */
function fileOf(t: Test, part: string | Uint8Array, bytes: number): string {
  const path = join(t.testdir(), 'input');
  const block = Buffer.alloc(Math.floor(MIB / part.length) * part.length, part);
  const file = openSync(path, 'w');
  for (let written = 0; written < bytes; ) written += writeSync(file, block);
  closeSync(file);
  return path;
}

/** Runs inspect to its end; its output is counted and not kept. */
async function measure(t: Test, args: readonly string[]) {
  const run = startCli(t, ['inspect', ...args], {
    env: { NODE_OPTIONS: `--import ${TELL_MEMORY}` },
    output: 'leave',
  });
  let bytes = 0;
  let head = '';
  run.child.stdout.on('data', (part: Buffer) => {
    if (head.length < 300) head += part.toString('latin1', 0, 300);
    bytes += part.length;
  });
  const { code, stderr } = await run.ended;
  const memory = /memory:(\d+)/.exec(stderr);
  return { code, head, bytes, memoryMib: Number(memory?.[1]) / 1024, stderr };
}

for (const [what, part, reason] of [
  ['bytes', new Uint8Array(4096).map((_, at) => (at * 2_654_435_761) >>> 13), /too-long/],
  ['one line of hexadecimal', '00', /too-long/],
  ['comments', `#${'-'.repeat(62)}\n`, /^$/],
] as const) {
  for (const args of [[], ['--json']]) {
    const told = args.length > 0 ? ', --json' : '';
    t.test(`60 MiB of ${what} take bounded memory and one line of output${told}`, async (t) => {
      const path = fileOf(t, part, 60 * MIB);
      const { code, head, bytes, memoryMib } = await measure(t, [...args, path]);
      t.equal(code, 1);
      t.match(head, reason);
      t.ok(bytes < 1000, `${bytes} bytes of output`);
      t.ok(memoryMib < MAX_MEMORY_MIB, `${memoryMib} MiB`);
    });
  }
}

t.test('many packets in hexadecimal lines need the memory of one', async (t) => {
  const path = fileOf(t, `${hexOfBytes(SILENCE_PACKET)}\n`, 2 * MIB);
  const { code, bytes, memoryMib } = await measure(t, ['--json', path]);
  t.equal(code, 0);
  t.ok(bytes > 2 * MIB);
  t.ok(memoryMib < MAX_MEMORY_MIB, `${memoryMib} MiB`);
});

t.test('of thousands of ops in a packet, a thousand are listed and the others counted', async (t) => {
  const packet = packetOfOps('000000'.repeat(21_000));
  const path = join(t.testdir(), 'packet.bin');
  writeFileSync(path, packet);
  const text = await runCli(t, ['inspect', path]);
  t.equal(text.code, 0);
  t.equal(text.stdout.match(/ {2}silence /g)?.length, 1000);
  t.match(text.stdout, /^ +and 20000 more, not listed$/m);
  const json = JSON.parse((await runCli(t, ['inspect', '--json', path])).stdout);
  t.equal(json.ops.length, 1000);
  t.equal(json.itemsLeftOut, 20_000);
});

t.test('a packet of 65,536 bytes is read, one byte more is too long', async (t) => {
  const longest = packetOfOps(`03${'00'.repeat(65_536 - 13)}`);
  t.equal(longest.length, 65_536);
  const path = join(t.testdir(), 'packet.bin');
  writeFileSync(path, longest);
  t.match(await runCli(t, ['inspect', path]), { code: 0, stdout: /packet-too-long/ });
  writeFileSync(path, Buffer.concat([longest, Buffer.of(0)]));
  const { code, stdout } = await runCli(t, ['inspect', path]);
  t.equal(code, 1);
  t.match(stdout, /MALFORMED \(too-long\) at offset 65536: 65537 bytes, expected at most 65536/);
});

t.test('endless input is refused after 64 MiB of lines, or after the longest packet of bytes', async (t) => {
  const zeros = await measure(t, ['/dev/zero']);
  t.equal(zeros.code, 1);
  t.match(zeros.head, /too-long/);
  const path = fileOf(t, `#${'-'.repeat(62)}\n`, 65 * MIB);
  const { code, stderr } = await measure(t, [path]);
  t.equal(code, 1);
  t.match(stderr, /more than 67108864 bytes, expected at most that; split the file \[ERR_HOTMIC_INPUT\]/);
});
