/** The rate limit of everything that the relay bounds by time. */

export { TokenBucket } from '../voice/token_bucket.js';
