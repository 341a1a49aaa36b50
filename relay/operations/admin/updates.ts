/**
 * The lines of an update stream: each asks for one operation of the table, with its names and its body as fields. What a line may say
 * is made from the table's rows, and so is its description in the OpenAPI document.
 */

import * as z from 'zod/mini';
import { type Problem, problemDetails } from './problem.js';
import { faulty, issueOf, jsonOf } from './request.js';
import { ADMIN_ROUTES, type AdminRoute, type AdminTarget, type Schema } from './routes.js';
import { label, steamId } from './schemas.js';

/** The operations that a line can ask for. */
export const UPDATE_ROUTES: readonly AdminRoute[] = ADMIN_ROUTES.filter(({ stream }) => stream === 'line');

/** The form of a line that asks for this operation. */
export function lineSchema({ operation, path, body }: AdminRoute): Schema {
  return z.strictObject({
    operation: z.literal(operation),
    ...(path.includes('{lobby}') && { lobby: label }),
    ...(path.includes('{steamId}') && { steamId }),
    ...(body && { body: body.safeParse({}).success ? z.optional(body) : body }),
  });
}

const FORMS = new Map(UPDATE_ROUTES.map((route) => [route.operation, { route, schema: lineSchema(route) }]));

interface Line {
  readonly lobby?: string;
  readonly steamId?: string;
  readonly body?: unknown;
}

/** What became of a line. */
export interface UpdateResult {
  readonly outcome: 'done' | 'failed';
  /** The answer, without the line's number. */
  readonly answer: Readonly<Record<string, unknown>>;
}

/** Carries out one line. */
export function update(target: AdminTarget, line: Buffer): UpdateResult {
  const json = jsonOf(line, 'the line');
  if (json.kind === 'faulty') return failed(json.problem);
  const { operation } = (json.value ?? {}) as { operation?: unknown };
  const form = typeof operation === 'string' ? FORMS.get(operation) : undefined;
  if (!form) return failed(faulty('request-invalid', 'operation: expected one that a stream takes').problem);
  const { route, schema } = form;
  const parsed = schema.safeParse(json.value);
  if (!parsed.success) {
    return failed(faulty('request-invalid', issueOf(parsed.error.issues[0], 'the line')).problem);
  }
  const { lobby = '', steamId: who = '', body = {} } = parsed.data as Line;
  try {
    const reply = route.run(target, { lobby, steamId: who }, body as never, null as never);
    if (reply.kind === 'problem') return failed(reply.problem);
    return { outcome: 'done', answer: { status: route.status } };
  } catch {
    return failed(faulty('internal-error', 'the relay failed to carry out the update').problem);
  }
}

function failed(problem: Problem): UpdateResult {
  return { outcome: 'failed', answer: problemDetails(problem) };
}
