import { expect } from 'chai';
import { PID, ProcessError } from '@mezzo/process';

describe('PID', () => {
  it('reads back what address and toString gave', () => {
    const exact = new PID('a@b (1)', 'node-1', 12, 3);
    expect(exact.toString()).to.equal('a@b (1)@node-1');
    expect(PID.parse(exact.address).equals(exact)).to.equal(true);
    expect(JSON.stringify({ pid: exact })).to.equal('{"pid":"a@b (1)@node-1#12.3"}');
    const bare = PID.parse(exact.toString());
    expect([bare.id, bare.node, bare.isExact]).to.deep.equal(['a@b (1)', 'node-1', false]);
  });

  it('is equal to the same process of the same incarnation and generation only', () => {
    const pid = new PID('a', 'n', 1, 1);
    expect(pid.equals(new PID('a', 'n', 1, 1))).to.equal(true);
    for (const other of [
      new PID('b', 'n', 1, 1),
      new PID('a', 'm', 1, 1),
      new PID('a', 'n', 2, 1),
      new PID('a', 'n', 1, 2),
      new PID('a', 'n'),
    ]) {
      expect(pid.equals(other), other.address).to.equal(false);
    }
  });

  it('refuses text that is no address', () => {
    for (const text of ['', 'a', 'a@', '@n', 'a@n.m', 'a@n#1', 'a@n#x.y']) {
      expect(() => PID.parse(text), text)
        .to.throw(ProcessError, 'expected id@node')
        .with.property('code', 'PID_INVALID');
    }
  });
});
