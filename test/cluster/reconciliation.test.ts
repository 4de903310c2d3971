import { startAgent } from '@mezzo/agent';
import { type Driver, shellTask, startScheduler } from '@mezzo/frameworks';
import { startMaster } from '@mezzo/master';
import { Simulation } from '@mezzo/process/testing';
import { agentMessages, Resources, type TaskStatus } from '@mezzo/protocol';
import { expect } from 'chai';

describe('a launch that does not reach its agent', () => {
  for (const [capability, state] of [
    ['PARTITION_AWARE', 'TASK_DROPPED'],
    ['TASK_KILLING_STATE', 'TASK_LOST'],
  ] as const) {
    it(`RECON-07 is ${state} to a framework with ${capability} once the agent registers again, and what it holds is free`, async () => {
      await using world = new Simulation({ latency: [1, 5], script: () => ({ duration: '1hrs' }) });
      const { master } = startMaster(await world.start('master'), { cluster: 'sim' });
      expect(master.node).to.equal('master');
      const node = await world.start('agent');
      const started = startAgent(node, { cluster: 'sim', workDirectory: '/work', resources: 'cpus:2;mem:512' });
      expect(await world.advanceUntil(() => started.isReady, '10s')).to.equal(true);
      const statuses: TaskStatus[] = [];
      const offered: string[] = [];
      let tasks: readonly string[] = ['arrives', 'lost'];
      startScheduler(await world.start('framework'), {
        cluster: 'sim',
        framework: { name: 'f', capabilities: [capability], checkpoint: true },
        scheduler: {
          offers(driver: Driver, [offer]) {
            if (offer === undefined) return;
            offered.push(String(Resources.of(offer.resources)));
            const resources = [...Resources.parse('cpus:1;mem:64')];
            const launched = tasks.map((id) => shellTask(offer, { id, command: 'sleep 3600', resources }));
            tasks = [];
            driver.accept(offer, launched, { refuseSeconds: 0 });
          },
          update: (_, status) => void statuses.push(status),
        },
      });
      let isFirst = true;
      node.interceptor = ({ name }) => {
        if (name !== agentMessages.RunTask.name || isFirst) {
          isFirst = isFirst && name !== agentMessages.RunTask.name;
          return 'serve';
        }
        return 'drop';
      };
      const states = (id: string): readonly string[] =>
        statuses.filter(({ taskId }) => taskId === id).map((status) => status.state);
      expect(await world.advanceUntil(() => states('arrives').includes('TASK_RUNNING'), '20s')).to.equal(true);
      expect(states('lost').filter((one) => one !== 'TASK_STAGING')).to.deep.equal([]);
      world.network.partition('agent', 'master');
      await world.advance('30s');
      world.network.heal('agent', 'master');
      expect(await world.advanceUntil(() => states('lost').includes(state), '2mins')).to.equal(true);
      expect(statuses.find((status) => status.state === state)).to.include({
        taskId: 'lost',
        source: 'SOURCE_AGENT',
        reason: 'REASON_RECONCILIATION',
      });
      await world.advance('5s');
      expect(states('arrives').at(-1)).to.equal('TASK_RUNNING');
      expect(offered.at(-1)).to.match(/^cpus:1;.*mem:448/);
    });
  }
});
