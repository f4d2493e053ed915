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
  'the Spanish quick start',
  (browser) => {
    it('has a page that uploads, and says in Spanish what it can not', async () => {
      await using served = await serveGuide('client');
      const { site, testServer } = served;
      const html = /```html\n(.*?)```/s.exec(read('docs/inicio-rapido.md'))?.[1] ?? '';
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
  },
  ['chromium'],
);
