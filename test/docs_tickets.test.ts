/** docs/tickets.md names every reason for which a relay refuses a ticket, and no other. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import type { AppTicketRefusal } from '../relay/admission/app_tickets.js';
import type { Unavailable } from '../relay/admission/steam_web/api.js';
import type { WebTicketRefusal } from '../relay/admission/steam_web/tickets.js';

const [, page = ''] = readFileSync('docs/tickets.md', 'utf8').split('\n## How a relay judges them\n');

t.test('the tables of reasons have every one', async (t) => {
  const web: Readonly<Record<WebTicketRefusal, true>> = {
    malformed: true,
    'other-steam-id': true,
    'vac-banned': true,
    'publisher-banned': true,
    'invalid-parameter': true,
    'invalid-ticket': true,
    'other-app': true,
    'no-person': true,
    'steam-refused': true,
  };
  // The last is the judge's in front of all.
  const unavailable: Readonly<Record<Unavailable | 'failed', true>> = {
    'steam-down': true,
    'steam-slow': true,
    'rate-limited': true,
    'key-refused': true,
    'answer-strange': true,
    busy: true,
    closing: true,
    'rate-budget-spent': true,
    'daily-budget-spent': true,
    failed: true,
  };
  const app: Readonly<Record<AppTicketRefusal, true>> = {
    malformed: true,
    undecipherable: true,
    'other-app': true,
    'other-nonce': true,
    'not-yet-valid': true,
    expired: true,
    'no-person': true,
    'not-proof': true,
    'other-steam-id': true,
  };
  const tables = [...page.matchAll(/\n\| reason .*\n\|[ -|]*\n([\s\S]*?)\n\n/g)].map(([, rows = '']) =>
    [...rows.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name),
  );
  t.same(tables, [Object.keys(web), Object.keys(unavailable), Object.keys(app)]);
});
