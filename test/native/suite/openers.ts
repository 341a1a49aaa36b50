/** Opens each of the three Steams on the bench, or says what is missing for it. */

import { EmbeddedSteam } from '../../../native/embedded/steam.js';
import { openRealSteam } from '../../../native/real/open.js';
import { Steam } from '../../../native/steam.js';
import { type AddonSteam, type AddonSteams, addonSteams } from '../real/addon_steams.js';
import type { SteamBench } from './bench.js';

export type SteamUnderTest = 'embedded' | 'stand-in' | 'real library';

type Opener = () => SteamBench;

/** Makes an opener, or says why it cannot. */
export const openers: Readonly<Record<SteamUnderTest, () => Promise<Opener | string>>> = {
  embedded: async () => openEmbedded,
  'stand-in': async () => {
    const steams = await steamsOrReason();
    return typeof steams === 'string' ? steams : () => openByAddon(steams.newest);
  },
  'real library': async () => {
    const steams = await steamsOrReason();
    if (typeof steams === 'string') return steams;
    const { real } = steams;
    return real === null ? 'the real library does not run here' : () => openByAddon(real);
  },
};

async function steamsOrReason(): Promise<AddonSteams | string> {
  const steams = await addonSteams();
  if (typeof steams !== 'string') process.on('exit', () => steams.remove());
  return steams;
}

function openEmbedded(): SteamBench {
  let nowMs = 1000;
  const clock = () => nowMs;
  const steam = new EmbeddedSteam({ input: { kind: 'tone' } }, { clock, unixTime: () => 1_790_000_000 });
  const report = {
    kind: 'embedded',
    why: 'for a test',
    failure: null,
    library: null,
    interfaceVersion: null,
  } as const;
  return benchOf({
    steam: new Steam({ steam, report, capture: { module: '', options: {} }, clock }),
    controls: steam.controls,
    told: () => {
      const { advertised, connections } = steam.gameState;
      const last = connections.at(-1);
      return {
        advertised: advertised && `${advertised.serverSteamId} ${advertised.ip}:${advertised.port}`,
        connection: last ? `${last.ip}:${last.port}` : null,
        onlineState: steam.durationControlOnlineState,
      };
    },
    // It speaks as time passes.
    speak: () => undefined,
    pass: () => {
      nowMs += 20;
    },
  });
}

function openByAddon({ library, controls }: AddonSteam): SteamBench {
  let nowMs = 1000;
  const opened = openRealSteam({ library, appId: 480 });
  if (opened.kind === 'failed') throw new Error(`${opened.stage}: ${opened.text}`);
  // The client outlives the opening, as Steam does: it is reset for each case.
  controls.reset();
  const { steam, interfaceVersion } = opened;
  const report = { kind: 'real', why: 'for a test', failure: null, library, interfaceVersion } as const;
  let packets = 0;
  return benchOf({
    steam: new Steam({ steam, report, capture: { module: '', options: {} }, clock: () => nowMs }),
    controls,
    told: () => {
      const { advertisedServer, advertisedIp, advertisedPort, gameConnection, onlineState } =
        controls.state();
      const isAdvertised = advertisedIp !== 0 && advertisedPort !== 0;
      return {
        advertised: isAdvertised ? `${advertisedServer} ${advertisedIp}:${advertisedPort}` : null,
        connection: gameConnection === '' ? null : gameConnection,
        onlineState,
      };
    },
    speak: (count) => {
      for (let n = 0; n < count; n++)
        controls.run(`voice queue ${controls.run(`voice make 400 ${packets++}`)}`);
    },
    pass: () => {
      nowMs += 20;
    },
  });
}

function benchOf({
  steam,
  controls,
  told,
  speak,
  pass,
}: Pick<SteamBench, 'steam' | 'controls' | 'told' | 'speak'> & { readonly pass: () => void }): SteamBench {
  return {
    steam,
    controls,
    steamId: 76561197960265729n,
    appId: 480,
    told,
    speak,
    frame() {
      pass();
      steam.runCallbacks();
    },
  };
}
