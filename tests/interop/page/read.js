// Opens pages in Chromium and says, as one JSON object, what each of them did and what it is like to
// read: `run FOLDER FILE.html...`. Pictures and the printed page are put into FOLDER.
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import chromium from '@sparticuz/chromium';
import puppeteer from 'puppeteer-core';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [folder, ...files] = process.argv.slice(2);
const browser = await puppeteer.launch({
  executablePath: await chromium.executablePath(),
  headless: 'shell',
  args: [...chromium.args, '--no-sandbox'],
  // A page of some thousand steps on a machine that does other things as well.
  protocolTimeout: 900_000,
});
const all = {};
for (const file of files) all[basename(file)] = await read(file);
await browser.close();
console.log(JSON.stringify(all));

async function read(file) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  const seen = { dialogs: [], requests: [], console: [], errors: [] };
  page.on('dialog', (dialog) => { seen.dialogs.push(dialog.message()); dialog.dismiss(); });
  page.on('console', (message) => seen.console.push(message.text()));
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  const own = pathToFileURL(resolve(file)).href;
  page.on('request', (request) => { if (request.url().split('#')[0] !== own) seen.requests.push(request.url()); });
  const began = Date.now();
  // Where the time went, for one who waits.
  const upTo = (what) => console.error(`${basename(file)}: ${what} after ${Date.now() - began} ms`);
  await page.goto(own, { waitUntil: 'load' });
  seen.loadedAfterMs = Date.now() - began;
  const name = basename(file, '.html');
  await page.screenshot({ path: join(folder, `${name}.png`) });
  upTo('picture');
  Object.assign(seen, await page.evaluate(looked));
  seen.keyboard = await byKeyboard(page);
  upTo('keyboard');
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await page.screenshot({ path: join(folder, `${name}-dark.png`) });
  seen.darkViolations = await violations(page);
  upTo('rules, dark');
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
  seen.violations = await violations(page);
  upTo('rules');
  const picture = await page.$('.picture');
  if (picture) await picture.screenshot({ path: join(folder, `${name}-picture.png`) });
  const paper = join(folder, `${name}.pdf`);
  await page.pdf({ path: paper, format: 'A4', timeout: 900_000 });
  seen.paperBytes = (await stat(paper)).size;
  upTo('paper');
  await page.emulateMediaType('print');
  // What is closed on the screen, and has a height on paper.
  seen.printedFacts = await page.evaluate(() =>
    [...document.querySelectorAll('details:not([open]) > .facts')].filter((facts) => facts.getBoundingClientRect().height > 0).length);
  await page.close();
  return seen;
}

// In the page.
function looked() {
  const all = (selector) => [...document.querySelectorAll(selector)];
  return {
    title: document.title,
    heading: document.querySelector('h1')?.textContent,
    scripts: document.scripts.length,
    handlers: all('*').filter((element) => [...element.attributes].some((of) => /^on|^style$/i.test(of.name))).length,
    links: all('a').length,
    foreignLinks: all('a').filter((a) => !/^#[a-z]\d+$/.test(a.getAttribute('href'))).length,
    brokenLinks: all('a').filter((a) => !document.getElementById(a.getAttribute('href').slice(1))).length,
    things: all('svg a, svg g[tabindex]').length,
    rows: all('details').length,
    closedFacts: all('details:not([open]) > .facts').length,
    elements: all('*').length,
    wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    outside: all('svg a, svg g[tabindex]').filter((thing) => {
      const svg = thing.ownerSVGElement.getBoundingClientRect();
      const box = thing.getBoundingClientRect();
      return box.left < svg.left || box.top < svg.top || box.right > svg.right || box.bottom > svg.bottom;
    }).length,
  };
}

// Tab goes through everything that can be used, once and in turn; Enter opens what a thing leads to.
async function byKeyboard(page) {
  const wanted = await page.evaluate(() => document.querySelectorAll('a, summary, svg g[tabindex], [role=region]').length);
  const reached = new Set();
  let visible = true;
  let opened = null;
  for (let at = 0; at < Math.min(wanted, 400); at++) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(() => {
      const of = document.activeElement;
      if (!of || of === document.body) return null;
      of.dataset.at ??= String(document.querySelectorAll('[data-at]').length);
      const style = getComputedStyle(of.matches('svg *') ? of.querySelector('.face') : of);
      return { at: of.dataset.at, thing: of.matches('svg a'), ring: style.outlineStyle !== 'none' || parseFloat(style.strokeWidth) > 3 };
    });
    if (!now) break;
    reached.add(now.at);
    visible &&= now.ring;
    if (now.thing && opened === null) {
      await page.keyboard.press('Enter');
      opened = await page.evaluate(() => {
        const target = document.querySelector(':target');
        return Boolean(target?.closest('details')?.open) && target.getBoundingClientRect().height > 0;
      });
      // Focus begins anew at the target: once more from the top, to where it was.
      await page.evaluate((at) => document.querySelector(`[data-at="${at}"]`).focus(), now.at);
    }
  }
  return { wanted, reached: reached.size, visible, opened };
}

async function violations(page) {
  // axe is put beside the page by the debugger, which the page's own rules do not bind.
  await page.evaluate(axe);
  // Rows are alike, and its time grows with more than their number: of a long list it sees the first fifty.
  const result = await page.evaluate(async () => {
    const rows = [...document.querySelectorAll('.row')];
    const away = (rows.length > 200 ? rows.slice(50) : []).map((row) => {
      const place = document.createComment('');
      row.replaceWith(place);
      return { row, place };
    });
    const result = await globalThis.axe.run({ resultTypes: ['violations'] });
    for (const { row, place } of away) place.replaceWith(row);
    return result;
  });
  return result.violations.map((of) => ({ id: of.id, impact: of.impact, nodes: of.nodes.length, first: of.nodes[0]?.html.slice(0, 200), why: of.nodes[0]?.failureSummary?.slice(0, 300) }));
}
