/**
 * What sound tools print about devices. The samples are their own output: those of Linux from Debian 12 (PulseAudio 16.1, PipeWire 0.3.65,
 * ALSA 1.2.8, SoX 14.4.2, ffmpeg 5.1), those of macOS and Windows in the form that ffmpeg's documentation shows.
 */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { findDevice, type ToolRun } from '../../../cli/sound/device.js';
import {
  alsaDevices,
  avfoundationDevices,
  dshowDevices,
  ffmpegDevices,
  pipewireDevices,
  pulseDevices,
  soxDriver,
} from '../../../cli/sound/device_lists.js';
import { pacatPlayedMs } from '../../../cli/sound/tools.js';

/** A file of test/cli/sound/samples, which is not compiled. */
const sample = (name: string) =>
  readFileSync(new URL(`../../../../test/cli/sound/samples/${name}`, import.meta.url), 'utf8');
const said = (name: string): ToolRun => ({ code: 0, stdout: sample(name), stderr: '' });
const saidAsError = (name: string): ToolRun => ({ code: 1, stdout: '', stderr: sample(name) });
const failed: ToolRun = { code: 1, stdout: '', stderr: 'Connection failure: Connection refused\n' };

t.test('pactl: names, descriptions, the default, and what is only a monitor', async (t) => {
  const info = said('pactl_info.txt');
  t.strictSame(pulseDevices(said('pactl_sinks.txt'), info, 'play'), {
    kind: 'devices',
    devices: [
      { id: 'said', label: 'Null Output', isDefault: true, kind: 'device' },
      { id: 'heard', label: 'Null Output', isDefault: false, kind: 'device' },
    ],
  });
  t.strictSame(pulseDevices(said('pactl_sources.txt'), info, 'capture'), {
    kind: 'devices',
    devices: [
      { id: 'said.monitor', label: 'Monitor of Null Output', isDefault: true, kind: 'monitor' },
      { id: 'heard.monitor', label: 'Monitor of Null Output', isDefault: false, kind: 'monitor' },
    ],
  });
  t.strictSame(pulseDevices(failed, info, 'play'), {
    kind: 'unusable',
    reason: 'no sound server answers (Connection failure: Connection refused)',
  });
});

t.test('pw-dump: sinks and sources, virtual ones included', async (t) => {
  t.match(pipewireDevices(said('pw_dump.json'), 'play'), {
    kind: 'devices',
    devices: [{ id: 'pwnull', label: 'A null sink', isDefault: false }],
  });
  t.match(pipewireDevices(said('pw_dump.json'), 'capture'), {
    devices: [{ id: 'pwmic', label: 'A virtual mic' }],
  });
  t.match(pipewireDevices({ code: 0, stdout: 'Host is down', stderr: '' }, 'play'), { kind: 'unusable' });
  const withDefault = JSON.stringify(
    [
      { metadata: [{ subject: 0, key: 'default.audio.sink', value: { name: 'usb' } }] },
      { info: { props: { 'node.name': 'usb', 'media.class': 'Audio/Sink' } } },
      null,
    ].slice(0, 2),
  );
  t.strictSame(pipewireDevices({ code: 0, stdout: withDefault, stderr: '' }, 'play'), {
    kind: 'devices',
    devices: [{ id: 'usb', label: 'usb', isDefault: true, kind: 'device' }],
  });
});

t.test('arecord: plugins that play nothing are left out; without a card it is not used', async (t) => {
  const pulse = { id: 'pulse', label: 'PulseAudio Sound Server', isDefault: false, kind: 'device' };
  const fallback = {
    ...{ id: 'default', label: 'Playback/recording through the PulseAudio sound server' },
    ...{ isDefault: true, kind: 'device' },
  };
  t.strictSame(alsaDevices(said('arecord_names.txt'), said('arecord_cards.txt')), {
    kind: 'devices',
    devices: [fallback, pulse],
  });
  const plugins = {
    code: 0,
    stdout: 'null\n    Discard all samples\npulse\n    PulseAudio Sound Server\n',
    stderr: '',
  };
  t.match(alsaDevices(plugins, said('arecord_cards.txt')), {
    kind: 'unusable',
    reason: 'ALSA has no sound card',
  });
  const card = { code: 0, stdout: 'card 0: PCH [HDA Intel PCH], device 0: ALC295 Analog', stderr: '' };
  t.strictSame(alsaDevices(plugins, card), { kind: 'devices', devices: [pulse] });
});

t.test('ffmpeg lists microphones on each system', async (t) => {
  t.match(avfoundationDevices(saidAsError('avfoundation.txt')), {
    devices: [
      { id: '0', label: 'MacBook Pro Microphone' },
      { id: '1', label: 'Yeti Stereo Microphone' },
    ],
  });
  t.match(dshowDevices(saidAsError('dshow_old.txt')), {
    devices: [{ id: 'Internal Microphone (Conexant 2', isDefault: true }, { id: 'virtual-audio-capturer' }],
  });
  t.strictSame(dshowDevices(saidAsError('dshow_new.txt')), {
    kind: 'devices',
    devices: [
      {
        id: 'Microphone (High Definition Audio Device)',
        label: 'Microphone (High Definition Audio Device)',
        isDefault: true,
        kind: 'device',
      },
    ],
  });
  t.match(ffmpegDevices(said('ffmpeg_sources.txt')), {
    devices: [{ id: 'said.monitor', isDefault: true, kind: 'monitor' }, { id: 'heard.monitor' }],
  });
  t.match(ffmpegDevices(said('ffmpeg_no_server.txt')), { kind: 'unusable', reason: /Cannot list sources/ });
});

t.test('sox says which kinds of devices it was built with', async (t) => {
  t.equal(soxDriver(said('sox_help.txt'), ['pulseaudio', 'alsa']), 'alsa');
  t.equal(soxDriver(said('sox_help.txt'), ['coreaudio']), null);
});

t.test('pacat says how much it has played', async (t) => {
  t.equal(
    pacatPlayedMs('Time: 3.296 sec; Latency: 1 usec.        \rTime: 3.349 sec; Latency: 31144 usec.'),
    3349,
  );
  t.equal(pacatPlayedMs('        \r'), null);
});

t.test('a part of a name is enough for a device, if it is the only one', async (t) => {
  const device = (id: string, label: string) => ({ id, label, isDefault: false, kind: 'device' }) as const;
  const yeti = device('alsa_input.usb-Blue_Yeti', 'Yeti Stereo Microphone');
  const inside = device('alsa_input.pci', 'Built-in Audio');
  const monitor = {
    ...device('alsa_output.pci.monitor', 'Monitor of Built-in Audio'),
    kind: 'monitor',
  } as const;
  const all = [yeti, inside, monitor];
  t.strictSame(findDevice(all, 'yeti'), { kind: 'found', device: yeti });
  t.strictSame(findDevice(all, 'built-in'), { kind: 'found', device: inside }, 'rather than a monitor');
  t.strictSame(findDevice(all, 'monitor of'), { kind: 'found', device: monitor });
  t.match(findDevice(all, 'alsa_input'), { kind: 'ambiguous', devices: [yeti, inside] });
  t.strictSame(findDevice(all, 'webcam'), { kind: 'unknown' });
  t.strictSame(findDevice([inside, device('x', 'alsa_input.pci 2')], 'alsa_input.pci'), {
    kind: 'found',
    device: inside,
  });
});
