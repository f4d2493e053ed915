import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Window } from 'happy-dom';
import { bundleComponent } from '../helpers/bundle-component.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a test of an app does: it renders the component with the fake uploader. */
const COMPONENT = `
  import { createElement as h } from 'react';
  import { flushSync } from 'react-dom';
  import { createRoot } from 'react-dom/client';
  import { LeadwayUploadArea } from '${ROOT}client/element/react.ts';
  import { createFakeUploader } from '${ROOT}client/testing.ts';

  window.changes = [];
  window.mount = (props) => {
    const root = createRoot(document.body.appendChild(document.createElement('form')));
    const onChange = (urls) => window.changes.push(urls);
    flushSync(() => root.render(h(LeadwayUploadArea, { ...props, onChange })));
    window.unmount = () => root.unmount();
    return document.querySelector('leadway-upload');
  };
  window.createFakeUploader = createFakeUploader;
`;

let script = '';

/** A page in happy-dom, with its own globals. */
async function openHappyDom() {
  script ||= await bundleComponent(COMPONENT);
  const window = new Window({
    url: 'http://localhost/',
    console, // its own one lacks what React calls
    settings: { enableJavaScriptEvaluation: true, suppressInsecureJavaScriptEnvironmentWarning: true },
  });
  const uncaught: string[] = [];
  const add = (error: unknown) => uncaught.push(String(error));
  window.addEventListener('error', (event) => add(Reflect.get(event, 'error')));
  process.on('unhandledRejection', add);
  window.eval(script);
  return {
    /** Runs `code`, whose result must be JSON. */
    run: async (code: string): Promise<unknown> =>
      JSON.parse(
        String(await window.eval(`(async () => JSON.stringify(await (async () => {${code}})()))()`)),
      ),
    uncaught,
    async [Symbol.asyncDispose]() {
      process.off('unhandledRejection', add);
      await window.happyDOM.close();
    },
  };
}

describe('<leadway-upload> in happy-dom, where there are no form-associated elements', function () {
  this.timeout(60_000);

  it('uploads with the fake uploader, reports the URLs to React, and has them as value', async () => {
    await using page = await openHappyDom();
    const seen = await page.run(`
      const uploader = createFakeUploader({
        'setup.exe': { code: 'TYPE_NOT_ALLOWED', message: 'No programs.', retryable: true },
      });
      const upload = mount({ uploader, multiple: true, required: true, name: 'attachments' });
      upload.add([new File(['a'], 'a.txt'), new File(['MZ'], 'setup.exe'), new File(['b'], 'b.png')]);
      await upload.settled();
      const { value } = upload;
      const lines = [...upload.shadowRoot.querySelectorAll('.line')].map(({ textContent }) => textContent);
      const retry = upload.shadowRoot.querySelector('.retry:not([hidden])');
      retry.focus();
      retry.click();
      await upload.settled();
      unmount();
      return { value, lines, last: changes.at(-1), uploads: uploader.uploads.length };
    `);
    const urls = ['https://files.example/a.txt', 'https://files.example/b.png'];
    assert.deepEqual(seen, {
      value: urls,
      lines: ['Uploaded', 'No programs.', 'Uploaded'],
      last: urls,
      uploads: 4,
    });
    assert.deepEqual(page.uncaught, []);
  });

  it('takes what a test chooses and drops', async () => {
    await using page = await openHappyDom();
    const seen = await page.run(`
      const upload = mount({ uploader: createFakeUploader(), multiple: true });
      const input = upload.shadowRoot.querySelector('.input-files');
      Object.defineProperty(input, 'files', { value: [new File(['a'], 'chosen.txt')] });
      input.dispatchEvent(new Event('change', { bubbles: true }));
      const dropped = new Event('drop', { bubbles: true, cancelable: true });
      const added = new Promise((resolve) => upload.addEventListener('upload-add', resolve, { once: true }));
      upload.dispatchEvent(Object.assign(dropped, { dataTransfer: { types: ['Files'], files: [new File(['b'], 'dropped.txt')] } }));
      await added;
      await upload.settled();
      return { value: upload.value, isValid: upload.checkValidity() && upload.reportValidity() };
    `);
    assert.deepEqual(seen, {
      value: ['https://files.example/chosen.txt', 'https://files.example/dropped.txt'],
      isValid: true,
    });
    assert.deepEqual(page.uncaught, []);
  });
});
