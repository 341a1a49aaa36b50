/** What to install so that sound can be recorded and played here. */

import { readFileSync } from 'node:fs';

/** By ID or ID_LIKE of /etc/os-release. Each has parec and pacat, which also work with PipeWire. */
const LINUX: Readonly<Record<string, string>> = {
  debian: 'sudo apt install pulseaudio-utils',
  ubuntu: 'sudo apt install pulseaudio-utils',
  fedora: 'sudo dnf install pulseaudio-utils',
  rhel: 'sudo dnf install pulseaudio-utils',
  arch: 'sudo pacman -S libpulse',
  suse: 'sudo zypper install pulseaudio-utils',
  alpine: 'sudo apk add pulseaudio-utils',
};

/** A command to type. `osRelease`: the text of /etc/os-release, of Linux. */
export function installHint(platform: NodeJS.Platform, osRelease: string): string {
  if (platform === 'darwin') return 'brew install ffmpeg';
  if (platform === 'win32') return 'winget install Gyan.FFmpeg';
  const [, id = ''] = /^ID="?([^"\n]*)"?$/m.exec(osRelease) ?? [];
  const [, like = ''] = /^ID_LIKE="?([^"\n]*)"?$/m.exec(osRelease) ?? [];
  for (const name of [id, ...like.split(' ')]) if (LINUX[name]) return LINUX[name];
  return "your system's package with parec and pacat, often called pulseaudio-utils";
}

/** For this machine. */
export function installHintHere(): string {
  let osRelease = '';
  try {
    osRelease = readFileSync('/etc/os-release', 'utf8').slice(0, 65_536);
  } catch {}
  return installHint(process.platform, osRelease);
}
