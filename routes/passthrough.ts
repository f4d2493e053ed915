import type { NextFunction, Request, Response, Router } from 'express';
import { clientOf } from '../middleware/authenticate.ts';
import { createJsonBody } from '../middleware/json-body.ts';
import { createLeadwayProxy } from '../middleware/leadway-proxy.ts';
import type { AppContext } from '../server/context.ts';
import { appError } from '../server/errors/app-error.ts';
import { hasBody } from '../server/http/body.ts';
import { addLogFields } from '../server/http/log-fields.ts';
import { collectLocations, createRuleBook, type RuleMatch } from '../server/passthrough/rules.ts';
import { parseStrictTarget, type StrictTarget } from '../server/passthrough/strict-target.ts';
import { required } from '../server/uploads/fields.ts';
import { resolveLocation } from '../server/uploads/locations.ts';

/** The attack: 1 MiB of short keys, each searched for a location, would hold the process for 0.3 s. */
const MAX_VALUES = 50_000;

/** The listed calls of `PASSTHROUGH`, each to the Leadway path that follows the base path. */
export function addPassthrough(
  router: Router,
  context: Pick<AppContext, 'agent' | 'uploads' | 'config'>,
): void {
  const rules = createRuleBook(context.config.passthrough);
  const proxy = createLeadwayProxy(context);
  const readJson = createJsonBody(MAX_VALUES);

  router.use((req: Request, res: Response, next: NextFunction) => {
    if (req.path === '/') return next(); // the demo page, where there is no base path
    const target = parseStrictTarget(req.url);
    if (target === null) return next(appError('BAD_REQUEST', { message: 'BAD_REQUEST.target' }));
    // A client that may read a response may ask for its headers (RFC 9110, section 9.3.2).
    const match =
      rules.match(req.method, target.segments) ??
      (req.method === 'HEAD' ? rules.match('GET', target.segments) : null);
    if (match === null) return next();
    const send = (error?: unknown): void => {
      if (error !== undefined) next(error);
      else forward(req, res, next, target, match).catch(next);
    };
    if (hasBody(req)) readJson(req, res, send);
    else send();
  });

  async function forward(
    req: Request,
    res: Response,
    next: NextFunction,
    { segments, query }: StrictTarget,
    { rule, parameters }: RuleMatch,
  ): Promise<void> {
    addLogFields(req, { route: context.config.basePath + rule.slice(rule.indexOf('/')) });
    const body = hasBody(req) ? (req.body as unknown) : null;
    const named = collectLocations(parameters, query, body);
    const locations = context.uploads.locationsFor(clientOf(req));
    const locationId = required(resolveLocation(locations, ...named), 'locationId');
    addLogFields(req, { locationId });
    const search = query.size === 0 ? '' : `?${query}`;
    await proxy(req, res, next, {
      rule,
      locationId,
      target: `/${segments.join('/')}${search}`,
      body: body === null ? null : JSON.stringify(body),
    });
  }
}
