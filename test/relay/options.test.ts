/** The definitions of the relay's options: docstrings agree with them, and defaults are values of their types. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { RELAY_LIMITS } from '../../relay/core/limits.js';
import { ADDRESS_SHARES } from '../../relay/core/lobby/shares.js';
import type { Option } from '../../relay/option.js';
import { readValue } from '../../relay/option_types.js';
import { RELAY_OPTIONS } from '../../relay/options.js';
import { ADDRESS_LIMITS } from '../../relay/port/address_limits.js';

t.test('the docstring of a limit names its range and its default', async (t) => {
  for (const [file, limits] of [
    ['relay/core/limits.ts', RELAY_LIMITS],
    ['relay/core/lobby/shares.ts', ADDRESS_SHARES],
    ['relay/port/address_limits.ts', { ...ADDRESS_LIMITS, participants: null, lobbies: null }],
  ] as const) {
    const source = readFileSync(file, 'utf8');
    for (const [name, limit] of Object.entries(limits)) {
      if (limit === null) continue;
      const [, doc = ''] =
        new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s+${name}: limit\\(`).exec(source) ?? [];
      const text = doc.replace(/\s+\*?\s*/g, ' ').replace(/ \([^)]*\)/g, '');
      t.match(text, ` ${limit.min} to ${limit.max}`, name);
      t.match(text, `Default ${limit.default}`, name);
    }
  }
});

t.test('every default is a value of its type', async (t) => {
  const check = (path: string, { type, default: value }: Option<unknown>) => {
    if (value === undefined || value === null) return;
    const [one, values] = type.shape === 'list' ? [type.item, value as unknown[]] : [type, [value]];
    for (const each of values) t.same(readValue(one, each), { kind: 'read', value: each }, path);
  };
  for (const [name, node] of Object.entries(RELAY_OPTIONS)) {
    if (node.node === 'option') check(name, node);
    else
      for (const [member, inner] of Object.entries<Option<unknown> | { node: 'secret' }>(node.members))
        if (inner.node === 'option') check(`${name}.${member}`, inner);
  }
});
