import assert from 'node:assert/strict';
import {
  formatOriginPattern,
  matchesOrigin,
  type OriginPattern,
  parseOriginPattern,
} from '../../../server/config/addresses.ts';

function pattern(text: string): OriginPattern {
  const parsed = parseOriginPattern(text);
  assert(parsed.ok, text);
  return parsed.value;
}

const CASES: readonly {
  readonly of: string;
  readonly inside: readonly string[];
  readonly outside: readonly string[];
}[] = [
  {
    of: 'https://storage.googleapis.com',
    inside: [
      'https://storage.googleapis.com/b/o?X-Goog-Signature=1',
      'https://STORAGE.googleapis.com:443/',
      'https:\\\\storage.googleapis.com/x',
    ],
    outside: [
      'http://storage.googleapis.com/',
      'https://storage.googleapis.com:8443/',
      'https://bucket.storage.googleapis.com/',
      'https://storage.googleapis.com.evil.example/',
      'https://storage.googleapis.com@evil.example/',
      'https://user@storage.googleapis.com/',
      'https://:pw@storage.googleapis.com/',
      'https://storage.googleapis.com./',
      'ftp://storage.googleapis.com/',
    ],
  },
  {
    of: 'https://*.storage.googleapis.com',
    inside: ['https://bucket.storage.googleapis.com/o', 'https://a.b.storage.googleapis.com/o'],
    outside: [
      'https://storage.googleapis.com/',
      'https://evilstorage.googleapis.com/',
      'https://.storage.googleapis.com/',
      'https://a..storage.googleapis.com/',
      'https://bucket.storage.googleapis.com:444/',
      'http://bucket.storage.googleapis.com/',
      'https://bucket.storage.googleapis.com.evil.example/',
      'https://evil.example/.storage.googleapis.com',
      'https://u:p@bucket.storage.googleapis.com/',
    ],
  },
  {
    of: 'http://127.0.0.1:9000',
    inside: ['http://127.0.0.1:9000/x', 'http://0x7f.1:9000/x'],
    outside: ['http://127.0.0.1/x', 'https://127.0.0.1:9000/x'],
  },
  { of: 'http://[::1]:9000', inside: ['http://[0:0:0:0:0:0:0:1]:9000/x'], outside: ['http://[::2]:9000/x'] },
];

describe('matchesOrigin', () => {
  for (const { of, inside, outside } of CASES) {
    it(`keeps to ${of}`, () => {
      for (const url of inside) assert(matchesOrigin(pattern(of), new URL(url)), url);
      for (const url of outside) {
        if (URL.canParse(url)) assert(!matchesOrigin(pattern(of), new URL(url)), url);
      }
    });

    it(`writes ${of} as it was written`, () => {
      assert.equal(formatOriginPattern(pattern(of)), of);
    });
  }
});
