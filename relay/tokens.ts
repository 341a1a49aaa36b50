/** Stub until the verifier is there. */
export interface Grant {
  readonly lobby: string;
  readonly steamId: string;
  readonly maySpeak: boolean;
  readonly mayListen: boolean;
  readonly moderator: boolean;
  readonly channels: readonly string[];
  readonly expiresAt: number;
}
export type TokenRefusal =
  | 'malformed'
  | 'key-unknown'
  | 'algorithm'
  | 'forged'
  | 'expired'
  | 'not-yet-valid'
  | 'audience'
  | 'claims';
export type TokenVerdict =
  | { readonly kind: 'granted'; readonly grant: Grant }
  | { readonly kind: 'refused'; readonly reason: TokenRefusal; readonly wanted: string };
export interface TokenOptions {
  readonly keys: unknown;
  readonly audience: string;
  readonly clockToleranceS?: number;
}
export declare class TokenVerifier {
  static create(options: TokenOptions): Promise<TokenVerifier>;
  verify(token: string, unixSeconds: number): Promise<TokenVerdict>;
}
