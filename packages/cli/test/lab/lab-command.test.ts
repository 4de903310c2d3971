import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const mezzo = fileURLToPath(new URL('../../dist/mezzo.js', import.meta.url));
const moduleNamed = (name: string): string => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
const idleAllocator = moduleNamed('idle-allocator');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function lab(folder: string, ...args: readonly string[]): Promise<Ended> {
  return node(folder, mezzo, 'lab', ...args);
}

function node(folder: string, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder, encoding: 'utf8' }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

const small = `name: small
duration: 1m
agents: [{ count: 2, resources: "cpus:4;mem:4096" }]
frameworks:
  - { name: a, kind: greedy, resources: "cpus:1;mem:64", duration: 10s }
  - { name: b, kind: recorded, trace: b.csv }
`;
const trace = 'arrival,framework,duration,cpus,mem\n5,x,10,2,64\n20,y,10,1,64\n';

/** @param sort what its function of that name does */
const sorterModule = (sort: string): string => `export default () => {
  const clients = new Map();
  const ignore = () => {};
  return {
    add: (client) => clients.set(client, true),
    remove: (client) => clients.delete(client),
    has: (client) => clients.has(client),
    sort: () => { if (clients.size === 0) return []; ${sort} },
    share: () => 0,
    ...{ activate: ignore, deactivate: ignore, updateWeight: ignore, allocated: ignore, unallocated: ignore, updated: ignore },
  };
};`;

describe('mezzo lab', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mezzo-lab-'));
    await writeFile(join(folder, 'small.yaml'), small);
    await writeFile(join(folder, 'b.csv'), trace);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe('run', () => {
    it('says how the run went, and writes a report that is the same for the same seed', async () => {
      const { code, stdout, stderr } = await lab(folder, 'run', 'small.yaml', '--seed', '7', '--out', 'one/two');
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout).to.match(/^small {2}allocator hierarchical, sorter drf, seed 7, 0:01:00 of virtual time\n/);
      expect(stdout).to.match(/\nb +1 +\d+\.\d % +2 +2 +\d/);
      await lab(folder, 'run', 'small.yaml', '--seed', '7', '--out', 'again');
      const names = (await readdir(join(folder, 'again'))).sort();
      expect(names).to.include.members(['report.html', 'result.json', 'shares.csv']);
      for (const name of names) {
        const [one, again] = [join(folder, 'one/two', name), join(folder, 'again', name)];
        expect(await readFile(again, 'utf8'), name).to.equal(await readFile(one, 'utf8'));
      }
      const result: unknown = JSON.parse(await readFile(join(folder, 'again/result.json'), 'utf8'));
      expect(result).to.include({ scenario: 'small', seed: 7, duration: 60_000 });
    });

    it('says it as JSON, with a field of the scenario set', async () => {
      const { stdout } = await lab(
        folder,
        'run',
        'small.yaml',
        '--json',
        '--set',
        'frameworks.0.tasks=3',
        '--sorter',
        'random',
      );
      const summary: unknown = JSON.parse(stdout);
      expect(summary).to.include({ scenario: 'small', seed: 1, sorter: 'random' });
      expect(summary).to.have.nested.property('roles[0].finished', 3);
    });

    it('runs a module as its allocator', async () => {
      const { code, stdout, stderr } = await lab(folder, 'run', 'small.yaml', '--json', '--allocator', idleAllocator);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).to.have.nested.property('roles[0].offers', 0);
    });

    it('runs a module that the scenario names relative to itself, wherever somebody is', async () => {
      const path = relative(folder, idleAllocator);
      expect(path).to.match(/^\.\.\//);
      await writeFile(join(folder, 'idle.yaml'), `${small}allocator: ${path}\n`);
      const away = await mkdtemp(join(folder, 'away-'));
      const { code, stdout, stderr } = await lab(away, 'run', '../idle.yaml', '--json');
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      const summary: unknown = JSON.parse(stdout);
      expect(summary).to.include({ allocator: path });
      expect(summary).to.have.nested.property('roles[0].offers', 0);
    });

    it('gives the same bytes wherever its files and its module are', async () => {
      const reports: string[][] = [];
      for (const place of ['one', 'other']) {
        const there = join(folder, place);
        await mkdir(there);
        await writeFile(join(there, 'lab.yaml'), `${small.replace(/ {2}- .*b\.csv.*\n/, '')}sorter: ./sorter.mjs\n`);
        await writeFile(join(there, 'sorter.mjs'), sorterModule('return [...clients.keys()];'));
        const { code, stderr } = await lab(there, 'run', 'lab.yaml', '--sorter', './sorter.mjs', '--out', 'report');
        expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
        const names = (await readdir(join(there, 'report'))).sort();
        reports.push(await Promise.all(names.map((name) => readFile(join(there, 'report', name), 'utf8'))));
      }
      expect(reports[1]).to.deep.equal(reports[0]);
      expect(reports[0]?.join('\n')).to.include('./sorter.mjs').and.not.include(folder);
    });

    it('warns of allocations that the master refused, and counts them', async () => {
      const allocator = relative(folder, moduleNamed('generous-allocator'));
      const { code, stdout, stderr } = await lab(folder, 'run', 'small.yaml', '--allocator', allocator, '--out', 'out');
      expect(code).to.equal(0);
      const [, count] =
        /^mezzo: warning: the master refused (\d+) allocations of the allocator '(.*)': /.exec(stderr) ?? [];
      expect(Number(count), stderr).to.be.above(100);
      expect(stderr).to.include(`'${allocator}'`);
      expect(stdout).to.match(new RegExp(`\nallocations refused by the master +${count}\n`));
      const result: unknown = JSON.parse(await readFile(join(folder, 'out/result.json'), 'utf8'));
      expect(result).to.include({ refusedAllocations: Number(count), allocator });
      expect(await readFile(join(folder, 'out/report.html'), 'utf8')).to.match(
        new RegExp(`allocations refused by the master</dt>\\s*<dd>${count}</dd>`),
      );
    });

    it('warns of roles that nobody has', async () => {
      const quotas =
        'events: [{ at: 10s, quotas: { parent: { limits: "cpus:1" }, b: {}, late: { limits: "cpus:1" } } }]';
      const child = '  - { name: c, kind: greedy, role: parent/child, resources: "cpus:1" }';
      await writeFile(join(folder, 'roles.yaml'), `${small}${child}\nroles: { adz: { weight: 2 } }\n${quotas}\n`);
      const warnings = [
        "mezzo: warning: roles.yaml: roles: no framework has the role 'adz'; the roles of frameworks are a, b, parent/child",
        "mezzo: warning: roles.yaml: events[0].quotas: no framework has the role 'late'; the roles of frameworks are a, b, parent/child",
        '',
      ].join('\n');
      expect(await lab(folder, 'run', 'roles.yaml')).to.include({ code: 0, stderr: warnings });
      expect(await lab(folder, 'compare', 'roles.yaml', '--seeds', '1')).to.include({ code: 0, stderr: warnings });
    });

    const refused = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await lab(folder, 'run', ...args);
      expect({ code, stdout }, stderr).to.deep.equal({ code: 1, stdout: '' });
      return stderr;
    };

    it('refuses a scenario that is not there', async () => {
      expect(await refused('none.yaml')).to.equal('mezzo: Cannot read scenario none.yaml: there is no such file\n');
    });

    it('refuses a scenario with a fault, and says where it is', async () => {
      await writeFile(join(folder, 'bad.yaml'), small.replace('duration: 1m', 'duration: 1'));
      expect(await refused('bad.yaml')).to.match(/^mezzo: bad\.yaml:2:11: duration: found 1, expected a duration/);
    });

    it('refuses a trace that is not there', async () => {
      await rm(join(folder, 'b.csv'));
      expect(await refused('small.yaml')).to.match(/^mezzo: Cannot read trace .*b\.csv: there is no such file\n$/);
    });

    it('refuses an allocator that nobody knows', async () => {
      expect(await refused('small.yaml', '--allocator', 'nobody'))
        .to.include(`'nobody'`)
        .and.include('hierarchical');
      expect(await refused('small.yaml', '--allocator', './nobody.js')).to.match(
        /^mezzo: --allocator '\.\/nobody\.js' cannot be loaded: Cannot find module/,
      );
      expect(await refused('small.yaml', '--sorter', './nobody.js')).to.match(
        /^mezzo: --sorter '\.\/nobody\.js' cannot/,
      );
    });

    it('names an allocator, or a sorter, that crashes as it was typed', async () => {
      const allocator = relative(folder, moduleNamed('crashing-allocator'));
      expect(await refused('small.yaml', '--allocator', allocator)).to.equal(
        `mezzo: The simulated cluster failed with allocator '${allocator}': process mine@master crashed: no agents, please\n`,
      );
      await writeFile(join(folder, 'sorter.mjs'), sorterModule("throw new Error('no order');"));
      expect(await refused('small.yaml', '--sorter', './sorter.mjs')).to.equal(
        `mezzo: The simulated cluster failed with sorter './sorter.mjs': process allocator@master crashed: no order\n`,
      );
    });

    it('refuses a folder that it cannot write to before it runs', async () => {
      await writeFile(join(folder, 'long.yaml'), small.replace('duration: 1m', 'duration: 30000d'));
      expect(await refused('long.yaml', '--out', 'b.csv/report')).to.match(
        /^mezzo: Cannot write to folder b\.csv\/report: ENOTDIR/,
      );
      const compared = await lab(folder, 'compare', 'long.yaml', '--out', 'b.csv');
      expect(compared).to.include({ code: 1, stdout: '' });
      expect(compared.stderr).to.match(/^mezzo: Cannot write to folder b\.csv: EEXIST/);
    });

    it('refuses a seed that is no number', async () => {
      expect(await refused('small.yaml', '--seed', 'x')).to.include(`'x' is not a whole number`);
    });
  });

  describe('compare', () => {
    it('runs each variant with each seed, and compares them', async () => {
      const { code, stdout, stderr } = await lab(
        folder,
        ...['compare', 'small.yaml', '--seeds', '1..3', '--set', 'frameworks.0.tasks=2,4', '--json', '--out', 'out'],
      );
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      const comparison: unknown = JSON.parse(stdout);
      expect(comparison).to.have.deep.property('seeds', [1, 2, 3]);
      expect(comparison).to.have.nested.property('variants.length', 2);
      expect(comparison).to.have.nested.property('variants[1].runs[0].metrics.tasks\\.finished', 6);
      expect(await readdir(join(folder, 'out'))).to.include('comparison.html');
    });

    it('names modules as they were typed, and tells what repeats a run that failed', async () => {
      const allocators = ['crashing-allocator', 'generous-allocator'].map((name) =>
        relative(folder, moduleNamed(name)),
      );
      const args = ['--allocators', allocators.join(','), '--seeds', '3', '--out', 'out'];
      const { code, stdout, stderr } = await lab(folder, 'compare', 'small.yaml', ...args);
      expect(code).to.equal(1);
      expect(stderr).to.match(
        new RegExp(
          `^mezzo: warning: generous-allocator.mjs: the master refused \\d+ allocations of the allocator '${allocators[1]}'`,
        ),
      );
      const [, command = ''] = /repeat it: mezzo lab (.*)\n/.exec(stdout) ?? [];
      expect(command).to.equal(`run small.yaml --seed 3 --allocator ${allocators[0]}`);
      const again = await lab(folder, ...command.split(' '));
      const [, error = ''] = /failed: .*, seed 3: (.*)\n/.exec(stdout) ?? [];
      expect(again).to.deep.equal({ code: 1, stdout: '', stderr: `mezzo: ${error}\n` });
      expect(await readFile(join(folder, 'out/comparison.json'), 'utf8')).not.to.include('file:');
    });

    it('does so from the source as well', async () => {
      const source = fileURLToPath(new URL('../../src/mezzo.ts', import.meta.url));
      const loader = createRequire(import.meta.url).resolve('tsx');
      const args = ['--import', pathToFileURL(loader).href, '--conditions=mezzo:source', source];
      const given = ['lab', 'compare', 'small.yaml', '--seeds', '1..2', '--threads', '2'];
      const { code, stdout, stderr } = await node(folder, ...args, ...given, '--json');
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      const built = await lab(folder, ...given.slice(1), '--json');
      expect(stdout).to.equal(built.stdout);
    });
  });

  describe('convert', () => {
    it('makes a scenario of a trace, which runs', async () => {
      await writeFile(join(folder, 'batch_task.csv'), 'task_a,2,j_1,1,Terminated,10,40,100.00,0.5\n');
      const { code, stderr } = await lab(
        folder,
        'convert',
        'batch_task.csv',
        '--format',
        'alibaba-2018',
        '--out',
        'made',
      );
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      const run = await lab(folder, 'run', 'made/alibaba-2018.yaml', '--json');
      expect(run.stderr).to.equal('');
      expect(JSON.parse(run.stdout)).to.have.nested.property('roles[0].finished', 2);
    });

    it('refuses tables that are not there or empty, and names what it expects', async () => {
      const refusal = async (...args: readonly string[]): Promise<string> => {
        const { code, stdout, stderr } = await lab(folder, 'convert', ...args);
        expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
        return stderr;
      };
      const expected = 'expected the table task_events, as a file (.csv, .csv.gz) or a folder of such files';
      expect(await refusal('none.csv')).to.equal(
        `mezzo: Cannot read none.csv: there is no such file or folder; ${expected}\n`,
      );
      await writeFile(join(folder, 'empty.csv'), '');
      expect(await refusal('empty.csv')).to.match(
        /^mezzo: empty\.csv is empty: expected the table task_events, with the columns time, missing info, /,
      );
      expect(await refusal('none.csv', '--out', 'empty.csv')).to.match(/^mezzo: Cannot write to folder empty\.csv: /);
    });

    it('takes the machines to be as large as it is told', async () => {
      await writeFile(join(folder, 'batch_task.csv'), 'task_a,2,j_1,1,Terminated,10,40,100.00,50\n');
      const size = ['--cpus', '3', '--mem', '4096', '--disk', '5000'];
      const given = ['batch_task.csv', '--format', 'alibaba-2018', '--out', 'sized'];
      expect(await lab(folder, 'convert', ...given, ...size)).to.include({ code: 0 });
      expect(await readFile(join(folder, 'sized', 'alibaba-2018.yaml'), 'utf8')).to.include(
        'cpus:3;mem:4096;disk:5000',
      );
    });
  });
});
