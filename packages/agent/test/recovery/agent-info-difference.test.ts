import { type AgentInfo, parseAgentResources } from '@mezzo/protocol';
import { expect } from 'chai';
import { compareAgentInfo } from '../../src/recovery/agent-info-difference.ts';

function infoOf(change: Partial<Omit<AgentInfo, 'resources'>> & { readonly resources?: string } = {}): AgentInfo {
  const { resources = 'cpus:4;mem:1024;ports:[1000-2000];disk(a):100', ...rest } = change;
  return {
    hostname: 'h1',
    resources: parseAgentResources(resources),
    attributes: { rack: 'r1', ports: '[1-5]' },
    url: 'http://h1:5051',
    ...rest,
  };
}

describe('what an agent was and is', () => {
  const before = infoOf();
  const added: Record<string, AgentInfo> = {
    'more of a resource': infoOf({ resources: 'cpus:8;mem:1024;ports:[1000-2000];disk(a):100' }),
    'wider ranges': infoOf({ resources: 'cpus:4;mem:1024;ports:[900-2100];disk(a):100' }),
    'another resource': infoOf({ resources: 'cpus:4;mem:1024;ports:[1000-2000];disk(a):100;gpus:1' }),
    'another attribute': infoOf({ attributes: { ...before.attributes, zone: 'z' } }),
    'an attribute whose ranges grew': infoOf({ attributes: { ...before.attributes, ports: '[1-9]' } }),
    'a domain': infoOf({ domain: { region: 'r', zone: 'z' } }),
  };
  const changed: Record<string, readonly [AgentInfo, string]> = {
    'another host name': [infoOf({ hostname: 'h2' }), "the host name was 'h1' and is 'h2'"],
    'less of a resource': [infoOf({ resources: 'cpus:3;mem:1024;ports:[1000-2000];disk(a):100' }), 'cpus:1 is missing'],
    'narrower ranges': [
      infoOf({ resources: 'cpus:4;mem:1024;ports:[1000-1999];disk(a):100' }),
      'ports:[2000-2000] is missing',
    ],
    'another role of a resource': [
      infoOf({ resources: 'cpus:4;mem:1024;ports:[1000-2000];disk(b):100' }),
      'is missing',
    ],
    'a missing attribute': [infoOf({ attributes: { rack: 'r1' } }), "attribute 'ports' was '[1-5]' and is missing"],
    'another value of an attribute': [
      infoOf({ attributes: { ...before.attributes, rack: 'r2' } }),
      "attribute 'rack' was 'r1' and is 'r2'",
    ],
    'narrower ranges of an attribute': [infoOf({ attributes: { ...before.attributes, ports: '[1-4]' } }), "is '[1-4]'"],
    'another type of an attribute': [infoOf({ attributes: { ...before.attributes, ports: 'x' } }), "is 'x'"],
  };

  it('AGENT-12 equal: nothing may be another, and nothing more', () => {
    expect(compareAgentInfo(before, infoOf(), 'equal')).to.equal(undefined);
    for (const [what, now] of Object.entries(added))
      expect(compareAgentInfo(before, now, 'equal'), what).to.be.a('string');
    for (const [what, [now, fault]] of Object.entries(changed))
      expect(compareAgentInfo(before, now, 'equal'), what).to.include(fault);
  });

  it('AGENT-12 additive: there may be more, and nothing may be another or less', () => {
    for (const [what, now] of Object.entries(added))
      expect(compareAgentInfo(before, now, 'additive'), what).to.equal(undefined);
    for (const [what, [now, fault]] of Object.entries(changed))
      expect(compareAgentInfo(before, now, 'additive'), what).to.include(fault);
    const domain = { region: 'r', zone: 'z' };
    expect(compareAgentInfo(infoOf({ domain }), infoOf({ domain: { region: 'r', zone: 'y' } }), 'additive')).to.equal(
      "the domain was 'r/z' and is 'r/y'",
    );
    expect(compareAgentInfo(infoOf({ domain }), before, 'additive')).to.equal("the domain was 'r/z' and is none");
  });

  it('may differ in id and where the HTTP server listens, and in the order of resources', () => {
    const now = infoOf({ url: 'http://h1:9999', resources: 'disk(a):100;ports:[1000-2000];mem:1024;cpus:4' });
    expect(compareAgentInfo(before, now, 'equal')).to.equal(undefined);
  });
});
