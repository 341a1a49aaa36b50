/**
 * Steam's EVoiceResult, with Steam's numbers and the class reference's names.
 */

/** The results of getVoice, getAvailableVoice and decompressVoice. */
export const VoiceResult = {
  VOICE_RESULT_OK: 0,
  VOICE_RESULT_NOT_INITIALIZED: 1,
  VOICE_RESULT_NOT_RECORDING: 2,
  /** Normal in silence. Older class references spell it with an E: both are here. */
  VOICE_RESULT_NO_DATA: 3,
  VOICE_RESULT_NO_DATE: 3,
  VOICE_RESULT_BUFFER_TOO_SMALL: 4,
  VOICE_RESULT_DATA_CORRUPTED: 5,
  VOICE_RESULT_RESTRICTED: 6,
  VOICE_RESULT_UNSUPPORTED_CODEC: 7,
  VOICE_RESULT_RECEIVER_OUT_OF_DATE: 8,
  VOICE_RESULT_RECEIVER_DID_NOT_ANSWER: 9,
} as const;

export type VoiceResult = (typeof VoiceResult)[keyof typeof VoiceResult];
