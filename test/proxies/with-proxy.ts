import { needsPrograms } from '../helpers/programs.ts';
import type { ProxySetup } from './proxies.ts';
import { type RunningProxy, startProxy } from './running-proxy.ts';
import { TRANSPORTS, type Transport } from './send.ts';

/** Runs `use` with a proxy in front of `serverUrl`; if it fails, the error shows what the proxy has logged. */
export async function withProxy(
  setup: ProxySetup,
  transport: Transport,
  serverUrl: string,
  use: (proxy: RunningProxy) => Promise<void>,
): Promise<void> {
  await using proxy = await startProxy(setup, serverUrl, transport.endsWith('TLS'));
  try {
    await use(proxy);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\nThe proxy logged:\n${proxy.log}`, { cause: error });
  }
}

/** Describes `suite` for each of `setups`; skipped loudly where a program is missing. */
export function describeProxies(setups: readonly ProxySetup[], suite: (setup: ProxySetup) => void): void {
  for (const setup of setups) {
    describe(setup.name, () => {
      before('its program is installed', function () {
        needsPrograms(this, setup.program, 'openssl');
      });
      suite(setup);
    });
  }
}

/** Defines a test for every transport. */
export function itOverEach(title: string, test: (transport: Transport) => Promise<void>): void {
  for (const transport of TRANSPORTS) it(`${title} (${transport})`, () => test(transport));
}
