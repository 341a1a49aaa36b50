/** Reads the lists of devices that sound tools print. Pure. Every tool here prints in English if LC_ALL is C. */

import type { Direction, Listing, SoundDevice, ToolRun } from './device.js';

/** The most devices that are kept. */
const MAX_DEVICES = 256;

/** `pactl list sources` or `pactl list sinks`, and `pactl info`. */
export function pulseDevices(list: ToolRun, info: ToolRun, direction: Direction): Listing {
  const failed = [list, info].find(({ code }) => code !== 0);
  if (failed) return { kind: 'unusable', reason: `no sound server answers (${lastLine(failed)})` };
  const defaultLine = direction === 'capture' ? 'Default Source' : 'Default Sink';
  const defaultId = fieldOf(info.stdout, defaultLine);
  const blocks = list.stdout.split(/^(?:Source|Sink) #\d+$/m).slice(1);
  return listing(
    blocks.flatMap((block) => {
      const id = fieldOf(block, 'Name');
      if (id === null) return [];
      const label = fieldOf(block, 'Description') ?? id;
      const monitorOf = fieldOf(block, 'Monitor of Sink');
      const isMonitor = direction === 'capture' && monitorOf !== null && monitorOf !== 'n/a';
      return [{ id, label, isDefault: id === defaultId, kind: isMonitor ? 'monitor' : 'device' }];
    }),
  );
}

/** `pw-dump`: JSON. */
export function pipewireDevices(dump: ToolRun, direction: Direction): Listing {
  if (dump.code !== 0) return { kind: 'unusable', reason: `PipeWire does not answer (${lastLine(dump)})` };
  let objects: unknown;
  try {
    objects = JSON.parse(dump.stdout);
  } catch {
    return { kind: 'unusable', reason: 'pw-dump printed something other than JSON' };
  }
  if (!Array.isArray(objects)) return { kind: 'unusable', reason: 'pw-dump printed no list' };
  const mediaClass = direction === 'capture' ? 'Audio/Source' : 'Audio/Sink';
  const key = direction === 'capture' ? 'default.audio.source' : 'default.audio.sink';
  let defaultId: unknown;
  const found: SoundDevice[] = [];
  for (const object of objects as readonly Json[]) {
    for (const entry of arrayAt(object, 'metadata'))
      if (entry.key === key) defaultId = (entry.value as Json | null)?.name;
    const props = ((object.info as Json | null)?.props ?? {}) as Json;
    const id = props['node.name'];
    const nodeClass = props['media.class'];
    if (typeof id !== 'string' || typeof nodeClass !== 'string') continue;
    if (nodeClass !== mediaClass && !nodeClass.startsWith(`${mediaClass}/`) && nodeClass !== 'Audio/Duplex')
      continue;
    const label = props['node.description'];
    found.push({ id, label: typeof label === 'string' ? label : id, isDefault: false, kind: 'device' });
  }
  return listing(found.map((device) => ({ ...device, isDefault: device.id === defaultId })));
}

type Json = Readonly<Record<string, unknown>>;

function arrayAt(object: Json, key: string): readonly Json[] {
  const value = object[key];
  return Array.isArray(value) ? value : [];
}

/** Kinds of ALSA devices that play or record something. The others are converters and parts of devices. */
const ALSA_KINDS = /^(default|pulse|pipewire|sysdefault|plughw|usbstream|bluealsa)\b/;

/** `arecord -L` or `aplay -L`: a name, and indented lines that describe it. `-l` lists the cards. */
export function alsaDevices(names: ToolRun, cards: ToolRun): Listing {
  const devices: SoundDevice[] = [];
  for (const block of names.stdout.split(/\n(?=\S)/)) {
    const [id = '', ...description] = block.split('\n').map((line) => line.trim());
    if (!ALSA_KINDS.test(id)) continue;
    const label = description.filter((line) => line !== '').join(', ') || id;
    devices.push({ id, label, isDefault: id === 'default', kind: 'device' });
  }
  const hasCard = /^card \d+:/m.test(cards.stdout);
  // Without a card, only a plugin for a sound server can work, and that server has its own tools.
  if (!hasCard && !devices.some(({ id }) => id === 'default'))
    return { kind: 'unusable', reason: 'ALSA has no sound card' };
  return listing(devices);
}

/** `sox --help`: which kinds of devices it was built with, and the first of `wanted` among them. */
export function soxDriver(help: ToolRun, wanted: readonly string[]): string | null {
  const drivers = /^AUDIO DEVICE DRIVERS:(.*)$/m.exec(help.stdout)?.[1]?.trim().split(/\s+/) ?? [];
  return wanted.find((driver) => drivers.includes(driver)) ?? null;
}

/** `ffmpeg -f avfoundation -list_devices true -i ""` of macOS, on standard error. */
export function avfoundationDevices({ stderr }: ToolRun): Listing {
  const [, audio = ''] = stderr.split('AVFoundation audio devices:');
  const devices = [...audio.matchAll(/^\[[^\]\n]*\] \[(\d+)\] (.+)$/gm)].map(
    ([, index = '', label = '']): SoundDevice => ({
      id: index,
      label: label.trim(),
      isDefault: false,
      kind: 'device',
    }),
  );
  if (!stderr.includes('AVFoundation audio devices:'))
    return { kind: 'unusable', reason: 'this ffmpeg cannot record here (no avfoundation)' };
  return listing(devices);
}

/**
 * `ffmpeg -f dshow -list_devices true -i dummy` of Windows, on standard error. Older versions list by heading, newer ones name the
 * kind after each device. There is no default: the first one is used.
 */
export function dshowDevices({ stderr }: ToolRun): Listing {
  const devices: SoundDevice[] = [];
  let section: 'audio' | 'video' | null = null;
  for (const line of stderr.split(/\r?\n/)) {
    if (/DirectShow video devices/.test(line)) section = 'video';
    if (/DirectShow audio devices/.test(line)) section = 'audio';
    const [, label, kind] = /^\[[^\]]*\]\s+"(.+)"(?: \(([a-z, ]+)\))?\s*$/.exec(line) ?? [];
    if (label === undefined) continue;
    if (kind === undefined ? section !== 'audio' : !kind.includes('audio')) continue;
    devices.push({ id: label, label, isDefault: devices.length === 0, kind: 'device' });
  }
  if (devices.length === 0 && !/dshow/.test(stderr))
    return { kind: 'unusable', reason: 'this ffmpeg cannot record here (no dshow)' };
  return listing(devices);
}

/** `ffmpeg -sources pulse`, `-sinks alsa` and so on: `* name [description] (kind)`, the default with an asterisk. */
export function ffmpegDevices({ stdout, stderr }: ToolRun): Listing {
  const text = `${stdout}\n${stderr}`;
  const failure = /Cannot list (?:sources|sinks).*|Unknown (?:input|output) format.*/.exec(text)?.[0];
  if (failure) return { kind: 'unusable', reason: failure.trim() };
  const devices = [...text.matchAll(/^([ *]) (\S+) \[(.*)\](?: \([^()]*\))?$/gm)].map(
    ([, mark, id = '', label = '']): SoundDevice => ({
      id,
      label: label || id,
      isDefault: mark === '*',
      kind: /\.monitor$/.test(id) ? 'monitor' : 'device',
    }),
  );
  return listing(devices);
}

function listing(devices: readonly SoundDevice[]): Listing {
  return { kind: 'devices', devices: devices.slice(0, MAX_DEVICES) };
}

/** The value in a line `  key: value`. */
function fieldOf(text: string, key: string): string | null {
  return new RegExp(`^\\s*${key}: (.+)$`, 'm').exec(text)?.[1]?.trim() ?? null;
}

/** What a program said last: the reason, usually. */
export function lastLine({ code, stdout, stderr }: ToolRun): string {
  const line = (stderr.trim() || stdout.trim()).split(/[\r\n]+/).at(-1) ?? '';
  return line === '' ? `exit code ${code ?? 'none'}` : line;
}
