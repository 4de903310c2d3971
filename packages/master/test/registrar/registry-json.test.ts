import { memoryLog } from '@mezzo/process/log';
import type { HttpResponse } from '@mezzo/process';
import { expect } from 'chai';
import { registryJson } from '../../src/registrar/registry-json.ts';
import { RegistryState } from '../../src/registrar/registry-state.ts';
import { admission, agent, infoOf, RegistrarWorld } from './registrar-world.ts';

function bodyOf({ body }: HttpResponse): string {
  return typeof body === 'string' ? body : '';
}

describe('the registry over HTTP', () => {
  it("has Mesos's shape", async () => {
    await using cluster = new RegistrarWorld(memoryLog());
    const pair = await cluster.pair({ revision: 1, info: { domain: { region: 'eu', zone: 'eu-1' } } });
    const get = (method = 'GET'): Promise<HttpResponse> =>
      cluster.outcome(pair.runtime.http({ path: '/registrar/registry', method }));
    expect((await get()).status).to.equal(503);
    await cluster.outcome(pair.master.recover());
    expect((await get('POST')).status).to.equal(405);
    await cluster.change(
      pair,
      { kind: 'ADMIT_AGENT', agentId: agent(1), info: { ...infoOf(1), resources: infoOf(1).resources.slice(0, 1) } },
      ...[2, 3].map(admission),
      { kind: 'DRAIN_AGENT', agentId: agent(1), config: { markGone: false, maxGracePeriod: 5000 } },
      { kind: 'MARK_AGENT_UNREACHABLE', agentId: agent(2), timestamp: 1_704_067_200_123 },
      { kind: 'MARK_AGENT_GONE', agentId: agent(3), timestamp: 2 },
      {
        kind: 'UPDATE_SCHEDULE',
        windows: [{ machines: [{ hostname: 'a' }], unavailability: { start: 1, duration: 2 } }],
      },
      { kind: 'UPDATE_WEIGHTS', weights: [{ role: 'ads', weight: 2 }] },
      { kind: 'UPDATE_QUOTAS', quotas: [{ role: 'ads', quota: { guarantees: { cpus: 1 }, limits: { mem: 64 } } }] },
    );
    const response = await get();
    expect(response.status).to.equal(200);
    expect(JSON.parse(bodyOf(response))).to.deep.equal({
      master: {
        info: {
          id: 'master-1',
          pid: pair.master.self.address,
          hostname: 'master-1.example',
          version: '0.1.0',
          port: 5050,
          address: { hostname: 'master-1.example', port: 5050 },
          capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, { type: 'QUOTA_V2' }],
          domain: { fault_domain: { region: { name: 'eu' }, zone: { name: 'eu-1' } } },
        },
      },
      slaves: {
        slaves: [
          {
            info: {
              id: { value: agent(1) },
              hostname: 'host-1.example',
              port: 5051,
              resources: [{ name: 'cpus', type: 'SCALAR', scalar: { value: 8 } }],
              attributes: [
                { name: 'rack', type: 'TEXT', text: { value: 'rack-1' } },
                { name: 'kernel', type: 'TEXT', text: { value: '6.1' } },
              ],
              domain: { fault_domain: { region: { name: 'eu' }, zone: { name: 'eu-1' } } },
            },
            drain_info: {
              state: 'DRAINING',
              config: { max_grace_period: { nanoseconds: 5e9 }, mark_gone: false },
            },
            deactivated: true,
          },
        ],
      },
      machines: {
        machines: [
          {
            info: {
              id: { hostname: 'a' },
              mode: 'DRAINING',
              unavailability: { start: { nanoseconds: 1e6 }, duration: { nanoseconds: 2e6 } },
            },
          },
        ],
      },
      schedules: [
        {
          windows: [
            {
              machine_ids: [{ hostname: 'a' }],
              unavailability: { start: { nanoseconds: 1e6 }, duration: { nanoseconds: 2e6 } },
            },
          ],
        },
      ],
      weights: [{ info: { role: 'ads', weight: 2 } }],
      unreachable: {
        slaves: [{ id: { value: agent(2) }, timestamp: { nanoseconds: 1_704_067_200_123e6 }, deactivated: false }],
      },
      gone: { slaves: [{ id: { value: agent(3) }, timestamp: { nanoseconds: 2e6 } }] },
      minimum_capabilities: [{ capability: 'AGENT_DRAINING' }, { capability: 'QUOTA_V2' }],
      quota_configs: [{ role: 'ads', guarantees: { cpus: { value: 1 } }, limits: { mem: { value: 64 } } }],
    });
    await cluster.reign({ revision: 2 });
    await cluster.change(pair, admission(9));
    const after = await get();
    expect(after.status).to.equal(503);
    expect(bodyOf(after)).to.match(/another master/);
  });

  it('is an empty object for an empty registry', () => {
    expect(registryJson(new RegistryState())).to.deep.equal({});
  });
});
