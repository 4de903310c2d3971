import { expect } from 'chai';
import { readScenario, ScenarioError } from '../../src/scenario/read-scenario.ts';

const least = `name: least
duration: 10m
agents:
  - resources: "cpus:4;mem:8192"
frameworks:
  - name: one
    kind: greedy
    resources: cpus:1;mem:64
`;

/** The faults of a scenario, each a line. */
function faultsOf(text: string): readonly string[] {
  try {
    readScenario(text, 'lab.yaml');
  } catch (error) {
    if (error instanceof ScenarioError) return error.faults;
    throw error;
  }
  return [];
}

describe('a scenario file', () => {
  it('needs a name, a duration, agents and frameworks; the rest has defaults', () => {
    const scenario = readScenario(least, 'lab.yaml');
    expect(scenario).to.include({
      name: 'least',
      duration: 600_000,
      allocator: 'hierarchical',
      allocationInterval: 1000,
      latency: 1,
    });
    expect(scenario.agents).to.deep.equal([{ name: 'agent', count: 1, resources: 'cpus:4;mem:8192', attributes: {} }]);
    expect(scenario.frameworks[0]).to.include({ name: 'one', count: 1, refuse: 5, accept: 1, idle: 'suppress' });
    expect(scenario.pings).to.deep.equal({ every: 60_000, misses: 2 });
    expect(scenario.events).to.deep.equal([]);
  });

  it('can be JSON', () => {
    const json = JSON.stringify({
      name: 'json',
      duration: '1h',
      agents: [{ resources: 'cpus:1' }],
      frameworks: [{ name: 'one', kind: 'long-running', tasks: 3, resources: 'cpus:1' }],
    });
    expect(readScenario(json, 'lab.json').duration).to.equal(3_600_000);
  });

  it('is plain data, so that it can be sent to another thread', () => {
    const scenario = readScenario(least, 'lab.yaml');
    expect(structuredClone(scenario)).to.deep.equal(scenario);
  });

  describe('is refused with file, line, column, what was found and what was expected', () => {
    const refusals: readonly (readonly [what: string, from: string, to: string, fault: string])[] = [
      [
        'a number where a duration must be',
        'duration: 10m',
        'duration: 10',
        'lab.yaml:2:11: duration: found 10, expected a duration with its unit, such as 500ms, 30s, 5m, 1.5h or 2d',
      ],
      [
        'a duration of nothing',
        'duration: 10m',
        'duration: 0s',
        'lab.yaml:2:11: duration: found "0s", expected a duration of 1ms or more',
      ],
      [
        'a field that is missing',
        'duration: 10m\n',
        '',
        'lab.yaml:1:1: duration: found nothing, expected a duration with its unit, such as 500ms, 30s, 5m, 1.5h or 2d',
      ],
      [
        'resources that cannot be parsed',
        '"cpus:4;mem:8192"',
        'cpus=4',
        'lab.yaml:4:16: agents[0].resources: found "cpus=4", expected resources such as "cpus:4;mem:8192": ',
      ],
      [
        'an unknown kind',
        'kind: greedy',
        'kind: greed',
        'lab.yaml:7:11: frameworks[0].kind: found "greed", expected a framework with a kind: greedy, batch, long-running, spiky or recorded',
      ],
      [
        'a name that could not be a node',
        'name: one',
        'name: one.two',
        `lab.yaml:6:11: frameworks[0].name: found "one.two", expected a name of letters, digits, '-' and '_', at most 64`,
      ],
      [
        'a count that is no whole number',
        '    kind: greedy',
        '    kind: greedy\n    count: 1.5',
        'lab.yaml:8:12: frameworks[0].count: found 1.5, expected a whole number of 1 or more',
      ],
      [
        'a parameter of a distribution',
        '    kind: greedy',
        '    kind: greedy\n    duration: { lognormal: 30s, sigma: -1 }',
        'lab.yaml:8:40: frameworks[0].duration.sigma: found -1, expected { lognormal: median, sigma: …, most: … } with sigma a number above 0',
      ],
      [
        'a range that is the wrong way round',
        '    kind: greedy',
        '    kind: greedy\n    duration: { uniform: [30s, 10s] }',
        'lab.yaml:8:26: frameworks[0].duration.uniform: found a list of 2, expected [from, to], each a duration with its unit, such as 500ms, 30s, 5m, 1.5h or 2d, and at most 36500d, the smaller one first',
      ],
      [
        'arrivals without any time between them',
        'kind: greedy',
        'kind: batch\n    duration: 1s\n    every: { exponential: 0s }',
        'lab.yaml:9:12: frameworks[0].every: found a mapping, expected durations of 1ms or more',
      ],
      [
        'a role that is no role',
        '    kind: greedy',
        '    kind: greedy\n    role: a//b',
        'lab.yaml:8:11: frameworks[0].role: found "a//b", expected the name of a role: ',
      ],
      [
        'a choice of resources',
        'resources: cpus:1;mem:64',
        'resources: [{ resources: cpus:1, probability: 0 }]',
        'lab.yaml:8:51: frameworks[0].resources[0].probability: found 0, expected a weight above 0',
      ],
    ];
    for (const [what, from, to, fault] of refusals) {
      it(what, () => {
        expect(least).to.include(from);
        const faults = faultsOf(least.replace(from, to));
        expect(faults).to.have.length(1);
        expect(faults[0]).to.satisfy((line: string) => line.startsWith(fault), `${faults[0]} instead of ${fault}`);
      });
    }

    it('a field that it does not know, at its name', () => {
      const [fault] = faultsOf(least.replace('name: one', 'name: one\n    amount: 3'));
      expect(fault).to.match(
        /^lab\.yaml:7:5: frameworks\[0\]\.amount: expected one of the fields kind, name, count, .*, found 'amount'$/,
      );
    });

    it('aliases that would fill the memory, or stand for nothing', () => {
      const nine = (name: string): string => `[${Array<string>(9).fill(name).join(', ')}]`;
      const laughs = Array.from({ length: 9 }, (_, index) => `l${index + 1}: &l${index + 1} ${nine(`*l${index}`)}\n`);
      expect(faultsOf(`l0: &l0 ${nine('lol')}\n${laughs.join('')}${least}`)).to.deep.equal([
        'lab.yaml:2:10: found the alias *l0, expected no aliases that stand for many others, again and again',
      ]);
      expect(faultsOf(least.replace('kind: greedy', 'kind: *nobody'))).to.deep.equal([
        'lab.yaml:7:11: found the alias *nobody, expected an anchor &nobody before it',
      ]);
      const fair = Array.from(
        { length: 200 },
        (_, index) => `  - { name: f${index}, kind: greedy, resources: *small }\n`,
      );
      const many = readScenario(least.replace('cpus:1;mem:64', '&small cpus:1;mem:64') + fair.join(''), 'lab.yaml');
      expect(many.frameworks[200]).to.include({ name: 'f199', resources: 'cpus:1;mem:64' });
    });

    describe('more than there may be, before it is made', () => {
      const greedy = '    kind: greedy';
      const agents = '  - resources: "cpus:4;mem:8192"';
      const slips: readonly (readonly [what: string, from: string, to: string, fault: string])[] = [
        [
          'agents',
          agents,
          '  - { count: 1000000000, resources: cpus:1 }',
          'lab.yaml:4:14: agents[0].count: found 1000000000, expected 1000000 agents at most',
        ],
        [
          'agents of all groups together',
          agents,
          '  - { name: a, count: 600000, resources: cpus:1 }\n  - { name: b, count: 600000, resources: cpus:1 }',
          'lab.yaml:5:23: agents[1].count: found 600000, expected 1000000 agents in all at most',
        ],
        [
          'agents that events add',
          'frameworks:',
          'events: [{ at: 1m, add: { count: 1000000, resources: cpus:1 } }]\nframeworks:',
          'lab.yaml:5:34: events[0].add.count: found 1000000, expected 1000000 agents in all at most',
        ],
        [
          'frameworks',
          greedy,
          `${greedy}\n    count: 1000000000`,
          'lab.yaml:8:12: frameworks[0].count: found 1000000000, expected 100000 frameworks at most',
        ],
        [
          'frameworks of all groups together',
          greedy,
          `${greedy}\n    count: 60000\n    resources: cpus:1\n  - name: two\n    count: 60000\n${greedy}`,
          'lab.yaml:11:12: frameworks[1].count: found 60000, expected 100000 frameworks in all at most',
        ],
        [
          'tasks',
          greedy,
          '    kind: long-running\n    tasks: 1000000000',
          'lab.yaml:8:12: frameworks[0].tasks: found 1000000000, expected 1000000 tasks at most',
        ],
        [
          'tasks of all frameworks together',
          greedy,
          '    kind: long-running\n    count: 2\n    tasks: 600000',
          'lab.yaml:9:12: frameworks[0].tasks: found 600000, expected 1000000 tasks in all at most',
        ],
        [
          'tasks of a job',
          greedy,
          '    kind: batch\n    every: 1s\n    duration: 1s\n    tasks: { exponential: 1000000000 }',
          'lab.yaml:10:27: frameworks[0].tasks.exponential: found 1000000000, expected a whole number from 1 to 1000000',
        ],
        [
          'samples',
          'duration: 10m',
          'duration: 10d\nsampling: 2ms',
          'lab.yaml:3:11: sampling: found "2ms", expected so long a time that there are 1000000 samples at most',
        ],
        [
          'time',
          'duration: 10m',
          'duration: 36501d',
          'lab.yaml:2:11: duration: found "36501d", expected a duration of 36500 days at most',
        ],
        [
          'time that a task takes',
          greedy,
          `${greedy}\n    duration: { pareto: 36501d, alpha: 1 }`,
          'lab.yaml:8:25: frameworks[0].duration.pareto: found "36501d", expected a duration with its unit, such as 500ms, 30s, 5m, 1.5h or 2d, and at most 36500d',
        ],
      ];
      for (const [what, from, to, fault] of slips) {
        it(what, function () {
          this.timeout(1000);
          expect(least).to.include(from);
          expect(faultsOf(least.replace(from, to))).to.deep.equal([fault]);
        });
      }

      it('but not as many as there may be', () => {
        const most = least
          .replace(agents, '  - { count: 1000000, resources: cpus:1 }')
          .replace(greedy, '    kind: long-running\n    count: 100000\n    tasks: 10');
        expect(faultsOf(most)).to.deep.equal([]);
      });
    });

    it('YAML that is none', () => {
      expect(faultsOf('name: [1')[0]).to.match(/^lab\.yaml:1:\d+: /);
    });

    it('every fault at once', () => {
      expect(
        faultsOf(least.replace('10m', 'soon').replace('kind: greedy', 'kind: greedy\n    refuse: -1')),
      ).to.have.length(2);
    });

    it('frameworks of one name', () => {
      const twice = `${least}  - { name: one, kind: greedy, resources: cpus:1 }\n`;
      expect(faultsOf(twice)).to.deep.equal([
        'lab.yaml:9:13: frameworks[1].name: found "one", expected a name that no other framework has',
      ]);
    });

    it('events about agents that do not exist, and after the end', () => {
      const events = `${least}events:\n  - { at: 11m, lose: { agents: agent-1 } }\n`;
      expect(faultsOf(events)).to.deep.equal([
        `lab.yaml:10:11: events[0].at: found "11m", expected a time within the scenario's duration`,
        'lab.yaml:10:32: events[0].lose.agents: found "agent-1", expected a group of agents (agent) or one agent of them',
      ]);
    });

    it('an event that is none, or two', () => {
      for (const event of ['{ at: 1m }', '{ at: 1m, weights: { a: 1 }, quotas: { a: {} } }']) {
        expect(faultsOf(`${least}events:\n  - ${event}\n`)).to.deep.equal([
          'lab.yaml:10:5: events[0]: found a mapping, expected an event with `at` and exactly one of add, lose, back, quotas, weights',
        ]);
      }
    });

    it('a recorded framework with both tasks and a trace, or neither', () => {
      for (const rest of ['', ', tasks: [], trace: a.csv']) {
        const text = least.replace(/ {2}- name: one[^]*$/, `  - { name: one, kind: recorded${rest} }\n`);
        expect(faultsOf(text)[0]).to.match(/expected either tasks, or the trace that has them$/);
      }
    });
  });
});
