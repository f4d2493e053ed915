import { AUDIENCE, OpenIdProvider } from './open-id.ts';
import { createTestServer, type TestServer } from './test-server.ts';

/** A test server that knows its clients by the tokens of a provider. */
export interface JwtTestServer {
  readonly provider: OpenIdProvider;
  readonly testServer: TestServer;
}

/** Opens one for the suite that calls this, hands it to `use`, looks after it behind each test and closes it. */
export function openJwtTestServer(use: (opened: JwtTestServer) => void): void {
  const resources = new AsyncDisposableStack();
  let testServer: TestServer;
  before(async () => {
    const provider = resources.use(await OpenIdProvider.start([]));
    const env = { AUTH: 'jwt', AUTH_JWT_ISSUER: provider.issuer, AUTH_JWT_AUDIENCE: AUDIENCE };
    testServer = resources.use(await createTestServer({ env: { ...env, AUTH_JWT_COOKIE: 'id' } }));
    use({ provider, testServer });
  });
  after(() => resources.disposeAsync());
  afterEach(() => testServer.assertClean());
}
