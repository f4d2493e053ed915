import { faultOfConversation, isFaultName } from './faults.ts';
import { leadwayError } from './leadway-responses.ts';
import { ID_PATTERN } from './options.ts';
import type { RequestContext, SandboxResponse } from './request-context.ts';
import type { SandboxState } from './state.ts';

/** The bearer token of a request, empty when it has none. */
export function bearerOf(context: RequestContext): string {
  return /^Bearer (\S+)$/i.exec(context.req.headers.authorization ?? '')?.[1] ?? '';
}

/** The messages of Leadway's validation for ids that must be there. */
export function idProblems(values: Readonly<Record<string, unknown>>, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = values[name];
    if (typeof value !== 'string') return [`${name} must be a string`];
    if (value === '') return [`${name} should not be empty`];
    return ID_PATTERN.test(value) ? [] : [`${name} must be a valid id`];
  });
}

/** A token belongs to one location and opens no other. */
export function locationProblem(
  state: SandboxState,
  context: RequestContext,
  locationId: string,
): SandboxResponse | null {
  return state.tokens.get(locationId) === bearerOf(context)
    ? null
    : leadwayError(403, 'The token does not have access to this location.');
}

/** Every well-formed conversation exists, but for those that say they do not. */
export function conversationProblem(conversationId: string): SandboxResponse | null {
  // The real service responses 500 without an `error` here, seen in the wild.
  if (conversationId.startsWith('missing')) {
    return {
      status: 500,
      json: { statusCode: 500, message: `Conversation with id ${conversationId} not found` },
    };
  }
  const fault = faultOfConversation(conversationId);
  return fault === null || isFaultName(fault)
    ? null
    : leadwayError(500, `The sandbox has no fault named "${fault}"`);
}
