// SPDX-License-Identifier: Apache-2.0
// A virtual board for a test: made, started, listened to.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const updraft = process.env.UPDRAFT;
const recorded = join(process.env.UPDRAFT_VECTORS ?? '', 'arduino/psychichttp');

const run = (...words) => execFileSync(updraft, words, { stdio: ['ignore', 'pipe', 'inherit'] });

/** A folder with the files that the tests send: real ones where they are at hand, else made here. */
export function prepareFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'updraft-page-'));
  const files = { folder, code: join(folder, 'code.bin'), data: join(folder, 'littlefs.bin'), first: join(folder, 'first.bin') };
  const payload = join(folder, 'payload');
  writeFileSync(payload, Buffer.alloc(700000, index => index % 251));
  const make = (output, project, version) => run('image', 'make', '--chip', 'esp32s3', '--project', project,
    '--version', version, '--segment', `0x3c0a0020=${payload}`, '--entry', '0x40370000', '--output', output);
  make(files.first, 'porch', '1.0.0');
  files.isReal = existsSync(join(recorded, 'code.bin'));
  if (files.isReal) {
    writeFileSync(files.code, readFileSync(join(recorded, 'code.bin')));
    writeFileSync(files.data, readFileSync(join(recorded, 'littlefs.bin')));
    files.project = 'arduino-lib-builder';
    files.version = 'esp-idf: v4.4.7 38eeba213a';
  } else {
    make(files.code, 'garden', '2.0.0');
    const littlefs = Buffer.alloc(1572864, 0x55);
    littlefs.write('littlefs', 8);
    writeFileSync(files.data, littlefs);
    files.project = 'garden';
    files.version = '2.0.0';
  }
  files.remove = () => rmSync(folder, { recursive: true, force: true });
  return files;
}

/** Makes an ESP32-S3 board with the first image and starts it with these options of `board run`. */
export async function startBoard(files, name, ...options) {
  const folder = join(files.folder, name);
  run('board', 'new', folder, '--chip', 'esp32s3', '--flash-size', '8MB', '--partitions', 'default_8MB', '--app', `ota_0=${files.first}`);
  const child = spawn(updraft, ['board', 'run', folder, '--http=0', '--json', ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = [];
  const waiting = new Set();
  const ended = new Promise(done => child.once('exit', done));
  createInterface({ input: child.stdout }).on('line', line => {
    lines.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  const board = {
    lines,
    /** Waits for a line of the log with this tag whose text matches; returns the match. */
    logged: (tag, pattern) => new Promise((done, failed) => {
      const give = why => failed(new Error(`${why}; no line of ${tag} matched ${pattern}:\n${lines.map(l => l.text).join('\n')}`));
      const limit = setTimeout(() => give('20 s are over'), 20000);
      const look = () => {
        const match = lines.filter(line => line.tag === tag).map(line => pattern.exec(line.text)).find(Boolean);
        if (!match) return;
        clearTimeout(limit);
        waiting.delete(look);
        done(match);
      };
      waiting.add(look);
      ended.then(() => give('the board ended'));
      look();
    }),
    /** Does something to the board from outside: `updraft board VERB`. */
    touch: (verb, ...words) => promisify(execFile)(updraft, ['board', verb, folder, ...words]),
    stop: async () => { child.kill('SIGTERM'); await ended; },
  };
  board.port = Number((await board.logged('http', /listening at TCP port (\d+)/))[1]);
  board.url = `http://127.0.0.1:${board.port}`;
  return board;
}
