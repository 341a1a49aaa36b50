/**
 * The file of a live recording: the smallest part of a FileHandle that the writer needs, so that a test can simulate a full disk; and
 * the texts of file system errors.
 */

import { open } from 'node:fs/promises';
import { codeOf, HotmicError, messageOf } from '../voice/error.js';
import { systemReason } from '../voice/system_reason.js';

/** What a WavWriter needs of its file. A FileHandle of node:fs/promises is one. */
export interface WavFile {
  /** Writes at an absolute position, also beyond the end; may write less than requested. */
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesWritten: number }>;
  /** Sets the length; new parts read as zeros. */
  truncate(bytes: number): Promise<void>;
  /** Closes the file. Nothing may be written afterwards. */
  close(): Promise<void>;
}

/** Opens a file for a recording. */
export type OpenWavFile = (path: string) => Promise<WavFile>;

/** Opens a new file; fails with `EEXIST` if there is one. */
export const openNewFile: OpenWavFile = (path) => open(path, 'wx');

/** Opens a new file, or empties an existing one. */
export const openOverFile: OpenWavFile = (path) => open(path, 'w');

/** Writes all of `bytes` at `position`, in as many parts as the file needs, and reports the progress after each. */
export async function writeWhole(
  file: WavFile,
  bytes: Uint8Array,
  position: number,
  onWritten?: (done: number) => void,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten < 1) throw new Error('the file takes no more bytes and does not say why');
    done += bytesWritten;
    onWritten?.(done);
  }
}

/** The error of a failed action on `path`, such as `write recording`. */
export function fileError(action: string, path: string, thrown: unknown): HotmicError {
  const code = codeOf(thrown);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const why = full ? `the disk is full (${messageOf(thrown)})` : systemReason(thrown);
  return new HotmicError(
    full ? 'ERR_HOTMIC_DISK_FULL' : 'ERR_HOTMIC_FILE',
    `Cannot ${action} ${path}: ${why}`,
    {
      cause: thrown,
    },
  );
}
