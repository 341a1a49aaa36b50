/**
 * The browser's door in a realm that has the language and WebAssembly, and nothing else: no TextDecoder, atob, fetch, URL,
 * process or timer, and no module but by its path. An AudioWorklet has little more. Prints as JSON what came out.
 *
 * node --experimental-vm-modules dist/test/wasm/places/bare_realm.js
 */

import { readFileSync } from 'node:fs';
import { createContext, type Module, SourceTextModule } from 'node:vm';
import { hashesOf, jobs, sha256 } from './hashes.js';
import type { Answer } from './jobs.js';

const context = createContext({});
const modules = new Map<string, Module>();

function link(specifier: string, from: { readonly identifier: string }): Module {
  if (!specifier.startsWith('.')) throw new Error(`${from.identifier} imports ${specifier}`);
  const url = new URL(specifier, from.identifier);
  const known = modules.get(url.href);
  if (known) return known;
  const module = new SourceTextModule(readFileSync(url, 'utf8'), { context, identifier: url.href });
  modules.set(url.href, module);
  return module;
}

async function load(path: string): Promise<Record<string, (...args: readonly unknown[]) => unknown>> {
  const module = link(path, { identifier: import.meta.url });
  await module.link((specifier, from) => link(specifier, from));
  await module.evaluate();
  return module.namespace as Record<string, (...args: readonly unknown[]) => unknown>;
}

const door = await load('../../../wasm/index_browser.js');
const { runAll } = await load('./jobs.js');
door.initCodec?.(readFileSync(new URL('../../../wasm/pkg/hotmic_wasm_bg.wasm', import.meta.url)));
const answer = runAll?.(jobs) as Answer;
console.log(
  JSON.stringify({
    files: [...modules.keys()].map((url) => url.slice(url.indexOf('/dist/') + 6)),
    streams: hashesOf(answer),
    roundTrip: sha256(answer.roundTrip),
  }),
);
