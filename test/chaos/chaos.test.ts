import { locateNatsServer } from '@mezzo/cli';
import { expect } from 'chai';
import { skipBecause } from '../support/skip.ts';
import { ChaosCluster, demo } from './chaos-cluster.ts';
import { carryOut, faults } from './faults.ts';

/** The short form of `npm run chaos`. */
describe('a cluster of three NATS servers, three masters and two agents on OS processes', function () {
  this.timeout(150_000);
  let cluster: ChaosCluster;

  before(async function () {
    if (process.platform !== 'linux') skipBecause(this, 'what really runs is read from /proc');
    if (locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');
    cluster = new ChaosCluster({ settings: demo, tasks: 10, shortTasks: 2, agents: 2, separate: false });
    await cluster.start();
  });
  after(async () => {
    await cluster?.stop();
    cluster?.forget();
  });

  for (const name of ['leader killed', 'agent killed, started again', 'framework killed, started again']) {
    it(`loses no task and starts none twice: ${name}`, async () => {
      const fault = faults.find((each) => each.name === name);
      if (fault === undefined) throw new Error(`There is no fault called ${name}`);
      await carryOut(fault, cluster, 0);
      expect(cluster.ledger.twice()).to.deep.equal([]);
      expect(cluster.ledger.lost()).to.deep.equal([]);
      expect(cluster.ledger.running).to.have.length(10);
    });
  }
});
