import { createHouse, type House } from './house.ts';
import { AUDIENCE, OpenIdProvider } from './open-id.ts';

/** A house that knows its callers by the tokens of a provider. */
export interface JwtHouse {
  readonly provider: OpenIdProvider;
  readonly house: House;
}

/** Opens one for the suite that calls this, hands it to `use`, looks after it behind each test and closes it. */
export function openJwtHouse(use: (opened: JwtHouse) => void): void {
  const resources = new AsyncDisposableStack();
  let house: House;
  before(async () => {
    const provider = resources.use(await OpenIdProvider.start([]));
    const env = { AUTH: 'jwt', AUTH_JWT_ISSUER: provider.issuer, AUTH_JWT_AUDIENCE: AUDIENCE };
    house = resources.use(await createHouse({ env: { ...env, AUTH_JWT_COOKIE: 'id' } }));
    use({ provider, house });
  });
  after(() => resources.disposeAsync());
  afterEach(() => house.assertTidy());
}
