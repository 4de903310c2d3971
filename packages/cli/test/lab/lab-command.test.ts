import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const mezzo = fileURLToPath(new URL('../../dist/mezzo.js', import.meta.url));
const idleAllocator = fileURLToPath(new URL('idle-allocator.mjs', import.meta.url));

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
      expect(JSON.parse(stdout)).to.have.nested.property('roles[0].offers', 0);
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
      expect(await refused('small.yaml', '--allocator', './nobody.js')).to.include('nobody.js');
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
