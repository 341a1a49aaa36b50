/**
 * The codec's memory over very many packets: flat while it decodes, and all given back at the end.
 *
 * `make test` takes HOTMIC_SOAK_PACKETS packets each way, 30,000 by default; `make soak` takes a million.
 */

import t from 'tap';
import { writeU32 } from '../../voice/bytes.js';
import { crc32 } from '../../voice/crc32.js';
import { VoiceResult } from '../../voice/voice_result.js';
import { VoiceEncoder } from '../../wasm/compress.js';
import { VoiceDecoder } from '../../wasm/decompress.js';
import { goldenSignal } from '../../wasm/golden.js';
import { loadCodec } from '../../wasm/load.js';
import { codecLiveBytes, codecMemoryBytes } from '../../wasm/module.js';
import { VoiceDecompressor } from '../../wasm/voice_decompressor.js';
import { SEED, SeededRandom } from '../kit/random.js';

const PACKETS = Number(process.env.HOTMIC_SOAK_PACKETS ?? 30_000);
const SPEAKERS = 10_000;
const RATE_HZ = 44_100;
const WASM_PAGE_BYTES = 65_536;

loadCodec();
const recording = record();

t.setTimeout(3_600_000);

t.test(`${PACKETS.toLocaleString('en')} packets through one decoder leave the memory flat`, async (t) => {
  const liveAtStart = codecLiveBytes();
  const decoder = new VoiceDecoder(RATE_HZ);
  const out = new Int16Array(3 * RATE_HZ);
  const heapBytes: number[] = [];
  let samples = 0;
  const decode = (n: number) => {
    const answer = decoder.decompress(recording[n % recording.length]!, out);
    if (answer.result !== VoiceResult.VOICE_RESULT_OK) t.fail(`packet ${n}: ${answer.result}`);
    samples += answer.samples;
  };
  // The decoder takes its memory with the first packet.
  decode(0);
  const liveInUse = codecLiveBytes();
  const memoryInUse = codecMemoryBytes();
  for (let n = 1; n < PACKETS; n += 1) {
    decode(n);
    if (n % Math.ceil(PACKETS / 10) === 0) heapBytes.push(process.memoryUsage().heapUsed);
  }
  t.comment(
    `${(samples / RATE_HZ / 3600).toFixed(1)} h of sound; JavaScript heap in MiB ${inMebibytes(heapBytes)}`,
  );
  t.equal(codecLiveBytes(), liveInUse, 'nothing more is live than behind the first packet');
  t.equal(codecMemoryBytes(), memoryInUse, 'and the memory did not grow');
  decoder.free();
  t.equal(codecLiveBytes(), liveAtStart, 'freed, all is given back');
});

t.test(`${PACKETS.toLocaleString('en')} packets of ten thousand speakers`, async (t) => {
  const liveAtStart = codecLiveBytes();
  const decompressor = new VoiceDecompressor({ clock: () => 0, maxDecoders: SPEAKERS });
  const out = new Int16Array(3 * RATE_HZ);
  const speak = (n: number) => {
    const packet = recording[Math.floor(n / SPEAKERS) % recording.length]!;
    const { result } = decompressor.decompress(from(packet, n % SPEAKERS), RATE_HZ, out);
    if (result !== VoiceResult.VOICE_RESULT_OK) t.fail(`packet ${n}: ${result}`);
  };
  for (let n = 0; n < SPEAKERS; n += 1) speak(n);
  const liveInUse = codecLiveBytes();
  const memoryInUse = codecMemoryBytes();
  for (let n = SPEAKERS; n < PACKETS; n += 1) speak(n);
  t.equal(decompressor.decoders, SPEAKERS);
  t.equal(codecLiveBytes(), liveInUse, 'flat from the second packet of each on');
  t.equal(codecMemoryBytes(), memoryInUse);
  const each = (liveInUse - liveAtStart) / SPEAKERS;
  t.comment(`${each.toFixed(0)} bytes per speaker; memory ${inMebibytes([memoryInUse])} MiB`);
  t.ok(each < 24_000, `${each.toFixed(0)} bytes per speaker`);

  // Speakers beyond the bound push others out, and cost nothing more.
  for (let n = 0; n < 1000; n += 1) decompressor.decompress(from(recording[0]!, SPEAKERS + n), RATE_HZ, out);
  t.equal(decompressor.decoders, SPEAKERS);
  t.ok(codecLiveBytes() - liveInUse < 1000, 'but a little for the list of free places');
  // A speaker who displaces another decodes first, so for a moment there is one more.
  const highWater = codecMemoryBytes();
  t.ok(highWater - memoryInUse <= 2 * WASM_PAGE_BYTES, `${highWater - memoryInUse} bytes for one more`);

  decompressor.free();
  t.equal(codecLiveBytes(), liveAtStart, 'freed, all is given back');
  t.equal(codecMemoryBytes(), highWater, 'but WebAssembly keeps the pages: the high-water mark stays');

  const again = new VoiceDecompressor({ clock: () => 0, maxDecoders: SPEAKERS });
  for (let n = 0; n < SPEAKERS; n += 1) again.decompress(from(recording[0]!, n), RATE_HZ, out);
  t.equal(codecMemoryBytes(), highWater, 'and uses them again');
  again.free();
  t.equal(codecLiveBytes(), liveAtStart);
});

/** A recording of three seconds with losses, DTX and its ending. Played again and again, each begins at sequence 0. */
function record(): Uint8Array[] {
  t.comment(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const encoder = new VoiceEncoder(1n);
  const signal = goldenSignal(150);
  const packets: Uint8Array[] = [];
  const target = new Uint8Array(8192);
  const readAll = () => {
    for (let bytes = encoder.read(target); bytes > 0; bytes = encoder.read(target))
      packets.push(target.slice(0, bytes));
  };
  for (let at = 0; at < signal.length; at += 480) {
    encoder.write(signal.subarray(at, at + 480));
    readAll();
  }
  encoder.end();
  readAll();
  encoder.free();
  return packets.filter((_, n) => n > packets.length - 3 || random.below(20) !== 0);
}

const patched = new Uint8Array(8192);

/** The same packet of another account; valid until the next call. */
function from(packet: Uint8Array, account: number): Uint8Array {
  const bytes = patched.subarray(0, packet.length);
  bytes.set(packet);
  writeU32(bytes, 0, account);
  writeU32(bytes, packet.length - 4, crc32(bytes, 0, packet.length - 4));
  return bytes;
}

function inMebibytes(bytes: readonly number[]): string {
  return bytes.map((value) => (value / 2 ** 20).toFixed(1)).join(' ');
}
