import { leadwayError, noSuchEndpoint } from './leadway-responses.ts';
import type { RequestContext, SandboxResponse } from './request-context.ts';
import type { SandboxState } from './state.ts';
import { conversationProblem, idProblems, locationProblem } from './targets.ts';

/** Real responses carry cookies of the vendor's edge; a BFF must not pass them on. */
const COOKIE = { 'Set-Cookie': '__cf_bm=sandbox-cookie; path=/; HttpOnly; Secure; SameSite=None' };

/** The conversation a request of these endpoints is about, if any. */
export function conversationOf(url: URL, json: Readonly<Record<string, unknown>>): string | null {
  const [, id] = /^\/conversations\/([^/]+)(?:\/messages)?$/.exec(url.pathname) ?? [];
  if (id !== undefined && id !== 'search' && id !== 'messages') return id;
  const other = json['conversationId'] ?? url.searchParams.get('id');
  return typeof other === 'string' ? other : null;
}

/** Responses the plain endpoints: enough of Leadway for a passthrough to be seen working, with an echo of what came. */
export function responseConversations(
  state: SandboxState,
  context: RequestContext,
  url: URL,
  json: Readonly<Record<string, unknown>>,
): SandboxResponse {
  const method = context.record.method;
  const ownLocation =
    [...state.tokens].find(([id]) => locationProblem(state, context, id) === null)?.[0] ?? '';
  const echo = { method, path: url.pathname, query: Object.fromEntries(url.searchParams), body: json };
  const found = (status: number, body: object): SandboxResponse => ({
    status,
    headers: COOKIE,
    json: { ...body, echo },
  });

  const conversationId = conversationOf(url, json);
  const isConversationPath = /^\/conversations\/[^/]+(\/messages)?$/.test(url.pathname);
  const target = conversationId === null ? null : conversationProblem(conversationId);

  if (method === 'POST' && url.pathname === '/conversations/messages') {
    const problems = idProblems(json, ['contactId']);
    if (typeof json['type'] !== 'string') problems.push('type must be a string');
    if (problems.length > 0) return leadwayError(400, problems);
    return (
      target ??
      found(201, {
        conversationId: conversationId ?? 'sandboxConversation01',
        messageId: 'sandboxMessage01',
        status: 'pending',
      })
    );
  }
  if (method !== 'GET' || !isConversationPath || url.pathname === '/conversations/messages') {
    return noSuchEndpoint(method, url.pathname);
  }
  if (url.pathname === '/conversations/search') {
    const locationId = url.searchParams.get('locationId') ?? '';
    if (locationId === '') return leadwayError(400, ['locationId should not be empty']);
    const conversations = [
      { id: 'sandboxConversation01', contactId: 'sandboxContact01', locationId, type: 'TYPE_PHONE' },
    ];
    return locationProblem(state, context, locationId) ?? target ?? found(200, { conversations, total: 1 });
  }
  if (target !== null) return target;
  if (url.pathname.endsWith('/messages')) {
    const messages = { lastMessageId: 'sandboxMessage01', nextPage: false, messages: [] };
    return found(200, { messages });
  }
  return found(200, {
    id: conversationId,
    contactId: 'sandboxContact01',
    locationId: ownLocation,
    deleted: false,
    inbox: true,
    type: 1,
    unreadCount: 0,
  });
}
