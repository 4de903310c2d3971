import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// Makes a checkout ready to run: dependencies, build, NATS server. Quick and silent where all is there.
// With --no-nats the server is left to the command that follows: it may not want one, and looks for it itself.
// Writes to standard error only, since standard output belongs to the command that follows.
// Plain JavaScript without dependencies: it runs before there are any, and on a Node that is too old.

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const STDERR = 2;

function say(line) {
  writeSync(STDERR, `mezzo: ${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}

function readJson(...path) {
  return JSON.parse(readFileSync(join(root, ...path), 'utf8'));
}

function run(command, args, whatFailed) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', STDERR, STDERR] });
  if (result.error) fail(`${whatFailed}: ${result.error.message}`);
  if (result.signal) fail(`${whatFailed}: ended by ${result.signal}`);
  if (result.status !== 0) fail(`${whatFailed} (exit code ${result.status}): see above`);
}

function checkNode() {
  const needed = readJson('package.json').engines.node.replace('>=', '');
  const [neededMajor, neededMinor] = needed.split('.').map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
    fail(`Mezzo needs Node ${needed} or later, this is ${process.versions.node}: install a newer one from nodejs.org`);
  }
}

/**
 * Compares the lock file with npm's own record of what it installed, which npm writes last, so that an interrupted
 * install does not count; then looks whether the folders are there.
 */
function dependenciesAreInstalled() {
  let installed;
  try {
    installed = readJson('node_modules', '.package-lock.json').packages;
  } catch {
    return false;
  }
  const wanted = readJson('package-lock.json').packages;
  for (const [path, { version, integrity, resolved, optional }] of Object.entries(wanted)) {
    // What is optional may be for another platform; the checkout's own packages are there by themselves.
    if (optional || !path.includes('node_modules/')) continue;
    const found = installed[path];
    if (!found || found.version !== version || found.integrity !== integrity) return false;
    if (integrity === undefined && found.resolved !== resolved) return false;
    if (!existsSync(join(root, path))) return false;
  }
  return true;
}

function installDependencies() {
  if (dependenciesAreInstalled()) return;
  say('installing dependencies (npm ci)');
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  // The npm that runs this script, where one does: there may be no other.
  const npm = process.env.npm_execpath;
  if (npm && /npm-cli\.c?js$/.test(npm)) run(process.execPath, [npm, ...args], 'npm ci failed');
  else run('npm', args, 'npm ci failed');
}

function build() {
  if (!existsSync(join(root, 'packages', 'cli', 'dist'))) say('building');
  // Incremental: looks at the sources and ends where nothing changed.
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  run(process.execPath, [compiler, '-b'], 'the build failed');
}

async function provisionNats() {
  const provision = join(root, 'packages', 'cli', 'dist', 'nats-server', 'provision.js');
  const { provisionNatsServer } = await import(pathToFileURL(provision).href);
  const source = await provisionNatsServer({ report: say });
  if (source.kind === 'executable' && source.fetched) {
    say(`NATS server ${source.version} is at ${source.path}`);
  }
  if (source.kind === 'none') {
    const line = `no NATS server can be had here (${source.tried}): install nats-server or set NATS_URL`;
    if (process.env.MEZZO_REQUIRE_ALL === '1') fail(line);
    say(line);
  }
}

checkNode();
installDependencies();
build();
if (!process.argv.includes('--no-nats')) await provisionNats();
