import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { ROOT, read } from '../documents/documents.ts';

const page = read('docs/deployment.md');
const file = (name: string): string => read(`deploy/proxies/${name}`);

describe('deploy/proxies', () => {
  it('is what docs/deployment.md shows, or at least links', () => {
    for (const name of readdirSync(`${ROOT}deploy/proxies`)) {
      assert(page.includes(`(../deploy/proxies/${name})`), `${name} is not linked`);
      if (name !== 'nginx.conf')
        assert(page.includes(`\n${file(name)}\`\`\`\n`), `${name} is not shown as it is`);
    }
  });

  it('has the same for both nginx versions, except for how HTTP/2 is turned on', () => {
    const withoutTitle = (text: string): string => text.slice(text.indexOf('\n'));
    assert.equal(
      withoutTitle(file('nginx-1.22.conf')),
      withoutTitle(file('nginx.conf')).replace('listen 443 ssl;\n    http2 on;', 'listen 443 ssl http2;'),
    );
  });
});
