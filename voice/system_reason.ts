/** Why the operating system refused, in words for a person. */

import { codeOf, messageOf } from './error.js';

/** Error codes of the system, in words. */
export type ReasonWords = Readonly<Record<string, string>>;

/** For files, which every part reads or writes. Words for connections are where they are made, in client/. */
const FILE_WORDS: ReasonWords = {
  EACCES: 'permission denied',
  EEXIST: 'it already exists',
  EISDIR: 'it is a folder',
  EMFILE: 'this process has too many files open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of the path is not a folder',
  EROFS: 'the disk is read-only',
};

/** The reason in `words` if they have its code, else the system's own message. */
export function systemReason(thrown: unknown, words: ReasonWords = FILE_WORDS): string {
  const code = codeOf(thrown);
  const text = code === null ? undefined : words[code];
  return text === undefined ? messageOf(thrown) : `${text} (${code})`;
}
