/**
 * Processor time of each call on a stream with bursts: a frame decoded, one concealed first and later in a burst, and the first decoded
 * after a burst. Subjects take turns, round after round. The clock stops while another process has the core; reading it costs a microsecond.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { buildNative } from '../../test/kit/opus/native_opus.js';
import { FRAME_SAMPLES, VOICE_RATE_HZ } from '../../voice/units.js';
import { stepsOf } from '../codec/subject.js';
import { type Row, row } from '../result.js';
import { DEEP_COMPLEXITY, type PlcModule } from './module.js';

export const ROUNDS = 7;
const PASSES = 4;
const PERIOD_FRAMES = 25;
const BURST_FRAMES = 10;

const NOTHING = new Uint8Array(0);

/** The calls that are told apart. */
export const CALLS = ['decoded', 'concealed, first', 'concealed, later', 'decoded after a burst'] as const;
type Call = (typeof CALLS)[number];

export interface TimedSubject {
  readonly name: string;
  /** Microseconds of each frame of `stream`, over some passes. */
  measure(stream: readonly Uint8Array[]): number[][];
}

export function moduleSubject(name: string, module: PlcModule, plc: 'deep' | 'classic'): TimedSubject {
  return {
    name,
    measure(stream) {
      return Array.from({ length: PASSES }, () => {
        const decoder = module.open(VOICE_RATE_HZ, plc);
        const times = stream.map((packet) => {
          decoder.stage(packet);
          const start = process.cpuUsage();
          if (packet.length > 0) decoder.decode(packet.length);
          else decoder.conceal(FRAME_SAMPLES);
          const { user, system } = process.cpuUsage(start);
          return user + system;
        });
        decoder.free();
        return times;
      });
    },
  };
}

/** Native libopus with deep PLC, or why it is not available. */
export async function nativeSubject(): Promise<{ subject: TimedSubject; about: string } | string> {
  const built = await buildNative({ program: 'bench/plc/native_plc.c', variant: 'dispatch', deepPlc: true });
  if (built.kind === 'skipped') return built.reason;
  const file = 'out/bench/plc/stream.steps';
  mkdirSync('out/bench/plc', { recursive: true });
  return {
    about: `${built.version}, -O3, SIMD: ${built.simd}, ${built.compiler}`,
    subject: {
      name: 'native, deep',
      measure(stream) {
        writeFileSync(file, stepsOf(stream));
        const args = [VOICE_RATE_HZ, DEEP_COMPLEXITY, PASSES, file].map(String);
        const output = execFileSync(built.path, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
        const passes = output.trim().split('\n').slice(1);
        return passes.map((line) =>
          line
            .trim()
            .split(' ')
            .map((ns) => Number(ns) / 1000),
        );
      },
    },
  };
}

/** The packets with bursts of 200 ms cut out: a lost one is empty. */
export function burstStream(packets: readonly Uint8Array[]): Uint8Array[] {
  return packets.map((packet, at) => (isLost(at) ? NOTHING : packet));
}

function isLost(at: number): boolean {
  return at % PERIOD_FRAMES >= PERIOD_FRAMES - BURST_FRAMES;
}

function callOf(at: number): Call {
  const isAfterLoss = at > 0 && isLost(at - 1);
  if (isLost(at)) return isAfterLoss ? 'concealed, later' : 'concealed, first';
  return isAfterLoss ? 'decoded after a burst' : 'decoded';
}

/** Rows of the median and the 99th percentile, one value per round. */
export function timing(subjects: readonly TimedSubject[], stream: readonly Uint8Array[]): Row[] {
  const rounds = subjects.map((): Map<Call, number[]>[] => []);
  // The first round is not counted: it compiles and warms up.
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, subject] of subjects.entries()) {
      const times = new Map(CALLS.map((call): [Call, number[]] => [call, []]));
      for (const pass of subject.measure(stream)) {
        for (const [at, microseconds] of pass.entries()) times.get(callOf(at))!.push(microseconds);
      }
      for (const own of times.values()) own.sort((a, b) => a - b);
      if (round >= 0) rounds[index]!.push(times);
    }
  }
  const quantile = (sorted: readonly number[], share: number) => sorted[Math.floor(share * sorted.length)]!;
  return subjects.flatMap(({ name }, index) =>
    CALLS.flatMap((call) => [
      row(
        name,
        call,
        'p50',
        'µs',
        rounds[index]!.map((times) => quantile(times.get(call)!, 0.5)),
      ),
      row(
        name,
        call,
        'p99',
        'µs',
        rounds[index]!.map((times) => quantile(times.get(call)!, 0.99)),
      ),
    ]),
  );
}
