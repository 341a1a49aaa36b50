/** `hotmic devices`: the microphones and outputs of this machine, and which tool would use them. */

import { Command, Option } from 'commander';
import { HotmicError } from '../voice/error.js';
import { printable } from '../voice/printable.js';
import { purpose } from './help_layout.js';
import { type AskedTool, askTools } from './sound/choose.js';
import type { Direction } from './sound/device.js';
import { installHintHere } from './sound/install_hint.js';
import { soundToolOption } from './sound/options.js';
import type { ToolName } from './sound/tools.js';

interface DevicesOptions {
  readonly soundTool?: ToolName;
  readonly json?: true;
}

const TITLES = { capture: 'Microphones', play: 'Outputs' } as const;
const USED_BY = { capture: 'hotmic talk --mic', play: 'hotmic listen --play' } as const;

export function devicesCommand(): Command {
  return new Command('devices')
    .description(
      purpose(
        'List the microphones for talk --mic and the outputs for listen --play. * is the\ndefault. Any part of a name is enough to choose a device.',
        'hotmic devices',
      ),
    )
    .summary('List microphones and sound outputs.')
    .addOption(soundToolOption())
    .addOption(new Option('--json', 'Print one JSON object per device.'))
    .action(async (options: DevicesOptions) => {
      let isUsable = false;
      for (const direction of ['capture', 'play'] as const) {
        const asked = await askTools(direction, options.soundTool ?? null);
        isUsable ||= asked.some(({ listing }) => listing.kind !== 'unusable');
        if (options.json) printJson(direction, asked);
        else printList(direction, asked);
      }
      if (isUsable) return;
      throw new HotmicError(
        'ERR_HOTMIC_SOUND_TOOL',
        `Cannot record or play: no sound tool works here. Install one: ${installHintHere()}`,
      );
    });
}

/** The first tool that works is the one that is used, so its devices are the ones to choose from. */
function printList(direction: Direction, asked: readonly AskedTool[]): void {
  console.log(`${TITLES[direction]} (${USED_BY[direction]})`);
  const used = asked.find(({ listing }) => listing.kind !== 'unusable');
  for (const { tool, listing, answers } of asked) {
    const program = tool.program(direction, answers.platform);
    if (listing.kind === 'unusable') console.log(`  ${program}: ${printable(listing.reason, 200)}`);
    else if (tool !== used?.tool) console.log(`  ${program} works too: --sound-tool ${tool.name}`);
    else if (listing.kind === 'unlisted') console.log(`  * the default device, by ${program}`);
    else
      for (const { id, label, isDefault, kind } of listing.devices) {
        const what = kind === 'monitor' ? ' (what an output plays)' : '';
        console.log(
          `  ${isDefault ? '*' : ' '} ${printable(id, 200)}\n      ${printable(label, 200)}${what}`,
        );
      }
  }
  if (asked.length === 0) console.log('  no sound tool is installed');
}

function printJson(direction: Direction, asked: readonly AskedTool[]): void {
  for (const { tool, listing } of asked) {
    if (listing.kind !== 'devices') continue;
    for (const { id, label, isDefault, kind } of listing.devices)
      console.log(
        JSON.stringify({
          direction,
          tool: tool.name,
          id,
          label,
          default: isDefault,
          monitor: kind === 'monitor',
        }),
      );
  }
}
