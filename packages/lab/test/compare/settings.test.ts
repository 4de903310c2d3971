import { expect } from 'chai';
import { parse } from 'yaml';

import { parseSweep, settingText, withSettings } from '../../src/compare/settings.ts';

const text = `# A comment
name: two
agents:
  - count: 3
    resources: cpus:4
frameworks:
  - name: one
    tasks: 10
  - name: two
roles: {}
`;

describe('settings of a scenario', () => {
  it('are read from text, values as a scenario writes them', () => {
    expect(parseSweep('frameworks.0.tasks=10,20, 40')).to.deep.equal({
      path: 'frameworks.0.tasks',
      values: [10, 20, 40],
    });
    expect(parseSweep('duration=5m')).to.deep.equal({ path: 'duration', values: ['5m'] });
    expect(parseSweep('agents.0.resources=cpus:4;mem:8192,"cpus:8;mem:1"').values).to.deep.equal([
      'cpus:4;mem:8192',
      'cpus:8;mem:1',
    ]);
    const law = parseSweep('frameworks.0.duration=[1, 2],{ exponential: 5m, most: 1h },true,x=y');
    expect(law.values).to.deep.equal([[1, 2], { exponential: '5m', most: '1h' }, true, 'x=y']);
    for (const bad of ['tasks', '=1', 'tasks=', 'tasks=[1', 'tasks=}']) {
      expect(() => parseSweep(bad), bad).to.throw(RangeError, 'expected PATH=VALUE,VALUE');
    }
  });

  it('are written so that they are read again', () => {
    for (const value of [1, 'a, b', '5m', 'yes: no', true, null, [1, 'x'], { uniform: ['1s', '2s'] }, "it's", '1']) {
      expect(parseSweep(settingText({ path: 'a.b', value }))).to.deep.equal({ path: 'a.b', values: [value] });
    }
  });

  it('change their fields and nothing else', () => {
    const changed = withSettings(text, [
      { path: 'frameworks.0.tasks', value: 40 },
      { path: 'frameworks.1.duration', value: { exponential: '5m' } },
      { path: 'roles.ads', value: { weight: 2 } },
      { path: 'roles.ads.weight', value: 3 },
      { path: 'agents.0', value: { count: 9, resources: 'cpus:1' } },
    ]);
    expect(parse(changed)).to.deep.equal({
      name: 'two',
      agents: [{ count: 9, resources: 'cpus:1' }],
      frameworks: [
        { name: 'one', tasks: 40 },
        { name: 'two', duration: { exponential: '5m' } },
      ],
      roles: { ads: { weight: 3 } },
    });
    expect(withSettings(text, [])).to.equal(text);
    expect(parse(withSettings('{"a": [1, 2]}', [{ path: 'a.1', value: 'x' }]))).to.deep.equal({ a: [1, 'x'] });
  });

  it('that lead nowhere are refused with the place', () => {
    const set = (path: string) => (): string => withSettings(text, [{ path, value: 1 }]);
    expect(set('frameworks.2.tasks')).to.throw(
      RangeError,
      'frameworks is a list, expected a number from 0 to 1 and not',
    );
    expect(set('frameworks.one.tasks')).to.throw("and not 'one'");
    expect(set('framework.0.tasks')).to.throw("Invalid path 'framework.0.tasks': framework has no fields, so no '0'");
    expect(set('name.x')).to.throw('name has no fields');
    // Who reads the text says what is wrong with it.
    expect(withSettings('a: [', [{ path: 'a', value: 1 }])).to.equal('a: [');
  });
});
