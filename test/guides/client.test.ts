import { describeInBrowsers } from '../helpers/browser.ts';
import { openPage, pickFiles } from '../helpers/browser-page.ts';
import { guideFiles } from './guide-files.ts';
import { serveGuide } from './guide-page.ts';
import { describeKit, PATHS, textBecomes, urlsIn } from './kit-suite.ts';

describeKit('the guide for our own client', {
  guide: 'client',
  input: '#files',
  urls: '#list',
  errors: '#list',
  cancel: '#list button',
  isCancelled: (page) => textBecomes(page, '#list', /cancelled/),
});

describeInBrowsers('the client without a bundler', (browser) => {
  it('is a module that the running server has, for pages of allowed origins too', async () => {
    await using served = await serveGuide('client');
    const { site, house } = served;
    const html = guideFiles('client').get('page.html') ?? '';
    const page = html.replaceAll("'/api", `'${house.api}`);
    site.files.set('/page.html', ['text/html', `<!doctype html><title>Page</title>${page}`]);
    await using opened = await openPage(browser(), `${site.origin}/page.html`, { ready: '#files' });
    await pickFiles(opened.page, '#files', ...PATHS);
    await urlsIn(opened.page, '#urls', PATHS.length);
    await house.assertTidy({ completeUploads: PATHS.length });
  });
});
