/** Runs `hotmic bench relay`: builds the generator, starts a relay if none is given, measures, and puts everything away. */

import { lookup } from 'node:dns/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildLink, Link } from '../../bench/link/link.js';
import {
  Generator,
  type Progress,
  type TlsFiles,
  timingArguments,
  withCertificate,
} from '../../bench/load/generator.js';
import { type Credential, writePlayers } from '../../bench/load/players.js';
import { newKey } from '../../relay/admission/mint_token.js';
import { HotmicError, messageOf } from '../../voice/error.js';
import { systemReason } from '../../voice/system_reason.js';
import { readKeyFile } from '../token.js';
import { cachedLoad } from './cached_load.js';
import { type OwnRelay, startOwnRelay } from './own_relay.js';
import { type BenchPlan, CUT_AFTER_S, type LinkPlan } from './plan.js';
import type { BenchResult } from './report.js';

/** Packets of a talkspurt: 2.4 s of 60 ms. */
const TALKSPURT_PACKETS = 40;
/** For joining and for the last frames, besides what is asked for. */
const LINK_SPARE_MS = 600_000;

export interface BenchEvents {
  /** A step that takes a while. */
  readonly onStep: (text: string) => void;
  readonly onProgress: (progress: Progress) => void;
}

/** What the generator connects to. */
interface Connectable {
  readonly arguments: Readonly<Record<string, string | number>>;
  /** The relay's process; 0 if it runs elsewhere. */
  readonly pid: number;
  readonly credential: Credential;
  readonly link: Link | null;
  /** What comes before the generator's command. */
  readonly inside: readonly string[];
}

/** Measures. `stop` ends it early, without a result. @throws HotmicError */
export async function runBench(
  plan: BenchPlan,
  events: BenchEvents,
  stop: AbortSignal,
): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'hotmic-bench-'));
  const undo: (() => Promise<void>)[] = [];
  try {
    const compiled = cachedLoad(folder, () => events.onStep('compiling the load generator, once'));
    if (compiled.kind === 'missing') throw cannot(compiled.reason);
    const built = withCertificate(compiled, folder);
    if (built.kind === 'missing') throw cannot(built.reason);
    const isTls = plan.target.kind === 'own' ? plan.target.tls : plan.target.url.protocol === 'wss:';
    if (isTls && built.tls === null) throw cannot(built.withoutTls);
    const peer = await connectable(plan, folder, isTls ? built.tls : null, undo);
    events.onStep('making players');
    const players = await writePlayers(folder, 'bench', plan.crowd, peer.credential);
    stop.throwIfAborted();
    const generator = new Generator(
      [...peer.inside, built.program],
      {
        ...peer.arguments,
        tls: Number(isTls),
        hellos: players.hellos,
        packets: players.frames,
        lobby: plan.crowd.lobbySize,
        ...timingArguments(
          plan.crowd,
          {
            warmUpMs: plan.warmUpSeconds * 1000,
            measureMs: plan.seconds * 1000,
            talkspurtPackets: TALKSPURT_PACKETS,
            seed: plan.options.seed,
          },
          peer.pid,
        ),
        tolerant: 1,
        details: 1,
        ...troubleArguments(plan),
      },
      (progress) => events.onProgress(progress),
    );
    undo.push(() => generator.kill());
    const onStop = () => void generator.kill();
    stop.addEventListener('abort', onStop);
    events.onStep(`${players.connections} people join`);
    await generator.joined.catch(joinFailed(stop));
    if (plan.target.kind === 'own' && plan.target.link && peer.link)
      undo.push(cutLater(peer.link, plan.target.link, plan.warmUpSeconds, generator));
    const { joined, details, round } = await generator.ended.catch((cause: Error) => {
      stop.throwIfAborted();
      throw cannot(cause.message);
    });
    return { plan, joined, details: details!, round, link: peer.link && (await peer.link.counts()) };
  } catch (thrown) {
    if (stop.aborted) throw new HotmicError('ERR_HOTMIC_CLOSED', 'Stopped before there was a result');
    throw thrown;
  } finally {
    for (const step of undo.reverse()) await step();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Our own relay, or the address of the one at a URL. */
async function connectable(
  plan: BenchPlan,
  folder: string,
  tls: TlsFiles | null,
  undo: (() => Promise<void>)[],
): Promise<Connectable> {
  const { target, options } = plan;
  if (target.kind === 'url') {
    const { url } = target;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const { address } = await lookup(host).catch((cause: Error) => {
      throw new HotmicError('ERR_HOTMIC_CONNECT', `Cannot find ${url.hostname}: ${systemReason(cause)}`, {
        cause,
      });
    });
    const isTls = url.protocol === 'wss:';
    return {
      arguments: {
        address,
        port: url.port || (isTls ? 443 : 80),
        host: url.host,
        path: url.pathname + url.search,
        ...(isTls && { verify: host }),
      },
      pid: 0,
      credential: credentialOf(options),
      link: null,
      inside: [],
    };
  }
  const link = target.link ? await openLink(plan, target.link, folder, undo) : null;
  const { privateKey, keySet } = await newKey('EdDSA', 'bench');
  const host = link ? link.addresses.far : '127.0.0.1';
  const relay: OwnRelay = await startOwnRelay(
    { host, keys: keySet, tls, participantsPerLobby: Math.max(64, Math.min(500, plan.crowd.lobbySize)) },
    link ? link.inside('far') : [],
  );
  undo.push(() => relay.close());
  return {
    arguments: { address: host, port: relay.port },
    pid: relay.pid,
    credential: { kind: 'token', key: privateKey, audience: 'hotmic' },
    link,
    inside: link ? link.inside('near') : [],
  };
}

async function openLink(
  plan: BenchPlan,
  { delayMs, jitterMs, lossPercent }: LinkPlan,
  folder: string,
  undo: (() => Promise<void>)[],
): Promise<Link> {
  const program = join(folder, 'link');
  const built = buildLink(program);
  if (built.kind === 'missing')
    throw cannot(`--delay, --jitter, --loss and --cut do not work here: ${built.reason}`);
  const maxMs = (plan.seconds + plan.warmUpSeconds) * 1000 + LINK_SPARE_MS;
  const link = await Link.open({ delayMs, jitterMs, lossPercent, maxMs, seed: plan.options.seed }, program);
  undo.push(() => link.close());
  return link;
}

function credentialOf({ guests, tokenKeyFile, audience }: BenchPlan['options']): Credential {
  if (tokenKeyFile !== undefined) return { kind: 'token', key: readKeyFile(tokenKeyFile), audience };
  return { kind: guests ? 'guest' : 'steam-id' };
}

function troubleArguments({ options, stallingListeners, slowListeners }: BenchPlan) {
  return {
    stalling: stallingListeners,
    stall_least_ms: Math.round(options.stall[0] * 1000),
    stall_most_ms: Math.round(options.stall[1] * 1000),
    slow: slowListeners,
    slow_bytes: options.slowRate,
    leaves_per_s: options.leaves,
    guests: options.guests ? 1 : 0,
  };
}

/** Cuts the link while everyone talks, and heals it. Returns what ends that. */
function cutLater(link: Link, { cutSeconds }: LinkPlan, warmUpSeconds: number, generator: Generator) {
  if (cutSeconds === 0) return async () => undefined;
  let healing: NodeJS.Timeout | undefined;
  const cutting = setTimeout(
    () => {
      void link.cut().catch(() => undefined);
      healing = setTimeout(() => {
        void link.heal().then(
          () => generator.healed(),
          () => undefined,
        );
      }, cutSeconds * 1000);
    },
    (warmUpSeconds + CUT_AFTER_S) * 1000,
  );
  return async () => {
    clearTimeout(cutting);
    clearTimeout(healing);
  };
}

function joinFailed(stop: AbortSignal): (cause: unknown) => never {
  return (cause) => {
    stop.throwIfAborted();
    const text = `Cannot join the relay: ${joinReason(messageOf(cause))}`;
    throw new HotmicError('ERR_HOTMIC_CONNECT', text, { cause });
  };
}

/** The generator's reason for people, and what they can do about it. */
export function joinReason(message: string): string {
  const [, reason = message] = /load: (?:not all joined: connection \d+: )?(.*)$/s.exec(message) ?? [];
  const [, code, said] = /"type":"refused","code":"([a-z-]+)","message":"([^"]*)"/.exec(reason) ?? [];
  return `${code === undefined ? reason.trim() : `${said} (${code})`}${hintFor(reason)}`;
}

function hintFor(reason: string): string {
  if (/HTTP\/1\.1 429|address-full|admission-unavailable/.test(reason))
    return '. All people of this command have one address: raise the limits per address of the tested relay, see docs/load.md';
  if (/relay-full|lobby-full|guests-full/.test(reason)) return '. Raise the limits of the tested relay';
  if (/credential-expected/.test(reason))
    return '. Name the key that signs tokens with --token-key-file, or use --guests if the relay admits them';
  return '';
}

function cannot(reason: string): HotmicError {
  return new HotmicError('ERR_HOTMIC_LOAD', `Cannot measure: ${reason}`);
}
