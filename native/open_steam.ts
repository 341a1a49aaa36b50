/**
 * openSteam: the real Steam if there is one, the embedded one where the game asks for it, and a report of which it is and why.
 */

import type { Milliseconds } from '../voice/units.js';
import { defaultEmbedded, thisApplication, withoutEmbedded } from './application.js';
import { embeddedSteam, realSteam } from './capture/capture.js';
import { Microphone, REAL_MICROPHONE } from './capture/microphone.js';
import { monotonicMs } from './clock.js';
import { type EmbeddedRim, EmbeddedSteam, type EmbeddedSteamOptions } from './embedded/steam.js';
import { inputFromKeyDown } from './embedded/voice_input.js';
import { explainFailure, isMistake, type SteamFailure, SteamOpenError } from './real/failure.js';
import { STEAM_LIBRARY_VARIABLE } from './real/library_path.js';
import { openRealSteam } from './real/open.js';
import { Steam } from './steam.js';
import type { SteamParts, SteamReport } from './steam_parts.js';

/** How to open Steam. */
export interface OpenSteamOptions {
  /**
   * Whether to use the embedded Steam: `never`, `fallback` (only when the real one cannot be opened) or `always`. It authenticates
   * anyone, so the default is `fallback` in development only: in a checkout, with NODE_ENV `development` or `test`, and in Electron
   * that is not packaged. Otherwise the default is `never`. A fallback prints one warning. A library that was named but does not
   * exist is an error with `fallback`, too.
   */
  readonly embedded?: 'never' | 'fallback' | 'always';
  /**
   * The game's app id, 1 to 4294967295. Default: what Steam started the game with, or steam_appid.txt in the working
   * directory. It is set in the process's environment, so open Steam before you start threads of your own.
   */
  readonly appId?: number;
  /** The file of libsteam_api. Default: HOTMIC_STEAM_LIBRARY, then beside the application. */
  readonly library?: string;
  /** Options for the embedded Steam, where that is used. Its `appId` defaults to the one above. */
  readonly embeddedOptions?: EmbeddedSteamOptions;
  /** What the embedded Steam gets from outside: its clocks, and the world that it shares with others. For tests. */
  readonly embeddedRim?: EmbeddedRim;
  /**
   * How often a timer runs the callbacks, in ms, 1 to 1000. Default 16. 0: no timer; call `runCallbacks` every game frame. The timer
   * keeps the process alive only while a promise waits for Steam; listeners of `user` do not.
   */
  readonly frameMs?: Milliseconds;
}

/**
 * Opens Steam for this thread. The first thread of a process that runs callbacks gets them; other threads may call and record.
 *
 * @throws SteamOpenError (ERR_HOTMIC_STEAM) when the real Steam cannot be opened and the embedded one may not be used instead. It
 * says which stage failed, quotes Steam's own text, and says what to do. HotmicError ERR_HOTMIC_BUNDLED when a bundler has included
 * this package. TypeError or RangeError for wrong options.
 */
export function openSteam(options: OpenSteamOptions = {}): Steam {
  const application = thisApplication();
  const {
    embedded = defaultEmbedded(application),
    frameMs = 16,
    appId,
    library,
    embeddedOptions,
    embeddedRim,
    ...unknown
  } = options;
  for (const name of Object.keys(unknown)) {
    const wanted = 'expected one of embedded, appId, library, embeddedOptions, embeddedRim, frameMs';
    throw new TypeError(`Cannot open Steam: unknown option "${name}", ${wanted}`);
  }
  if (!['never', 'fallback', 'always'].includes(embedded)) {
    throw new TypeError(`Cannot open Steam: embedded is ${embedded}, expected never, fallback or always`);
  }
  if (appId !== undefined && !(Number.isInteger(appId) && appId >= 1 && appId <= 0xffff_ffff)) {
    throw new RangeError(`Cannot open Steam: appId is ${appId}, expected 1 to 4294967295`);
  }
  if (!(frameMs === 0 || (frameMs >= 1 && frameMs <= 1000))) {
    throw new RangeError(`Cannot open Steam: frameMs is ${frameMs}, expected 0, or 1 to 1000`);
  }

  let failure: SteamFailure | null = null;
  if (embedded !== 'always') {
    const opened = openRealSteam({
      ...(appId === undefined ? {} : { appId }),
      ...(library === undefined ? {} : { library }),
    });
    if (opened.kind === 'open') {
      const { steam, library: file, interfaceVersion } = opened;
      const why = `the real Steam: ${interfaceVersion} by ${file}`;
      const capture = realSteam({ library: file });
      return run(
        {
          steam,
          capture,
          microphone: REAL_MICROPHONE,
          report: { kind: 'real', why, failure: null, library: file, interfaceVersion },
        },
        frameMs,
      );
    }
    failure = { stage: opened.stage, code: opened.code, text: opened.text, library: opened.library };
    const named = library !== undefined || (process.env[STEAM_LIBRARY_VARIABLE] ?? '') !== '';
    if (embedded === 'never' || isMistake(failure, named ? 'named' : 'searched')) {
      const isDefault = embedded === 'never' && options.embedded === undefined;
      throw new SteamOpenError(failure, isDefault ? withoutEmbedded(application) : null);
    }
    warnOnce(failure);
  }
  const steamOptions = { ...(appId === undefined ? {} : { appId }), ...embeddedOptions };
  // The capture opens a second embedded Steam; this one leaves the pipe to it until its own key-down.
  const { input } = steamOptions;
  const late = input?.kind === 'pcm' ? { input: inputFromKeyDown(input) } : {};
  const steam = new EmbeddedSteam(steamOptions, { ...late, ...embeddedRim });
  const why = failure
    ? `the embedded Steam, because the real one cannot be opened: ${explainFailure(failure)}`
    : 'the embedded Steam, as asked for';
  const report: SteamReport = { kind: 'embedded', why, failure, library: null, interfaceVersion: null };
  const microphone = new Microphone();
  const capture = { ...embeddedSteam(steamOptions), microphone };
  return run({ steam, embedded: steam, report, capture, microphone }, frameMs);
}

let hasWarned = false;

/** On stderr, as a warning of Node's, so that `process.on('warning')` and --no-warnings work. Once per thread. */
function warnOnce(failure: SteamFailure): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    `Steam could not be opened, so the embedded Steam is used: ${explainFailure(failure)}`,
    {
      type: 'HotmicWarning',
      code: 'HOTMIC_EMBEDDED_STEAM',
      detail:
        'The embedded Steam authenticates anyone. Set embedded to "always" to use it without a warning, or to "never" to get an error instead.',
    },
  );
}

/** Connects a Steam to the clock, and its callbacks to a timer. */
function run(
  parts: Pick<SteamParts, 'steam' | 'embedded' | 'report' | 'capture' | 'microphone'>,
  frameMs: Milliseconds,
): Steam {
  if (frameMs === 0) return new Steam({ ...parts, clock: monotonicMs });
  const timer = setInterval(() => steam.runCallbacks(), frameMs).unref();
  const steam = new Steam({
    ...parts,
    clock: monotonicMs,
    onPending: (pending) => (pending > 0 ? timer.ref() : timer.unref()),
    onClosed: () => clearInterval(timer),
  });
  return steam;
}
