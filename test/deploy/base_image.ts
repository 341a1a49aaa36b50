/**
 * What stands for an image that a registry would send: Debian 13, Node, npm and the user `node`, as a tree under out/. Linux, as root,
 * with a network the first time.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const BASE = resolve('out/dockerfile/base');

/** The environment through which this machine reaches its registries. */
export const reach = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /^(https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name)),
);

/** Copies into a tree how this machine reaches its registries. */
export function copyNetwork(tree: string): void {
  const npmrc = execFileSync('npm', ['config', 'get', 'globalconfig'], { encoding: 'utf8' }).trim();
  for (const [from, to] of [
    ['/etc/resolv.conf', 'etc/resolv.conf'],
    ['/etc/hosts', 'etc/hosts'],
    ['/etc/ssl/certs/ca-certificates.crt', 'etc/ssl/certs/ca-certificates.crt'],
    [npmrc, 'usr/local/etc/npmrc'],
  ] as const) {
    if (!existsSync(from)) continue;
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    cpSync(from, join(tree, to), { dereference: true });
  }
}

/** The tree for `image`, made unless it is there. Throws for an image that it cannot stand for. */
export function baseImage(image: string): string {
  if (!/^node:24\.\d+\.\d+-trixie-slim$/.test(image))
    throw new Error(`${image} is not what can be made here`);
  if (existsSync(join(BASE, 'usr/local/bin/npm'))) return BASE;
  execFileSync('sh', ['test/debian13.sh'], { stdio: 'inherit' });
  rmSync(BASE, { recursive: true, force: true });
  mkdirSync(dirname(BASE), { recursive: true });
  execFileSync('cp', ['-a', '--reflink=auto', 'out/debian13', BASE]);
  const modules = join(BASE, 'usr/local/lib/node_modules');
  mkdirSync(modules, { recursive: true });
  const unpack = 'npm pack --silent npm@11 && tar -xzf npm-11.*.tgz && mv package npm && rm npm-11.*.tgz';
  execFileSync('sh', ['-c', unpack], { cwd: modules });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(BASE, 'usr/local/bin/npm'));
  symlinkSync('../lib/node_modules/npm/bin/npx-cli.js', join(BASE, 'usr/local/bin/npx'));
  execFileSync('chroot', [BASE, 'useradd', '--uid', '1000', '--create-home', 'node']);
  copyNetwork(BASE);
  return BASE;
}
