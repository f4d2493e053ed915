import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { Provider } from 'oidc-provider';

const CLIENT = { id: 'browser-app', secret: 'secret-of-the-browser-app' };
export const AUDIENCE = 'https://bff.example/api';

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** Changes to a token that is otherwise good; a claim that is undefined is left out. */
export interface Forgery {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly key?: CryptoKey | Uint8Array;
}

/** A real OpenID provider on a free port, whose keys a test can turn over and misuse. */
export class OpenIdProvider implements AsyncDisposable {
  readonly issuer: string;
  /** Which paths were asked for, one entry a request. */
  readonly asked: string[] = [];
  key: SigningKey;
  /** Responses instead of the provider while it is set, but for the paths of `spared`. */
  fault: ((req: IncomingMessage, res: ServerResponse) => void) | null = null;
  spared: readonly string[] = [];
  readonly #server;
  #response: (req: IncomingMessage, res: ServerResponse) => void;

  private constructor(server: ReturnType<typeof createServer>, issuer: string, key: SigningKey) {
    this.#server = server;
    this.issuer = issuer;
    this.key = key;
    this.#response = () => {};
    server.on('request', (req, res) => {
      this.asked.push(req.url ?? '');
      const isSpared = this.spared.includes(req.url ?? '');
      ((isSpared ? null : this.fault) ?? this.#response)(req, res);
    });
  }

  /** Starts one that gives tokens with `locations` in them. */
  static async start(locations: unknown): Promise<OpenIdProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new OpenIdProvider(server, issuer, await makeKey('key-1'));
    await provider.#run(locations);
    return provider;
  }

  get jwksUrl(): string {
    return `${this.issuer}/jwks`;
  }

  /** Replaces the signing key, as a provider does from time to time. */
  async rotate(locations: unknown, kid = 'key-2'): Promise<void> {
    this.key = await makeKey(kid);
    await this.#run(locations);
  }

  /** Asks the provider for an access token, as a signed-in program does. */
  async requestToken(): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: AUDIENCE }),
    });
    const { access_token: token } = (await response.json()) as { access_token?: string };
    assert(response.ok && token !== undefined);
    return token;
  }

  /** A token signed with the provider's own key or, with `forgery`, with something wrong about it. */
  async sign({ claims = {}, header = {}, key = this.key.privateKey }: Forgery = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const good = { iss: this.issuer, aud: AUDIENCE, sub: 'user-1', iat: now, exp: now + 300 };
    const payload = Object.fromEntries(
      Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined),
    );
    return new SignJWT(payload as JWTPayload)
      .setProtectedHeader({ alg: 'RS256', kid: this.key.kid, ...header })
      .sign(key);
  }

  async #run(locations: unknown): Promise<void> {
    const { kid, privateKey } = this.key;
    const provider = new Provider(this.issuer, {
      jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' }] },
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      cookies: { keys: ['keys-of-cookies-that-nobody-gets'] },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: async () => ({
            audience: AUDIENCE,
            scope: '',
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
      extraTokenClaims: async () => ({ locations }),
    });
    this.#response = provider.callback();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function makeKey(kid: string): Promise<SigningKey> {
  return { kid, ...(await generateKeyPair('RS256', { extractable: true })) };
}
