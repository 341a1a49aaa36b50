/** `hotmic steam`: is Steam there, and what is to be done if it is not? */

import { Command } from 'commander';
import { openSteam } from '../native/open_steam.js';
import { printable } from '../voice/printable.js';
import { integer } from './options.js';

interface SteamOptions {
  readonly appId?: number;
  readonly library?: string;
}

export function steamCommand(): Command {
  return new Command('steam')
    .description('Open Steam and say who is logged on, or why it cannot be opened.')
    .option(
      '--app-id <id>',
      'the game (default: what Steam or steam_appid.txt says)',
      integer(1, 0xffff_ffff),
    )
    .option('--library <file>', 'libsteam_api (default: HOTMIC_STEAM_LIBRARY, then beside the application)')
    .action(({ appId, library }: SteamOptions) => {
      using steam = openSteam({
        embedded: 'never',
        frameMs: 0,
        ...(appId === undefined ? {} : { appId }),
        ...(library === undefined ? {} : { library }),
      });
      const { user, report } = steam;
      const facts = [
        ['Steam', `${report.interfaceVersion} by ${printable(report.library ?? '')}`],
        ['SteamID', String(user.getSteamID())],
        ['logged on', user.loggedOn() ? 'yes' : 'no'],
        ['level', String(user.getPlayerSteamLevel())],
        ['voice', `${user.getVoiceOptimalSampleRate()} Hz`],
      ] as const;
      for (const [name, value] of facts) console.log(`${name.padEnd(10)} ${value}`);
    });
}
