/**
 * A container engine that leaves nothing behind: Debian 13's Docker with Compose, Prometheus and busybox, in a tree under out/ and in
 * namespaces of its own. Its bridges, firewall rules, mounts and processes are gone with it. Linux, as root.
 */

import { type ChildProcess, execFileSync, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { baseImage, copyNetwork, reach } from './base_image.js';

export const ENGINE = resolve('out/compose/engine');

const PACKAGES = 'docker.io docker-cli docker-buildx docker-compose iptables prometheus busybox';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const ENV = Object.entries({ PATH, HOME: '/root', DOCKER_HOST: 'unix:///run/docker.sock', ...reach }).map(
  ([name, value]) => `${name}=${value}`,
);

/** Makes the tree, unless it is there. `image`: the base image that the Dockerfile names. */
export function makeEngine(image: string): void {
  const base = baseImage(image);
  if (existsSync(join(ENGINE, 'made'))) return;
  rmSync(ENGINE, { recursive: true, force: true });
  mkdirSync(dirname(ENGINE), { recursive: true });
  execFileSync('cp', ['-a', '--reflink=auto', base, ENGINE]);
  copyNetwork(ENGINE);
  // No package starts its service.
  writeFileSync(join(ENGINE, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const install = `export DEBIAN_FRONTEND=noninteractive; apt-get update -q && apt-get install -qy --no-install-recommends ${PACKAGES}`;
  execFileSync('chroot', [ENGINE, 'env', '-i', ...ENV, 'sh', '-c', install], { stdio: 'inherit' });
  writeFileSync(join(ENGINE, 'made'), '');
}

/** The control groups of a Docker of this machine, version 1 or 2. */
function cgroups(): string[] {
  const root = '/sys/fs/cgroup';
  const folders = [root, ...readdirSync(root).map((name) => join(root, name))];
  return folders.map((folder) => join(folder, 'docker')).filter((folder) => existsSync(folder));
}

/** A running dockerd. */
export class Engine {
  readonly #unshare: ChildProcess;
  readonly #pid: number;
  readonly #cgroupsBefore: readonly string[];

  private constructor(unshare: ChildProcess, pid: number, cgroupsBefore: readonly string[]) {
    this.#cgroupsBefore = cgroupsBefore;
    this.#unshare = unshare;
    this.#pid = pid;
    // If this process ends early, so does everything in there.
    process.once('exit', () => this.#kill());
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  }

  get #ended(): boolean {
    return this.#unshare.exitCode !== null || this.#unshare.signalCode !== null;
  }

  #kill(): void {
    if (!this.#ended) process.kill(this.#pid, 'SIGKILL');
  }

  /**
   * Starts it, and waits until it answers. With the network of this machine it can build, and changes nothing about that network; with a
   * network of its own it can run containers, and reaches nothing else.
   */
  static async start(network: 'of this machine' | 'its own'): Promise<Engine> {
    const before = cgroups();
    const own = network === 'its own';
    const flags = own ? '' : '--bridge=none --iptables=false --ip6tables=false --ip-forward=false';
    const script = `
      set -e
      mount --bind "$1" "$1"
      cd "$1"
      mount -t proc proc proc
      mount --rbind /dev dev
      ${own ? 'mount -t sysfs sysfs sys; mount --rbind /sys/fs/cgroup sys/fs/cgroup; ip link set lo up' : 'mount --rbind /sys sys'}
      mount -t tmpfs tmpfs run
      mkdir -p old
      pivot_root . old
      cd /
      exec env -i ${ENV.map((pair) => `'${pair}'`).join(' ')} sh -c 'umount -l /old && exec dockerd ${flags} >/var/log/dockerd.log 2>&1'
    `;
    const isolated = ['--mount', '--pid', '--fork', '--kill-child', ...(own ? ['--net'] : [])];
    const unshare = spawn('unshare', [...isolated, 'sh', '-c', script, 'sh', ENGINE], { stdio: 'inherit' });
    for (let tries = 0; tries < 600 && unshare.exitCode === null; tries++) {
      await sleep(200);
      const children = `/proc/${unshare.pid}/task/${unshare.pid}/children`;
      const pid = existsSync(children) ? Number(readFileSync(children, 'utf8')) : 0;
      if (pid === 0) continue;
      const engine = new Engine(unshare, pid, before);
      if (engine.run('docker version >/dev/null 2>&1').status === 0) return engine;
    }
    throw new Error(`dockerd did not start: ${join(ENGINE, 'var/log/dockerd.log')}`);
  }

  /** The arguments of nsenter for a program of this machine in the engine's network. */
  get network(): readonly string[] {
    return [`--net=/proc/${this.#pid}/ns/net`];
  }

  /**
   * Another machine, at 192.0.2.2, that sees the engine's at 192.0.2.1: the arguments of nsenter for a program there. It ends with the engine.
   */
  async world(): Promise<readonly string[]> {
    const apart = ['--target', `${this.#pid}`, '--net', '--pid', 'unshare', '--net', 'sleep', 'infinity'];
    const machine = spawn('nsenter', apart, { stdio: 'ignore' });
    const children = `/proc/${machine.pid}/task/${machine.pid}/children`;
    let pid = '';
    for (let tries = 0; tries < 100 && pid === ''; tries++) {
      await sleep(100);
      if (existsSync(children)) pid = readFileSync(children, 'utf8').trim();
    }
    const net = `/proc/${pid}/ns/net`;
    const here = `ip link add world type veth peer name eth0 netns ${pid} && ip addr add 192.0.2.1/24 dev world && ip link set world up`;
    execFileSync('nsenter', [...this.network, 'sh', '-c', here]);
    const there = 'ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up';
    execFileSync('nsenter', [`--net=${net}`, 'sh', '-c', there]);
    machine.unref();
    return [`--net=${net}`];
  }

  /** The command that runs `command` in the engine's tree and namespaces, or in the network of another machine. */
  shell(command: string, cwd = '/srv', net = this.network): [program: string, args: string[]] {
    const inside = [
      '--target',
      `${this.#pid}`,
      '--mount',
      ...net,
      '--pid',
      '--root',
      `--wd=/proc/${this.#pid}/root${cwd}`,
    ];
    return ['nsenter', [...inside, 'env', '-i', ...ENV, 'sh', '-c', command]];
  }

  run(command: string, cwd?: string, input?: Buffer): SpawnSyncReturns<string> {
    const [program, args] = this.shell(command, cwd);
    return spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...(input && { input }) });
  }

  /** What `command` printed. Throws when it fails. */
  out(command: string, cwd?: string): string {
    const { status, stdout, stderr } = this.run(command, cwd);
    if (status !== 0) throw new Error(`${command}: ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Imports a tree as an image. */
  importTree(tree: string, image: string, changes: readonly string[]): void {
    const [program, args] = this.shell(
      `docker import ${changes.map((change) => `--change '${change}'`).join(' ')} - ${image} >/dev/null`,
    );
    const pipe = 'tree=$1; shift; tar -C "$tree" -c --exclude=./var/cache/apt/archives . | "$@"';
    execFileSync('sh', ['-c', pipe, 'sh', tree, program, ...args], { stdio: 'inherit' });
  }

  /** Stops its containers and ends it. */
  async stop(): Promise<void> {
    if (!this.#ended) {
      const ended = once(this.#unshare, 'exit');
      process.kill(this.#pid, 'SIGTERM');
      await ended;
    }
    // Empty by now. Those of another Docker of this machine are not touched.
    for (const folder of cgroups().filter((name) => !this.#cgroupsBefore.includes(name))) {
      execFileSync('find', [folder, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
    }
  }
}
