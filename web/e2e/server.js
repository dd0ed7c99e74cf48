// Runs the binary for one test: a product file, a data folder of its own, an address that the binary prints.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXAMPLE = new URL('../../examples/acme.yaml', import.meta.url);

/**
 * Changes of examples/acme.yaml that a test may ask for: what to find, and what stands there instead. Each must be found.
 * @type {Record<string, [RegExp, string][]>}
 */
const CHANGES = {
  // Nobody is left out and nothing is drawn by lot: a walk meets the same guides in every run.
  certain: [[/^holdout: 0\.1/m, 'holdout: 0.0'], [/^explore: 0\.02/m, 'explore: 0.0']],
  // A whole journey takes a test seconds, not days, so guides may follow each other at once.
  eager: [[/^  session: 2 /m, '  session: 50 '], [/^  day: 4 /m, '  day: 50 '], [/^  gap: 5m /m, '  gap: 0s ']],
  // The first guide may come back at once.
  often: [[/limits: \{ shows: 3, gap: 24h \}/, 'limits: { shows: 30, gap: 0s }']],
  // The target exists in the definition and nowhere on the page.
  astray: [[/\[data-guide="new-project"\]/, '[data-guide="no-such-thing"]']],
};

/** @param {string[]} changes names from CHANGES */
async function productFile(changes) {
  let text = await readFile(EXAMPLE, 'utf8');
  for (const [pattern, instead] of changes.flatMap((name) => CHANGES[name])) {
    if (!pattern.test(text)) throw new Error(`examples/acme.yaml has nothing like ${pattern}`);
    text = text.replace(pattern, instead);
  }
  return text;
}

/**
 * The demo, or, where settings are given (TOML), the plain server with them and without `--dev`.
 * @param {string[]} changes @param {string} [settings]
 */
export async function startServer(changes, settings) {
  const bin = process.env.PILOTAGE_BIN;
  if (!bin) throw new Error('PILOTAGE_BIN must name the pilotage binary');
  const folder = await mkdtemp(join(tmpdir(), 'pilotage-e2e-'));
  const product = join(folder, 'product.yaml');
  await writeFile(product, await productFile(changes));

  const config = join(folder, 'pilotage.toml');
  if (settings) await writeFile(config, settings);
  const command = settings ? ['serve', '--config', config] : ['demo'];
  const child = spawn(bin, [...command, '--listen', '127.0.0.1:0', '--data', join(folder, 'data'), '--product', product], { stdio: ['ignore', 'pipe', 'pipe'] });
  const gone = new Promise((resolve) => { child.once('exit', resolve); });
  let said = '';
  const url = await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => { said += chunk; });
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const [address] = said.match(/http:\/\/127\.0\.0\.1:\d+/) ?? [];
      if (address) resolve(address);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
  });

  return {
    url,
    /** @param {string} path @param {RequestInit} [init] */
    async api(path, init) {
      const response = await fetch(`${url}/api/v1${path}`, init);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    async stop() {
      child.kill('SIGTERM');
      const code = await gone;
      await rm(folder, { recursive: true });
      if (code !== 0) throw new Error(`the server ended with ${code} at SIGTERM:\n${said}`);
    },
  };
}
