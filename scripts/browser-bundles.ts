import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** The modules for pages without a bundler: the name below the API's base path, and the entry in the sources. */
export const BROWSER_BUNDLES: Readonly<Record<string, string>> = {
  'client.js': 'client/browser.ts',
  'element.js': 'client/element/index.ts',
};

/** Takes the white space out of the element's style sheet, which minifiers of scripts leave as it is. */
const minifyStyles = {
  name: 'minify-styles',
  transform(code: string, id: string) {
    if (!id.endsWith('/element/styles.ts')) return null;
    const [, before = '', styles = '', after = ''] = /^(.* STYLES = `)(.*)(`.*)$/s.exec(code) ?? [];
    const small = styles
      .replace(/\s+/g, ' ')
      .replace(/ ?([{};,]) ?/g, '$1')
      .replace(/: /g, ':')
      .replaceAll(';}', '}');
    return { code: before + small + after, map: null };
  },
};

const bundles = new Map<string, Promise<string>>();

/** Bundles and minifies the module `name`; once, as its sources do not change while a process runs. */
export function bundleForBrowsers(name: string): Promise<string> {
  const known = bundles.get(name) ?? bundle(BROWSER_BUNDLES[name] ?? '');
  bundles.set(name, known);
  return known;
}

async function bundle(entry: string): Promise<string> {
  const bundled = await rolldown({
    input: join(ROOT, entry),
    platform: 'browser',
    tsconfig: false,
    plugins: [minifyStyles],
  });
  const { output } = await bundled.generate({ format: 'es', minify: true, codeSplitting: false });
  await bundled.close();
  // The hints for tree shaking have done their work.
  return output[0].code.replaceAll('/* @__PURE__ */ ', '');
}
