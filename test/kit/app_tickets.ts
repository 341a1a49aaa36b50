/**
 * steam-appticket, the other reader of Steam's app tickets.
 *
 * It decrypts through steam-crypto, which takes the whole plaintext from one `read()` of a stream. Since Node 26 that returns one chunk,
 * and the last block is a chunk of its own. There, the decryption is replaced by one that gets all of it.
 */

import { createDecipheriv } from 'node:crypto';
import { createRequire } from 'node:module';
import appTickets from 'steam-appticket';

const requireAsItDoes = createRequire(createRequire(import.meta.url).resolve('steam-appticket'));
const steamCrypto = requireAsItDoes('@doctormckay/steam-crypto') as {
  symmetricDecrypt: (input: Buffer, key: Buffer) => Buffer;
};

if (Number(process.versions.node.split('.')[0]) >= 26) {
  steamCrypto.symmetricDecrypt = (input, key) => {
    const first = createDecipheriv('aes-256-ecb', key, '').setAutoPadding(false);
    const iv = Buffer.concat([first.update(input.subarray(0, 16)), first.final()]);
    const rest = createDecipheriv('aes-256-cbc', key, iv);
    return Buffer.concat([rest.update(input.subarray(16)), rest.final()]);
  };
}

export default appTickets;
