/**
 * A call: the lobby's worker and the page's sound, from joining until leaving. It holds what the page shows, and tells `onChange` of each change.
 */

import { type MicrophoneFault, Sound } from '../sound/sound.js';
import type {
  Failure,
  FromWorker,
  Levels,
  LobbySnapshot,
  NetworkSample,
  ToWorker,
} from '../worker/messages.js';
import { type Invitation, relayUrl } from './link.js';
import { ownSteamId, type Preferences } from './preferences.js';

/** URLs, which the build fills in. */
export interface PageAssets {
  /** Where its WebSocket is, and who can join without a token: see relay/port/page/site.ts. */
  readonly relay: { readonly path: string; readonly entry: 'anyone' | 'guests' | 'listeners' | 'tokens' };
  readonly worker: string;
  readonly worklets: string;
  readonly codec: string;
  readonly processing: string;
}

/** Something to say once. */
export type Notice = 'resumed' | 'draining' | 'moving' | 'behind' | 'slept' | 'notDone' | 'limitReached';

export interface CallState {
  readonly phase: 'joining' | 'in' | 'over';
  readonly lobby: LobbySnapshot | null;
  readonly failure: Failure | null;
  readonly levels: Levels;
  /** Of our microphone, in dBFS. */
  readonly mine: number;
  readonly network: readonly NetworkSample[];
  readonly sound: 'running' | 'waiting';
  readonly microphone: 'opening' | 'open' | MicrophoneFault;
  readonly notice: Notice | null;
}

/** Two minutes. */
const MAX_SAMPLES = 120;
const NOTICE_MS = 6000;
/** A page that did not run for so long was asleep. */
const ASLEEP_MS = 20_000;
const LOOK_EVERY_MS = 2000;

const BEGIN: CallState = {
  ...{ phase: 'joining', lobby: null, failure: null, levels: {}, mine: -96, network: [], sound: 'running' },
  ...{ microphone: 'opening', notice: null },
};

export class Call {
  readonly #worker: Worker;
  readonly #sound: Sound;
  readonly #onChange: (state: CallState) => void;
  readonly #timers: number[] = [];
  #state: CallState = BEGIN;
  #preferences: Preferences;
  #noticeTimer = 0;
  #lookedAt = performance.now();

  constructor(
    assets: PageAssets,
    invitation: Invitation,
    preferences: Preferences,
    handlers: {
      readonly onChange: (state: CallState) => void;
      readonly onBlocked: (steamIds: readonly string[]) => void;
      readonly onDevices: () => void;
    },
  ) {
    this.#preferences = preferences;
    this.#onChange = handlers.onChange;
    this.#worker = new Worker(assets.worker, { type: 'module' });
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === 'blocked') handlers.onBlocked(data.steamIds);
      this.#heard(data);
    };
    this.#worker.onerror = ({ message }) => this.#over({ code: 'ERR_HOTMIC', message });
    this.#sound = new Sound(assets, {
      onOutput: (pipe, rateHz) => this.#tell({ kind: 'output', pipe, rateHz }, [pipe.port]),
      onMicrophone: (order, fault) => {
        this.#tell({ kind: 'microphone', order }, order ? [order.pipe.port] : []);
        this.#show({ microphone: order ? 'open' : (fault ?? 'opening') });
        handlers.onDevices();
      },
      onState: (sound) => this.#show({ sound }),
      onDevices: () => {
        handlers.onDevices();
        if (this.#state.microphone === 'unplugged' || this.#state.microphone === 'missing')
          this.#openMicrophone();
      },
    });
    this.#timers.push(window.setInterval(() => this.#look(), LOOK_EVERY_MS));
    void this.#join(assets, invitation);
  }

  get state(): CallState {
    return this.#state;
  }

  get canChooseOutput(): boolean {
    return this.#sound.canChooseOutput;
  }

  /** What the player does in the lobby. */
  do(message: Exclude<ToWorker, { kind: 'join' | 'output' | 'microphone' }>): void {
    this.#tell(message);
  }

  /** From a click. */
  resumeSound(): void {
    void this.#sound.resume();
  }

  hearYourself(isOn: boolean): void {
    this.#sound.hearYourself(isOn);
  }

  /** Applies what changed. */
  prefer(preferences: Preferences): void {
    const before = this.#preferences;
    this.#preferences = preferences;
    const microphone = [
      'inputId',
      'echoCancellation',
      'noiseSuppression',
      'autoGainControl',
      'strongNoise',
    ] as const;
    if (microphone.some((name) => before[name] !== preferences[name])) this.#openMicrophone();
    if (before.outputId !== preferences.outputId) void this.#sound.setOutput(preferences.outputId);
    if (before.talkMode !== preferences.talkMode)
      this.#tell({ kind: 'talk-mode', mode: preferences.talkMode });
  }

  /** Leaves the lobby, and frees everything. */
  leave(): void {
    this.#tell({ kind: 'leave' });
    this.#over(null);
  }

  async #join(assets: PageAssets, { lobby, name, token }: Invitation): Promise<void> {
    const { talkMode, blocked, outputId } = this.#preferences;
    try {
      await this.#sound.start();
    } catch (thrown) {
      this.#over({ code: 'ERR_HOTMIC', message: String(thrown) });
      return;
    }
    if (outputId !== '') await this.#sound.setOutput(outputId);
    const order = {
      ...{
        url: relayUrl(location.href, assets.relay.path),
        lobby,
        name,
        token,
        talkMode,
        blocked,
      },
      steamId: token === null && assets.relay.entry === 'anyone' ? ownSteamId() : null,
      codecUrl: new URL(assets.codec, location.href).href,
      rateHz: this.#sound.rateHz,
    };
    this.#tell({ kind: 'join', order });
  }

  #openMicrophone(): void {
    this.#show({ microphone: 'opening' });
    void this.#sound.openMicrophone(this.#preferences);
  }

  #heard(message: FromWorker): void {
    switch (message.kind) {
      case 'lobby':
        this.#lobby(message.lobby);
        break;
      case 'levels':
        this.#show({ levels: message.levels, mine: message.mine });
        break;
      case 'network':
        this.#show({ network: [...this.#state.network, message.sample].slice(-MAX_SAMPLES) });
        break;
      case 'microphone-lost':
        this.#show({ microphone: 'unplugged' });
        break;
      case 'caught-up':
        this.#notice('behind');
        break;
      case 'draining':
        this.#notice(message.moves ? 'moving' : 'draining');
        break;
      case 'failed':
        this.#notice(message.code === 'rate-exceeded' ? 'limitReached' : 'notDone');
        break;
      case 'not-joined':
      case 'ended':
        this.#over(message.failure);
    }
  }

  #lobby(lobby: LobbySnapshot): void {
    const before = this.#state.lobby;
    this.#show({ lobby, ...(this.#state.phase === 'joining' && { phase: 'in' as const }) });
    if (!before && lobby.maySpeak) this.#openMicrophone();
    if (before?.state === 'reconnecting' && lobby.state === 'joined') this.#notice('resumed');
  }

  /** Whether the page, and perhaps the machine, stood still. */
  #look(): void {
    const now = performance.now();
    const stoodMs = now - this.#lookedAt;
    this.#lookedAt = now;
    // A hidden page's timers come rarely.
    if (stoodMs < ASLEEP_MS + LOOK_EVERY_MS || document.visibilityState === 'hidden') return;
    void this.#sound.resume();
    this.#notice('slept');
  }

  #notice(notice: Notice): void {
    window.clearTimeout(this.#noticeTimer);
    this.#show({ notice });
    this.#noticeTimer = window.setTimeout(() => this.#show({ notice: null }), NOTICE_MS);
  }

  #over(failure: Failure | null): void {
    if (this.#state.phase === 'over') return;
    for (const timer of this.#timers) window.clearInterval(timer);
    window.clearTimeout(this.#noticeTimer);
    this.#show({ phase: 'over', failure, notice: null });
    void this.#sound.close();
    // It says goodbye to the relay first.
    window.setTimeout(() => this.#worker.terminate(), 1000);
  }

  #tell(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #show(change: Partial<CallState>): void {
    if (this.#state.phase === 'over') return;
    this.#state = { ...this.#state, ...change };
    this.#onChange(this.#state);
  }
}
