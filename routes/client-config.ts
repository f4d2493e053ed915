import type { Request, Response, Router } from 'express';
import { identify } from '../middleware/authenticate.ts';
import { createMethodNotAllowed } from '../middleware/error-handler.ts';
import type { AppContext } from '../server/context.ts';
import { predictableWarnings } from '../server/delivery/assess.ts';
import { CHANNEL_RULES } from '../server/delivery/channel-rules.ts';
import { LANGUAGES } from '../server/errors/messages.ts';
import { languageOf } from '../server/errors/response.ts';
import { FILE_TYPES } from '../server/file-types/file-types.ts';
import { rejectionTemplates } from '../server/file-types/type-messages.ts';
import { FILE_FIELD } from '../server/uploads/fields.ts';
import { CHANNEL_LIMITS } from '../server/uploads/mode.ts';

/** How old what other replicas know of Leadway's limits may be. */
const MAX_AGE_MS = 1_000;

/** `GET /config`: what a browser client needs to reject early and to choose a mode. Holds no secret. */
export function addClientConfig(
  router: Router,
  {
    authenticator,
    config,
    direct,
    policy,
    uploads: uploadContext,
  }: Pick<AppContext, 'authenticator' | 'config' | 'direct' | 'policy' | 'uploads'>,
): void {
  const { uploads, forward, leadway } = config;
  const allowed = new Set(uploads.allowedExtensions);
  const types = Object.values(FILE_TYPES)
    .map((type) => ({
      extensions: type.extensions.filter((extension) => allowed.has(extension)),
      mimeTypes: type.mimeTypes,
    }))
    .filter((type) => type.extensions.length > 0);
  const rejections = new Map(LANGUAGES.map((language) => [language, rejectionTemplates(policy, language)]));
  const warnings = new Map(LANGUAGES.map((language) => [language, predictableWarnings(policy, language)]));
  const channels = Object.fromEntries(
    Object.entries(CHANNEL_RULES).map(([name, { source: _source, date: _date, ...rule }]) => [name, rule]),
  );
  const { sizeLimits } = uploadContext;
  /** What Leadway accepts in the client's own locations; in all of them if the client has not said who it is. */
  const leadwayMaxBytes = async (req: Request): Promise<number> => {
    await sizeLimits.refresh(MAX_AGE_MS); // anybody may ask, as often as they like
    // Usually no limit is known, and authenticating takes time.
    if (sizeLimits.lowestOf(leadway.locationIds) === Number.POSITIVE_INFINITY)
      return Number.POSITIVE_INFINITY;
    const { locations = null } = await identify(authenticator, req).catch(() => ({ locations: null }));
    return sizeLimits.lowestOf(leadway.locationIds.filter((id) => locations === null || locations.has(id)));
  };
  const sendConfig = async (req: Request, res: Response): Promise<void> => {
    const mostBytes = await leadwayMaxBytes(req);
    const isDirectOffered = leadway.locationIds.some((locationId) => direct.isOffered(locationId));
    const language = languageOf(req);
    res.vary('Accept-Language');
    const stored = uploadContext.isDirectAllowed ? ['direct', 'relay'] : ['relay'];
    res.set('Cache-Control', 'no-store').json({
      fileField: FILE_FIELD,
      maxFiles: uploads.maxFiles,
      types,
      channels: { default: uploads.defaultChannel },
      limits: {
        forwardMaxBytes: Math.min(isDirectOffered ? forward.maxBytes : forward.fallbackMaxBytes, mostBytes),
        directMaxBytes: { default: CHANNEL_LIMITS.default, ...CHANNEL_LIMITS.channels },
      },
      delivery: {
        strict: uploads.strictDelivery,
        channels,
        warnings: warnings.get(language),
      },
      rejections: rejections.get(language),
      modes: ['auto', 'forward', ...(isDirectOffered ? stored : [])],
    });
  };
  router.route('/config').get(sendConfig).all(createMethodNotAllowed('GET', 'HEAD'));
}
