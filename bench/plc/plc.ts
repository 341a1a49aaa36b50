/**
 * A trial of libopus' deep PLC, which is not part of Hotmic: size, processor time and quality against the concealment that is shipped. It
 * needs the toolchain of the codec (`sh wasm/toolchain.sh`), cargo and a C compiler, and takes a quarter of an hour.
 */

import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { loadCodec } from '../../wasm/load.js';
import { installQuality, PACKAGES, type SoundPair, scoresOf } from '../playout/quality.js';
import { type Row, row, type Trial } from '../result.js';
import { buildTrial, modulePath, VARIANTS, WEIGHTS } from './build.js';
import { heard, LOSSES, type Losses, lostFrames } from './losses.js';
import { PlcModule } from './module.js';
import { packetsOf, type Talker, talkers } from './speech.js';
import { burstStream, moduleSubject, nativeSubject, type TimedSubject, timing } from './timing.js';

const SHIPPED = 'wasm/pkg/hotmic_wasm_bg.wasm';
export const SEEDS = [1, 2, 3, 4, 5];

/** Without in-band FEC, and with it as libopus plans it for the losses that are to come. */
const FEC = [
  { name: 'no FEC', fec: false, options: {} },
  { name: 'FEC', fec: true, options: { inbandFec: true, expectedLossPercent: 10 } },
] as const;

/** One talkspurt with one pattern of losses, by both ways of concealment. */
export interface Scored {
  readonly talker: string;
  readonly kind: Talker['kind'];
  readonly fec: (typeof FEC)[number]['name'];
  readonly losses: string;
  readonly seed: number;
  readonly lostFrames: number;
  /** Of them, those that FEC repaired. */
  readonly repairedFrames: number;
  readonly classic: { readonly pesq: number; readonly stoi: number };
  readonly deep: { readonly pesq: number; readonly stoi: number };
}

export interface Raw {
  readonly scored: readonly Scored[];
}

export const plc: Trial = {
  name: 'plc',
  about: 'deep PLC against classic concealment, 24 kHz mono, frames of 20 ms, 32 kbit/s',
  async run() {
    loadCodec();
    const missing = await buildTrial();
    if (missing !== null) return { rows: [], void: `cannot build deep PLC: ${missing}` };
    const skipped: string[] = [];
    const noQuality = installQuality();
    if (noQuality !== null) skipped.push(`PESQ and STOI: ${noQuality}`);
    const speech = talkers();
    if (speech.missing !== null) skipped.push(`human speech: ${speech.missing}`);
    const native = await nativeSubject();
    if (typeof native === 'string') skipped.push(`native libopus: ${native}`);

    const module = (path: string) => new PlcModule(readFileSync(path));
    const shipped = module(SHIPPED);
    const inside = module(modulePath(VARIANTS.inside));
    const file = new PlcModule(readFileSync(modulePath(VARIANTS.file)), readFileSync(WEIGHTS));
    const generic = module(modulePath(VARIANTS.generic));
    const subjects: TimedSubject[] = [
      moduleSubject('shipped', shipped, 'classic'),
      moduleSubject('trial, classic', inside, 'classic'),
      moduleSubject('deep, weights inside', inside, 'deep'),
      moduleSubject('deep, weights from a file', file, 'deep'),
      moduleSubject('deep, generic kernels', generic, 'deep'),
      ...(typeof native === 'string' ? [] : [native.subject]),
    ];
    const { talkers: all } = speech;
    const stream = burstStream(packetsOf(all[0]!.pcm, {}));
    const faults = faultsOf(packetsOf(all[0]!.pcm, {}), inside, { file, generic });
    const rows = [...sizes({ shipped, inside, file }), ...timing(subjects, stream)];
    console.log('sizes and times: done');
    const scored = noQuality === null ? LOSSES.flatMap((losses) => score(losses, all, shipped, inside)) : [];
    return {
      rows: [...rows, ...qualityRows(scored)],
      void: faults.length > 0 ? faults.join('; ') : null,
      skipped,
      versions: {
        speech: speech.source,
        seeds: SEEDS.join(', '),
        ...(typeof native === 'string' ? {} : { 'native libopus': native.about }),
        ...(noQuality === null ? { quality: PACKAGES.join(', ').replaceAll('==', ' ') } : {}),
      },
      raw: { scored } satisfies Raw,
    };
  },
};

/** All trial builds must conceal the same: the kernels are faster, not other ones, and so are the weights. */
function faultsOf(
  packets: readonly Uint8Array[],
  inside: PlcModule,
  others: Readonly<Record<string, PlcModule>>,
): string[] {
  const lost = lostFrames(LOSSES.at(-1)!, packets.length, 1);
  const sound = (module: PlcModule) => heard(module, packets, lost, { plc: 'deep', fec: false });
  const expected = sound(inside);
  return Object.entries(others)
    .filter(([, module]) => sound(module).some((sample, at) => sample !== expected[at]))
    .map(([name]) => `the build "${name}" conceals differently`);
}

/** Files as they are and compressed, and the memory of a decoder. */
function sizes(modules: {
  readonly shipped: PlcModule;
  readonly inside: PlcModule;
  readonly file: PlcModule;
}): Row[] {
  const files = [
    ['shipped', SHIPPED],
    ['deep, weights inside', modulePath(VARIANTS.inside)],
    ['deep, weights from a file', modulePath(VARIANTS.file)],
    ['the file of weights', WEIGHTS],
  ] as const;
  const decoders = [
    ['shipped', modules.shipped],
    ['deep, weights inside', modules.inside],
    ['deep, weights from a file', modules.file],
  ] as const;
  return [
    ...files.flatMap(([name, path]) => {
      const bytes = readFileSync(path);
      return [
        row(name, 'size', 'raw', 'bytes', [bytes.length]),
        row(name, 'size', 'gzip', 'bytes', [gzipSync(bytes, { level: 9 }).length]),
        row(name, 'size', 'brotli', 'bytes', [brotliCompressSync(bytes).length]),
      ];
    }),
    ...decoders.map(([name, module]) =>
      row(name, 'a decoder', 'memory', 'bytes', [module.decoderBytes(24_000)]),
    ),
  ];
}

/** Every talker with every seed, without FEC and with it. */
function score(losses: Losses, all: readonly Talker[], shipped: PlcModule, deep: PlcModule): Scored[] {
  const runs: Omit<Scored, 'classic' | 'deep'>[] = [];
  const pairs: SoundPair[] = [];
  for (const { name, fec, options } of FEC) {
    for (const { name: talker, kind, pcm } of all) {
      const packets = packetsOf(pcm, options);
      const clean = heard(shipped, packets, new Uint8Array(packets.length), { plc: 'classic', fec });
      for (const seed of SEEDS) {
        const lost = lostFrames(losses, packets.length, seed);
        const classic = heard(shipped, packets, lost, { plc: 'classic', fec });
        pairs.push([clean, classic], [clean, heard(deep, packets, lost, { plc: 'deep', fec })]);
        const lostCount = lost.reduce((sum, isLost) => sum + isLost, 0);
        const repairedFrames = fec ? repairable(packets, lost) : 0;
        runs.push({
          talker,
          kind,
          fec: name,
          losses: losses.name,
          seed,
          lostFrames: lostCount,
          repairedFrames,
        });
      }
    }
  }
  const scores = scoresOf(pairs);
  console.log(`${losses.name}: done`);
  return runs.map((run, at) => ({ ...run, classic: scores[2 * at]!, deep: scores[2 * at + 1]! }));
}

/** How many lost frames are repeated by the next packet, which arrived. */
function repairable(packets: readonly Uint8Array[], lost: Uint8Array): number {
  return packets.filter((packet, at) => at > 0 && lost[at - 1] === 1 && lost[at] === 0 && hasFec(packet))
    .length;
}

/** Of a mono packet of one frame of 20 ms: RFC 6716, 4.2.3. */
function hasFec(packet: Uint8Array): boolean {
  const isCelt = (packet[0]! & 0x80) !== 0;
  return !isCelt && packet.length > 1 && (packet[1]! & 0x40) !== 0;
}

function qualityRows(scored: readonly Scored[]): Row[] {
  return FEC.flatMap(({ name: fec }) =>
    LOSSES.flatMap(({ name: losses }) => {
      const own = scored.filter((one) => one.fec === fec && one.losses === losses);
      if (own.length === 0) return [];
      const it = `${losses}, ${fec}`;
      return (['pesq', 'stoi'] as const).flatMap((metric) => [
        row(
          'classic',
          it,
          metric,
          '',
          own.map(({ classic }) => classic[metric]),
        ),
        row(
          'deep',
          it,
          metric,
          '',
          own.map(({ deep }) => deep[metric]),
        ),
        row(
          'deep - classic',
          it,
          metric,
          '',
          own.map((one) => one.deep[metric] - one.classic[metric]),
        ),
      ]);
    }),
  );
}
