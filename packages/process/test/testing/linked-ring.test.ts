import { expect } from 'chai';
import { linkedRing, ringFaults } from './linked-ring.ts';

describe('24 simulated hours of 50 nodes with 4 links each and a heartbeat every 15 s', function () {
  this.timeout(60_000);

  it('pass with faults in under a minute, and in the end every link stands', async () => {
    const { lost, up, linked, events } = await linkedRing(24, ringFaults);
    expect(events).to.be.greaterThan(1_000_000);
    expect(lost).to.be.greaterThan(1000);
    expect({ up, linked }).to.deep.equal({ up: 50, linked: 200 });
  });
});
