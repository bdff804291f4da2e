// SPDX-License-Identifier: Apache-2.0
// The device's update page in Chromium, on the virtual board: everything that a person does with it.

import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { prepareFiles, startBoard } from './board.mjs';

const files = prepareFiles();
const shots = process.env.SCREENSHOTS;
let browser;

before(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
after(async () => {
  await browser.close();
  files.remove();
});

/** Opens the board's page; every request that leaves the board fails the test. */
async function open(url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.strangers = [];
  page.on('request', request => {
    if (!/^(data:|blob:)/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin) page.strangers.push(request.url());
  });
  page.on('pageerror', error => { throw error; });
  page.on('dialog', dialog => dialog.accept());
  await page.goto(url + '/update');
  await page.getByText(/ runs /).first().waitFor();
  return page;
}

const shoot = (page, name) => page.screenshot({ path: join(shots, name + '.png'), fullPage: true });
const result = page => page.getByRole('alert');
const send = page => page.getByRole('button', { name: 'Send' });
const pick = (page, file) => page.locator('#file').setInputFiles(file);
const slot = (page, label) => page.getByRole('row', { name: new RegExp(`^${label} `) });
const info = async board => (await fetch(board.url + '/update/info')).json();

/** Drops a file on an element, as a hand with a mouse does: the browser's own File in its own DataTransfer. */
async function drop(page, selector, file, name) {
  const content = readFileSync(file).toString('base64');
  const carried = await page.evaluateHandle(([text, called]) => {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0)), transfer = new DataTransfer();
    transfer.items.add(new File([bytes], called, { type: 'application/octet-stream' }));
    return transfer;
  }, [content, name]);
  const kept = [];
  for (const type of ['dragenter', 'dragover', 'drop']) {
    kept.push(await page.locator(selector).evaluate((node, [kind, dataTransfer]) => {
      const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
      node.dispatchEvent(event);
      return event.defaultPrevented; /* else the browser opens the file in place of the page */
    }, [type, carried]));
    if (type === 'dragover') assert.ok(await page.locator('#drop').evaluate(node => node.classList.contains('over')), 'it is seen where it will fall');
  }
  assert.deepEqual(kept, [true, true, true]);
  assert.ok(!await page.locator('#drop').evaluate(node => node.classList.contains('over')));
}

async function resultIs(page, pattern) {
  await page.waitForFunction(text => new RegExp(text).test(document.getElementById('result').textContent), pattern.source, { timeout: 60000 });
  assert.match(await result(page).textContent(), pattern);
}

describe('a board that is restarted by hand', () => {
  let board, page;
  before(async () => {
    board = await startBoard(files, 'porch', '--restart', 'user');
    page = await open(board.url);
  });
  after(async () => {
    await page.context().close();
    await board.stop();
  });

  test('says what runs and what is in each slot', async () => {
    assert.equal(await page.title(), 'porch');
    assert.match(await page.locator('#runs').textContent(), /esp32-s3 runs porch 1\.0\.0 in ota_0/);
    assert.match(await slot(page, 'ota_0').textContent(), /porch 1\.0\.0.*runs/s);
    await shoot(page, '1-first-sight');
  });

  test('refuses a wrong file before it is sent, and says why', async () => {
    const wrong = join(files.folder, 'notes.txt');
    writeFileSync(wrong, 'milk, bread, 2 lemons');
    await pick(page, wrong);
    await page.getByText(/does not begin as an image does/).waitFor();
    assert.ok(await send(page).isDisabled());
    const other = readFileSync(files.code);
    other.writeUInt16LE(0, 12);
    const otherChip = join(files.folder, 'other-chip.bin');
    writeFileSync(otherChip, other);
    await pick(page, otherChip);
    await page.getByText('This is for esp32; the device is an esp32-s3.').waitFor();
    assert.ok(await send(page).isDisabled());
    const large = join(files.folder, 'large.bin');
    writeFileSync(large, Buffer.concat([readFileSync(files.code), Buffer.alloc(3 << 20)]));
    await pick(page, large);
    await page.getByText(/has room for/).waitFor();
    assert.ok(await send(page).isDisabled());
    await shoot(page, '2-wrong-file');
  });

  test('the device itself refuses what only looks right', async () => {
    const torn = readFileSync(files.code);
    torn[300000] ^= 0x10;
    const damaged = join(files.folder, 'damaged.bin');
    writeFileSync(damaged, torn);
    const before = await info(board);
    await pick(page, damaged);
    await send(page).click();
    await resultIs(page, /damaged|checksum|hash/i);
    assert.ok(await result(page).evaluate(node => node.classList.contains('bad')));
    assert.equal((await info(board)).boot, before.boot);
    assert.ok((await info(board)).slots.every(s => !s.next || s.runs), 'what boots has not changed');
    await shoot(page, '3-refused-by-the-device');
  });

  test('a connection cut in the middle harms nothing, and the next try works', async () => {
    let allowed = 400000;
    const proxy = createServer(client => {
      const device = connect(board.port, '127.0.0.1');
      client.on('data', data => {
        allowed -= data.length;
        if (allowed <= 0) { client.destroy(); device.resetAndDestroy(); }
        else device.write(data);
      });
      device.on('data', data => client.write(data));
      for (const [socket, peer] of [[client, device], [device, client]]) {
        socket.on('error', () => peer.destroy());
        socket.on('close', () => peer.destroy());
      }
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const cut = await open(`http://127.0.0.1:${proxy.address().port}`);
    await pick(cut, files.code);
    await send(cut).click();
    await resultIs(cut, /connection broke/i);
    await shoot(cut, '4-connection-cut');
    await cut.context().close();
    proxy.close();
    assert.equal((await info(board)).running, 'ota_0');
  });

  test('a program is sent, proven, and waits for the restart', async () => {
    const before = await info(board);
    await pick(page, files.code);
    await page.getByText(new RegExp(files.project)).first().waitFor();
    await shoot(page, '5-chosen');
    const network = await page.context().newCDPSession(page);
    await network.send('Network.enable');
    await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400000 });
    await send(page).click();
    await page.getByText(/\d+ %, \d+ KB\/s, \d+ s left/).waitFor();
    assert.ok(await page.getByRole('progressbar').isVisible());
    await shoot(page, '6-under-way');
    await resultIs(page, /proven, and boots next/);
    await network.detach();
    await page.getByRole('row', { name: /boots next/ }).waitFor();
    assert.match(await page.getByRole('row', { name: /boots next/ }).textContent(), new RegExp(files.project));
    assert.equal((await info(board)).boot, before.boot, 'it has not restarted by itself');
    await shoot(page, '7-code-sent');
  });

  test('data is sent, and no restart follows', async () => {
    const before = await info(board);
    await pick(page, files.data);
    await page.locator('[value=filesystem]:checked').waitFor(); /* it is seen to be data */
    await send(page).click();
    await resultIs(page, /data is in place/);
    assert.equal((await info(board)).boot, before.boot);
    await shoot(page, '8-data-sent');
  });

  test('the restart is done by hand, and the page says what runs now', async () => {
    await page.getByRole('button', { name: 'Restart the device' }).click();
    await resultIs(page, /is back and runs/);
    assert.ok((await result(page).textContent()).includes(`${files.project} ${files.version}`));
    assert.equal((await info(board)).running, 'ota_1');
    await shoot(page, '9-restarted');
  });

  test('back to the image before', async () => {
    const button = page.getByRole('button', { name: /Go back/ });
    assert.ok(await button.isEnabled());
    await button.click();
    await resultIs(page, /is back and runs porch 1\.0\.0/);
    assert.equal((await info(board)).running, 'ota_0');
  });

  test('a program that is dropped on the page is sent', async () => {
    await drop(page, '#drop', files.code, 'code.bin');
    await page.getByText(new RegExp(files.project)).first().waitFor();
    assert.equal(await page.locator('#drop').textContent(), 'code.bin');
    await shoot(page, '11-dropped');
    await send(page).click();
    await resultIs(page, /proven, and boots next/);
    assert.ok((await info(board)).slots.some(s => s.next && !s.runs && s.project === files.project));
  });

  test('a compressed program is sent, and compressed data', async () => {
    for (const [name, file, said] of [['code.bin.gz', files.code, /proven, and boots next/], ['littlefs.bin.gz', files.data, /data is in place/]]) {
      const packed = join(files.folder, name);
      writeFileSync(packed, gzipSync(readFileSync(file)));
      await pick(page, packed);
      await page.getByText(/ bytes, compressed/).waitFor();
      await page.locator(`[value=${file === files.data ? 'filesystem' : 'firmware'}]:checked`).waitFor();
      await send(page).click();
      await resultIs(page, said);
    }
    assert.ok((await info(board)).slots.some(s => s.next && !s.runs && s.project === files.project));
  });

  test('so is one that is dropped beside its place', async () => {
    await drop(page, 'h1', files.data, 'littlefs.bin');
    await page.locator('[value=filesystem]:checked').waitFor();
    assert.ok(page.url().endsWith('/update'), 'the page is still there');
    await send(page).click();
    await resultIs(page, /data is in place/);
  });

  test('one that the device holds is no failure', async () => {
    const before = await info(board);
    const network = await page.context().newCDPSession(page);
    await network.send('Network.enable');
    await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 400000 });
    await pick(page, files.code);
    await page.getByText(new RegExp(files.project)).first().waitFor();
    await send(page).click();
    await page.getByText(/\d+ %, \d+ KB\/s, \d+ s left/).waitFor();
    await board.touch('hold', 'the pump runs');
    await resultIs(page, /proven, and waits: the pump runs/);
    await network.detach();
    assert.ok(await result(page).evaluate(node => node.classList.contains('good')));
    await shoot(page, '12-held');
    await send(page).click();
    await resultIs(page, /Another update is under way/);
    await board.touch('release');
    /* It is activated now, and nobody waits for the restart: the board does it by itself. */
    let now = before;
    while (now.boot === before.boot) now = await info(board).catch(() => now);
    assert.notEqual(now.running, before.running);
  });

  test('asked nobody else for anything', () => assert.deepEqual(page.strangers, []));

  test('by keyboard alone', async () => {
    const keys = await open(board.url);
    const chosen = new Promise((resolve) => { keys.on('filechooser', (chooser) => resolve(chooser.setFiles(files.code))); });
    await keys.keyboard.press('Tab');
    assert.equal(await keys.evaluate(() => document.activeElement.id), 'file');
    await keys.keyboard.press('Space');
    await chosen;
    await keys.getByText(new RegExp(files.project)).first().waitFor();
    for (let i = 0; i < 6 && await keys.evaluate(() => document.activeElement.id) !== 'send'; i++) await keys.keyboard.press('Tab');
    assert.equal(await keys.evaluate(() => document.activeElement.id), 'send');
    await keys.keyboard.press('Enter');
    await resultIs(keys, /proven, and boots next/);
    await keys.context().close();
  });

  test('each control has a name that a screen reader can say', async () => {
    for (const [role, name] of [['button', 'Send'], ['button', 'Restart the device'], ['radio', 'program'], ['radio', 'data'], ['table', ''], ['heading', 'Send an update']]) {
      assert.ok(await page.getByRole(role, name ? { name } : {}).count() > 0, `${role} ${name}`);
    }
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  });

  test('on a phone, in the dark', async () => {
    const phone = await open(board.url, { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: 'dark' });
    await pick(phone, files.code);
    await phone.getByText(new RegExp(files.project)).first().waitFor();
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
    const background = await phone.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [red] = background.match(/\d+/g).map(Number);
    assert.ok(red < 60, `dark: ${background}`);
    await shoot(phone, '10-phone-dark');
    await phone.context().close();
  });
});

describe('a board that restarts by itself', () => {
  let board;
  before(async () => { board = await startBoard(files, 'garden', '--restart', 'auto'); });
  after(async () => board.stop());

  test('the page waits for it and shows the new version', async () => {
    const page = await open(board.url);
    await pick(page, files.code);
    await send(page).click();
    await resultIs(page, /is back and runs/);
    assert.ok((await result(page).textContent()).includes(files.version));
    assert.deepEqual(page.strangers, []);
    await page.context().close();
  });
});

describe('a board with a password', () => {
  const httpCredentials = { username: 'admin', password: 'right horse' };
  let board;
  before(async () => {
    const password = join(files.folder, 'password');
    writeFileSync(password, httpCredentials.password + '\n');
    board = await startBoard(files, 'locked', '--restart', 'user', '--password-file', password);
  });
  after(async () => board.stop());

  test('lets nobody in without it', async () => {
    for (const [method, path] of [['GET', '/update'], ['GET', '/update/info'], ['POST', '/update'], ['POST', '/restart'], ['POST', '/update/rollback']]) {
      const answer = await fetch(board.url + path, { method });
      assert.equal(answer.status, 401, `${method} ${path}`);
      await answer.arrayBuffer();
    }
  });

  test('takes an update with it', async () => {
    const page = await open(board.url, { httpCredentials });
    const requests = [];
    page.on('request', request => requests.push(request.allHeaders()));
    await pick(page, files.code);
    await send(page).click();
    await resultIs(page, /proven, and boots next/);
    page.removeAllListeners('request');
    const logins = (await Promise.all(requests)).map(headers => headers.authorization ?? 'none');
    assert.ok(logins.length > 0 && logins.every(login => login.startsWith('Digest ')), `of the two the browser takes the better one: ${logins}`);
    await page.context().close();
  });

  test('a browser that the board has forgotten logs in again by itself', async () => {
    const page = await open(board.url, { httpCredentials });
    await pick(page, files.code);
    await send(page).click();
    await resultIs(page, /proven, and boots next/);
    await page.getByRole('button', { name: 'Restart the device' }).click();
    await resultIs(page, /is back and runs/); /* with another key: each nonce of before is stale */
    assert.ok(!board.lines.some(line => /wrong name or password/.test(line.text)));
    await page.context().close();
  });

  test("another site's page cannot post with the visitor's login", async () => {
    const site = createHttpServer((request, answer) => {
      answer.setHeader('Content-Type', 'text/html');
      answer.end(`<form id="trap" method="post" action="${board.url}/restart"><button>A nice picture</button></form>`);
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
    const context = await browser.newContext({ httpCredentials });
    const page = await context.newPage();
    await page.goto(board.url + '/update');
    const before = (await page.evaluate(async () => (await fetch('/update/info')).json())).boot;
    await page.goto(`http://localhost:${site.address().port}/`);
    const [answer] = await Promise.all([page.waitForResponse(r => r.url().endsWith('/restart')), page.getByRole('button').click()]);
    assert.equal(answer.status(), 403);
    await page.goto(board.url + '/update');
    const later = (await page.evaluate(async () => (await fetch('/update/info')).json())).boot;
    assert.equal(later, before, 'it has not restarted');
    await context.close();
    site.close();
  });
});
