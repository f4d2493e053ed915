import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { ROOT, read } from '../documents/documents.ts';

/** nginx is on the first page; a newcomer copies the first block of it. */
const PAGES = ['docs/deployment.md', 'docs/deployment/proxies.md'].map(read);
const file = (name: string): string => read(`deploy/proxies/${name}`);

describe('deploy/proxies', () => {
  it('is what the pages show, or at least link', () => {
    for (const name of readdirSync(`${ROOT}deploy/proxies`)) {
      const shown = PAGES.filter((page) => page.includes(`deploy/proxies/${name})`));
      assert.equal(shown.length, 1, `${name} is linked once`);
      if (name !== 'nginx.conf')
        assert(shown[0]?.includes(`\n${file(name)}\`\`\`\n`), `${name} is not shown as it is`);
    }
  });

  it('shows the file for the nginx of Debian and Ubuntu first', () => {
    const [, first] = /```nginx\n(.*?)```/s.exec(PAGES[0] ?? '') ?? [];
    assert.equal(first, file('nginx-1.22.conf'));
  });

  it('has the same for both nginx versions, except for how HTTP/2 is turned on', () => {
    const withoutTitle = (text: string): string => text.slice(text.indexOf('\n'));
    assert.equal(
      withoutTitle(file('nginx-1.22.conf')),
      withoutTitle(file('nginx.conf')).replace('listen 443 ssl;\n    http2 on;', 'listen 443 ssl http2;'),
    );
  });
});
