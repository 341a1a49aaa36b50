/** Which tool and device are chosen, and what a person reads when there is nothing. */

import t from 'tap';
import { chooseSound, type Machine } from '../../../cli/sound/choose.js';
import type { ToolRun } from '../../../cli/sound/device.js';
import { installHint } from '../../../cli/sound/install_hint.js';

const NOTHING: ToolRun = { code: 0, stdout: '', stderr: '' };

/** A machine with these programs, each of which prints this for its first argument. */
function machineOf(
  platform: NodeJS.Platform,
  programs: Readonly<Record<string, (args: readonly string[]) => Partial<ToolRun>>>,
): Machine {
  return {
    platform,
    find: (program) => (program in programs ? `/bin/${program}` : null),
    run: async ({ program, args }) => ({ ...NOTHING, ...programs[program.slice('/bin/'.length)]?.(args) }),
    installHint: () => 'sudo apt install pulseaudio-utils',
  };
}

const SOURCES = `Source #1
	Name: usb.yeti
	Description: Yeti
	Monitor of Sink: n/a
Source #2
	Name: pci.mic
	Description: Built-in Audio\x1b[2J
	Monitor of Sink: n/a
`;
const pactl = (args: readonly string[]) =>
  args[0] === 'info' ? { stdout: 'Default Source: pci.mic\n' } : { stdout: SOURCES };
const PULSE = { pactl, parec: () => ({}) };
const none = () => ({ code: 1, stderr: 'Connection refused' });

t.test('the default device, and its name without escape sequences', async (t) => {
  const { label, invocation } = await chooseSound('capture', null, null, machineOf('linux', PULSE));
  t.equal(label, 'Built-in Audio[2J, by parec');
  t.equal(invocation.program, '/bin/parec');
  t.ok(invocation.args.includes('--rate=24000'));
  t.notOk(
    invocation.args.some((arg) => arg.startsWith('--device')),
    'the server moves it when the default changes',
  );
});

t.test('a device by a part of its name', async (t) => {
  const machine = machineOf('linux', PULSE);
  t.match(await chooseSound('capture', 'yeti', null, machine), { label: 'Yeti, by parec' });
  const { invocation } = await chooseSound('capture', 'yeti', null, machine);
  t.ok(invocation.args.includes('--device=usb.yeti'));
  await t.rejects(chooseSound('capture', 'webcam\x1b[2J', null, machine), {
    code: 'ERR_HOTMIC_SOUND',
    message: 'Cannot use a microphone: no device is called "webcam[2J". hotmic devices lists them',
  });
  await t.rejects(chooseSound('capture', 'i', null, machine), {
    code: 'ERR_HOTMIC_SOUND',
    message: /"i" may be any of usb\.yeti, pci\.mic\. Write more of its name/,
  });
});

t.test('a tool that does not work is passed over', async (t) => {
  const sox = { sox: () => ({ stdout: 'AUDIO DEVICE DRIVERS: alsa\n' }) };
  const machine = machineOf('linux', { pactl: none, parec: none, ...sox });
  t.match(await chooseSound('capture', null, null, machine), { label: 'default device, by sox' });
  t.match(await chooseSound('capture', 'hw:1,0', 'sox', machine), {
    invocation: { args: ['-q', '--buffer', '960', '-t', 'alsa', 'hw:1,0'] },
  });
});

t.test('without a tool, the error says what to install; with one that fails, why', async (t) => {
  await t.rejects(chooseSound('play', null, null, machineOf('linux', {})), {
    code: 'ERR_HOTMIC_SOUND_TOOL',
    message:
      'Cannot play sound: none of pacat, pw-play, aplay, ffmpeg, sox is installed. Install one: sudo apt install pulseaudio-utils',
  });
  await t.rejects(chooseSound('capture', null, null, machineOf('linux', { pactl: none, parec: none })), {
    code: 'ERR_HOTMIC_SOUND_TOOL',
    message: 'Cannot use a microphone: parec: no sound server answers (Connection refused)',
  });
});

t.test('macOS and Windows use ffmpeg, or sox', async (t) => {
  const listed =
    '[AVFoundation indev @ 0x1] AVFoundation audio devices:\n[AVFoundation indev @ 0x1] [0] Mic\n';
  const mac = machineOf('darwin', { ffmpeg: () => ({ code: 1, stderr: listed }) });
  t.match(
    (await chooseSound('capture', 'mic', null, mac)).invocation.args.join(' '),
    /-f avfoundation -i :0 /,
  );
  t.match((await chooseSound('play', null, null, mac)).invocation.args.join(' '), /-f audiotoolbox -$/);
  const windows = machineOf('win32', {
    ffmpeg: () => ({ code: 1, stderr: '[dshow @ 01] "Mic (USB)" (audio)\n' }),
    ffplay: () => ({}),
  });
  t.match(
    (await chooseSound('capture', null, null, windows)).invocation.args.join(' '),
    /-i audio=Mic \(USB\) /,
  );
  t.match((await chooseSound('play', null, null, windows)).invocation.program, '/bin/ffplay');
  const sox = machineOf('darwin', { sox: () => ({ stdout: 'AUDIO DEVICE DRIVERS: coreaudio\n' }) });
  t.match((await chooseSound('play', null, null, sox)).invocation.args.join(' '), /- -t coreaudio default$/);
});

t.test('an older pw-record needs no --raw, a newer one does', async (t) => {
  const dump = JSON.stringify([{ info: { props: { 'node.name': 'mic', 'media.class': 'Audio/Source' } } }]);
  const machine = (help: string) =>
    machineOf('linux', { 'pw-dump': () => ({ stdout: dump }), 'pw-record': () => ({ stdout: help }) });
  const args = async (help: string) =>
    (await chooseSound('capture', null, null, machine(help))).invocation.args;
  t.notOk((await args('pw-record [options] [<file>|-]')).includes('--raw'));
  t.ok((await args('pw-record [options] [<file>|-]\n  -a, --raw   RAW mode')).includes('--raw'));
});

t.test('what to install', async (t) => {
  t.equal(installHint('linux', 'ID=ubuntu\nID_LIKE=debian\n'), 'sudo apt install pulseaudio-utils');
  t.equal(
    installHint('linux', 'ID="rocky"\nID_LIKE="rhel centos fedora"\n'),
    'sudo dnf install pulseaudio-utils',
  );
  t.match(installHint('linux', ''), /pulseaudio-utils/);
  t.equal(installHint('darwin', ''), 'brew install ffmpeg');
  t.equal(installHint('win32', ''), 'winget install Gyan.FFmpeg');
});
