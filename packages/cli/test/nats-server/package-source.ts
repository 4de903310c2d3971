import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether this machine has what a package source and its use take. */
export function hasDebianTools(): boolean {
  try {
    for (const tool of ['apt-get', 'dpkg-deb', 'dpkg']) execFileSync(tool, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes a Debian package source in `directory` that holds one package, and returns the environment in which the real
 * apt-get knows that source only. `executable` becomes the package's /usr/sbin/nats-server.
 */
export function packageSource(directory: string, name: string, executable: string): NodeJS.ProcessEnv {
  const tree = join(directory, 'tree');
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  const control = [
    `Package: ${name}`,
    'Version: 1.0',
    `Architecture: ${architecture}`,
    'Maintainer: Nobody <nobody@localhost>',
    'Description: a server for tests',
  ].join('\n');
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(join(tree, 'usr', 'sbin'), { recursive: true });
  writeFileSync(join(tree, 'DEBIAN', 'control'), `${control}\n`);
  copyFileSync(executable, join(tree, 'usr', 'sbin', 'nats-server'));
  chmodSync(join(tree, 'usr', 'sbin', 'nats-server'), 0o755);

  const source = join(directory, 'source');
  mkdirSync(source);
  const archive = join(source, `${name}.deb`);
  execFileSync('dpkg-deb', ['-Znone', '--root-owner-group', '-b', tree, archive], {
    stdio: 'ignore',
  });
  const content = readFileSync(archive);
  const entry = [
    control,
    `Filename: ./${name}.deb`,
    `Size: ${content.length}`,
    `SHA256: ${createHash('sha256').update(content).digest('hex')}`,
  ].join('\n');
  writeFileSync(join(source, 'Packages'), `${entry}\n`);

  const list = join(directory, 'sources.list');
  writeFileSync(list, `deb [trusted=yes] file:${source} ./\n`);
  const configuration = join(directory, 'apt.conf');
  writeFileSync(configuration, `Dir::Etc::sourcelist "${list}";\nDir::Etc::sourceparts "/dev/null";\n`);
  return { PATH: process.env['PATH'], APT_CONFIG: configuration };
}
