import assert from 'node:assert/strict';
import { read } from '../documents/documents.ts';
import { describeInBrowsers } from '../helpers/browser.ts';
import { openPage, pickFiles } from '../helpers/browser-page.ts';
import { guideFiles } from './guide-files.ts';
import { serveGuide } from './guide-page.ts';
import { choose, DISGUISED, describeKit, PATHS, textBecomes, urlsIn } from './kit-suite.ts';

describeKit(
  'the guide for our own client',
  {
    guide: 'client',
    input: '#files',
    urls: '#list',
    errors: '#list',
    cancel: '#list button',
    isCancelled: (page) => textBecomes(page, '#list', /cancelled/),
  },
  ['chromium'],
);

describeInBrowsers('the client without a bundler', (browser) => {
  it('is a module that the running server has, for pages of allowed origins too', async () => {
    await using served = await serveGuide('client');
    const { site, testServer } = served;
    const html = guideFiles('client').get('page.html') ?? '';
    const page = html.replaceAll("'/api", `'${testServer.api}`);
    site.files.set('/page.html', ['text/html', `<!doctype html><title>Page</title>${page}`]);
    await using opened = await openPage(browser(), `${site.origin}/page.html`, { ready: '#files' });
    await pickFiles(opened.page, '#files', ...PATHS);
    await urlsIn(opened.page, '#urls', PATHS.length);
    await testServer.assertClean({ completeUploads: PATHS.length });
  });
});

describeInBrowsers(
  'the page in README.md',
  (browser) => {
    it('uploads, and offers what the server accepts', async () => {
      await using served = await serveGuide('client');
      const { site, testServer } = served;
      const html = /```html\n(<input id="files".*?)```/s.exec(read('README.md'))?.[1] ?? '';
      const log = `<pre id="log"></pre><script>console.log = (...all) => (log.textContent += all.join(' ') + '\\n');</script>`;
      const page = log + html.replaceAll("'/api", `'${testServer.api}`);
      site.files.set('/readme.html', ['text/html', `<!doctype html><title>Page</title>${page}`]);
      await using opened = await openPage(browser(), `${site.origin}/readme.html`, { ready: '#files' });
      await opened.page.waitForFunction(`document.querySelector('#files').accept.includes('image/jpeg')`);
      await pickFiles(opened.page, '#files', ...PATHS);
      await urlsIn(opened.page, '#log', PATHS.length);
      await testServer.assertClean({ completeUploads: PATHS.length });
    });
  },
  ['chromium'],
);

describeInBrowsers(
  'the Spanish quick start',
  (browser) => {
    it('has a page that uploads, and says in Spanish what it can not', async () => {
      await using served = await serveGuide('client');
      const { site, testServer } = served;
      const html = /```html pagina\.html\n(.*?)```/s.exec(read('docs/inicio-rapido.md'))?.[1] ?? '';
      const page = html.replaceAll("'/api", `'${testServer.api}`);
      site.files.set('/es.html', [
        'text/html',
        `<!doctype html><html lang="es"><title>Página</title>${page}`,
      ]);
      await using opened = await openPage(browser(), `${site.origin}/es.html`, { ready: '#archivos' });
      await pickFiles(opened.page, '#archivos', ...PATHS);
      await urlsIn(opened.page, '#estado', PATHS.length);
      await choose(opened.page, '#archivos', DISGUISED);
      await textBecomes(opened.page, '#estado', /El archivo está dañado o en realidad no es una imagen/);
      await testServer.assertClean({ completeUploads: PATHS.length });
    });

    it('has the element, which speaks Spanish', async () => {
      await using served = await serveGuide('client');
      const { site, testServer } = served;
      const html = /```html elemento\.html\n(.*?)```/s.exec(read('docs/inicio-rapido.md'))?.[1] ?? '';
      const page = html
        .replace('/api', testServer.api)
        .replace('<leadway-upload', `<leadway-upload endpoint="${testServer.api}"`);
      site.files.set('/es.html', [
        'text/html',
        `<!doctype html><html lang="es"><title>Página</title>${page}`,
      ]);
      await using opened = await openPage(browser(), `${site.origin}/es.html`);
      const upload = `document.querySelector('leadway-upload')`;
      await opened.page.waitForFunction(`${upload}?.add !== undefined`);
      await opened.page.evaluate(`${upload}.add(new File(['Hola'], 'hola.txt'))`);
      await opened.page.waitForFunction(`${upload}.value.length === 1`);
      assert.match(String(await opened.page.evaluate(`${upload}.shadowRoot.textContent`)), /Elegir|Añadir/);
      await testServer.assertClean({ completeUploads: 1 });
    });
  },
  ['chromium'],
);
