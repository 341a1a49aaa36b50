/** `hotmic talk`: speaks in a lobby, from a microphone, Steam's or this machine's, a WAV file, raw PCM or a tone. */

import type { Command } from 'commander';
import { monotonicMs } from '../../client/clock.js';
import { joinLobby } from '../../client/lobby/join.js';
import type { Lobby } from '../../client/lobby/lobby.js';
import type { Member } from '../../client/session/lobby_state.js';
import { Publisher } from '../../client/talking/publisher.js';
import { openSteam } from '../../native/open_steam.js';
import { deferred } from '../../voice/deferred.js';
import { HotmicError } from '../../voice/error.js';
import { loadCodec } from '../../wasm/load.js';
import { counted, memberEvents } from '../greeting.js';
import { LineBudget } from '../line_budget.js';
import { endingText, MEMBER, untilStopped } from '../stop_signal.js';
import { keyHelp, openTalkKeys } from './keys.js';
import { inputOf, modeOf, styleOf, type TalkOptions, type TalkStyle, talkOptions } from './options.js';
import { type OpenMicrophone, openCapture, openMicrophone, type TalkSource } from './source.js';
import { TalkStatus } from './status.js';
import { releaseWhileSuspended, type TalkKey } from './suspension.js';

const STEAM_NOTE = `
Steam's own microphone (--steam) is processed by Steam: its settings for device,
level and noise apply, and Hotmic leaves that sound as it is.
`;

export function talkCommand(): Command {
  return talkOptions()
    .addHelpText('after', STEAM_NOTE + endingText(MEMBER))
    .action((url: string, options: TalkOptions) => untilStopped((stop) => talk(url, options, stop), MEMBER));
}

async function talk(url: string, options: TalkOptions, stop: AbortSignal): Promise<void> {
  // Before anything is opened.
  inputOf(options);
  const style = styleOf(options);
  const hasKeys = process.stdin.isTTY && (options.pushToTalk || isMicrophone(options));
  if (options.pushToTalk && !hasKeys) {
    const message =
      'Cannot use --push-to-talk: standard input is not a terminal. To speak from a pipe, use --pcm <(arecord …)';
    throw new HotmicError('ERR_HOTMIC_USAGE', message);
  }
  const end = deferred<HotmicError | null>();
  const sayEnd = (error: HotmicError | null) => end.resolve(error);
  stop.addEventListener('abort', () => sayEnd(null));
  let lostWith: HotmicError | null = null;

  using steam = options.steam === undefined ? null : openSteam({ embedded: 'never', appId: options.steam });
  let control: TalkControl | null = null;
  const microphone =
    options.mic === undefined
      ? null
      : await openMicrophone(options, {
          onLost: (reason) => control?.lost(reason),
          onBack: () => control?.back(),
        });
  const sourceOf = async (steamId: bigint): Promise<TalkSource> =>
    microphone ? microphone.encode(steamId) : await openCapture(options, steam, steamId, sayEnd);
  const ownId = steam?.user.getSteamID() ?? options.steamId;
  let source: TalkSource | null = null;
  let lobby: Lobby | null = null;
  const output = process.stderr;
  const status = new TalkStatus({
    output,
    now: monotonicMs,
    keys: hasKeys ? keyHelp(style) : 'Ctrl-C ends',
    level: microphone && (() => microphone.device.rmsDb),
  });
  try {
    // With a known SteamID, the input is opened before joining, so that a missing one is reported first.
    if (ownId !== undefined) source = await sourceOf(ownId);
    if (microphone) status.print(`Microphone: ${microphone.label}.`);
    const member = memberEvents(options, new LineBudget(monotonicMs), status.print);
    const entered = deferredEntry(options);
    const { steamId: _, ...others } = options;
    lobby = await joinLobby({
      url,
      ...others,
      ...(ownId === undefined ? {} : { steamId: ownId }),
      signal: stop,
      events: {
        ...member,
        onYouChanged: entered.onYouChanged,
        onFailed: entered.onFailed,
        onEnded: (error) => {
          lostWith = error;
          sayEnd(error);
          entered.onEnded();
        },
      },
    });
    source ??= await sourceOf(lobby.you.steamId);
    await Promise.race([entered.done, end.promise]);
    const [channel] = options.channel;
    if (style === 'voice-activation') loadCodec();
    const { voiceActivation } = options;
    const publisher = new Publisher({
      capture: source,
      publish: lobby.publish,
      target: channel === undefined ? 'lobby' : { channel },
      mode: modeOf(style),
      muted: options.muted ?? false,
      ...(typeof voiceActivation === 'number' && { voiceActivation: { thresholdDb: voiceActivation } }),
      onLive: () => control?.show(),
    });
    control = new TalkControl(publisher, style, isMicrophone(options) || hasKeys ? status : null);
    if (options.seconds !== undefined) setTimeout(() => sayEnd(null), options.seconds * 1000).unref();

    const { key } = control;
    const closeKeys = hasKeys
      ? openTalkKeys({
          key,
          style,
          onMute: () => control?.toggleMute(),
          onQuit: () => sayEnd(null),
          onPause: () => status.pause(),
          onResume: () => status.resume(),
        })
      : releaseWhileSuspended(key);
    if (style === 'open') key.press();
    control.show();
    const error = await end.promise;
    closeKeys();
    if (error) throw error;
    await key.release();
    // The connection may also break during the tail.
    if (lostWith) throw lostWith;
    status.end();
    console.error(sentText(publisher, microphone));
  } finally {
    status.end();
    microphone?.device.close();
    await Promise.resolve(source?.close()).catch(() => undefined);
    await lobby?.leave();
  }
}

/** Whether somebody speaks into it, so that it matters when it is live. */
function isMicrophone({ mic, steam, voiceActivation }: TalkOptions): boolean {
  return mic !== undefined || steam !== undefined || voiceActivation !== undefined;
}

function sentText(publisher: Publisher, microphone: OpenMicrophone | null): string {
  const { packets, talkspurts, refused, discarded, unsent } = publisher.counts();
  const sent = `${counted(packets - unsent, 'voice packet')} in ${counted(talkspurts, 'talkspurt')}`;
  const late = microphone?.device.lateSamples ?? 0;
  const lateText = late === 0 ? '' : ` The microphone was ${Math.ceil(late / 24)} ms too late.`;
  return `Sent ${sent}; ${refused + discarded + unsent} dropped as too late.${lateText}`;
}

/** The publisher with its key, mute and status. */
class TalkControl {
  readonly key: TalkKey;
  readonly #publisher: Publisher;
  readonly #style: TalkStyle;
  readonly #status: TalkStatus | null;
  #device: 'here' | 'lost' = 'here';
  /** By the person; the key of voice activation mutes, too. */
  #isMuted: boolean;

  constructor(publisher: Publisher, style: TalkStyle, status: TalkStatus | null) {
    this.#publisher = publisher;
    this.#style = style;
    this.#status = status;
    this.#isMuted = publisher.isMuted;
    this.key = style === 'voice-activation' ? this.#voiceKey() : publisher;
  }

  show(): void {
    if (this.#device === 'lost') this.#status?.set('lost');
    else if (this.#isMuted) this.#status?.set('muted');
    else this.#status?.set(this.#publisher.isLive ? 'live' : 'off');
  }

  toggleMute(): void {
    this.#isMuted = !this.#isMuted;
    if (this.#isMuted) this.#publisher.mute();
    else if (this.#device === 'here') this.#publisher.unmute();
    this.show();
  }

  lost(reason: string): void {
    this.#device = 'lost';
    void this.key.release();
    this.#status?.print(`The microphone is gone: ${reason}. Waiting for it.`);
    this.show();
  }

  back(): void {
    this.#device = 'here';
    this.#status?.print('The microphone is back.');
    if (!this.#isMuted) this.#publisher.unmute();
    if (this.#style === 'open' || this.#style === 'voice-activation') this.key.press();
    this.show();
  }

  /** Voice activation as a key that is always down: it comes up around suspensions, and at the end. Nothing quiet is sent as its tail. */
  #voiceKey(): TalkKey {
    return {
      press: () => {
        if (!this.#isMuted) this.#publisher.unmute();
      },
      release: async () => this.#publisher.mute(),
    };
  }
}

/** Resolves when we are in the channel to speak to, if there is one. */
function deferredEntry({ channel: [channel] }: TalkOptions) {
  const { promise: done, resolve, reject } = deferred<void>();
  // If we do not get that far, `ended` reports why.
  done.catch(() => undefined);
  if (channel === undefined) resolve();
  return {
    done,
    onYouChanged: ({ channels }: Member) => {
      if (channel !== undefined && channels.includes(channel)) resolve();
    },
    onFailed: (code: string, message: string) =>
      reject(new HotmicError('ERR_HOTMIC_REFUSED', `Cannot enter the channel (${code}): ${message}`)),
    onEnded: () => resolve(),
  };
}
