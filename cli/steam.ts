/** `hotmic steam`: whether Steam can be opened, and what to do if not. */

import { Command } from 'commander';
import { openSteam } from '../native/open_steam.js';
import { printable } from '../voice/printable.js';
import { purpose } from './help_layout.js';
import { integer } from './options.js';

interface SteamOptions {
  readonly appId?: number;
  readonly library?: string;
}

export function steamCommand(): Command {
  return new Command('steam')
    .description(
      purpose(
        'Open Steam and show who is logged on, or why it cannot be opened.',
        'hotmic steam --app-id 480',
      ),
    )
    .summary('Show who is logged on to Steam, or why it cannot be opened.')
    .option(
      '--app-id <id>',
      "The game's app id. (default: from Steam or steam_appid.txt)",
      integer(1, 0xffff_ffff),
    )
    .option(
      '--library <file>',
      'Path of libsteam_api. (env: HOTMIC_STEAM_LIBRARY; default: next to the application)',
    )
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
