/**
 * Keeps one person after the other, and prints how many are on the disk: until it is killed, or up to the number that its second
 * argument says. Prints events, too.
 */

import { writeSync } from 'node:fs';
import { openSanctionsFile } from '../../../relay/moderation_store/sanctions_file.js';

const [, , path = '', most = 'Infinity'] = process.argv;
const file = await openSanctionsFile(path, {
  unixSeconds: 1_800_000_000,
  onEvent: ({ kind }) => writeSync(1, `${kind}\n`),
});
for (let account = 1; account <= Number(most); account++) {
  const steamId = String(76_561_197_960_265_728n + BigInt(account));
  file.keep({ lobby: 'den', steamId, muted: 'always', deafened: 'not', banned: 'not', by: 'admin' });
  if (account % 10 === 3) continue;
  await file.flush();
  if (file.counts().waiting === 0) writeSync(1, `${account}\n`);
}
await file.close();
