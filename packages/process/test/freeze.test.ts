import { expect } from 'chai';
import { PID } from '@mezzo/process';
import { freeze } from '../src/freeze.ts';

describe('freeze', () => {
  it('freezes plain objects and arrays through and through, also inside what its sender froze outside', () => {
    const body = Object.freeze({ list: [{ deep: { n: 1 } }] });
    expect(freeze(body)).to.equal(body);
    expect(Object.isFrozen(body.list)).to.equal(true);
    expect(Object.isFrozen(body.list[0]?.deep)).to.equal(true);
  });

  it('ends on a cycle', () => {
    const loop: { self?: object } = {};
    loop.self = loop;
    expect(Object.isFrozen(freeze(loop))).to.equal(true);
  });

  it('leaves bytes, addresses and other instances alone', () => {
    const bytes = new Uint8Array(2);
    const pid = new PID('x', 'node');
    freeze({ bytes, pid, map: new Map() });
    bytes[0] = 1;
    expect(Object.isFrozen(pid)).to.equal(false);
  });
});
