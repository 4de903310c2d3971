import type { LogContents } from '@mezzo/process/log';
import { expect } from 'chai';
import { Packr } from 'msgpackr';
import { encodeRecord, encodeSnapshot, readRegistry, registryFormat } from '../../src/registrar/registry-codec.ts';
import { RegistryState } from '../../src/registrar/registry-state.ts';
import { admission, termOf } from './registrar-world.ts';

function log(...records: readonly Uint8Array[]): LogContents {
  return { snapshot: undefined, entries: [{ sequence: 1, records }], last: 1 };
}

function raw(value: unknown, format = registryFormat): Uint8Array {
  return new Uint8Array([format, ...new Packr().pack(value)]);
}

const seal = encodeRecord({
  kind: 'SEAL',
  term: termOf(1),
  master: {
    id: 'm',
    address: 'master@m#1.1',
    hostname: 'h',
    url: '',
    version: '7.1.0',
    capabilities: [],
  },
});

describe('the records of the registry', () => {
  const failure = (contents: LogContents): { code?: string; message: string } => {
    try {
      readRegistry(contents);
    } catch (error) {
      return error as Error;
    }
    throw new Error('it was read');
  };

  it('a record of a kind that only a newer version knows is refused with that version', () => {
    const error = failure(log(seal, encodeRecord(admission(1)), raw({ kind: 'PAINT_AGENT', colour: 'red' })));
    expect(error.code).to.equal('LOG_VERSION');
    expect(error.message).to.match(
      /^Record 2 of entry 1 .*'PAINT_AGENT'.* newer version \(7\.1\.0\) than this one \(\d/,
    );
  });

  it('so is a newer format, of a record or of a snapshot', () => {
    const newer = raw({}, registryFormat + 1);
    expect(failure(log(newer))).to.deep.include({ code: 'LOG_VERSION' });
    const contents = { snapshot: { sequence: 4, state: newer }, entries: [], last: 4 };
    expect(failure(contents).message).to.match(/^The snapshot .*format 2; .* known here is 1: .* a newer version/);
  });

  it('what is no record is called corrupt, with its place', () => {
    const whole = encodeRecord(admission(1));
    const broken = [
      new Uint8Array(),
      whole.subarray(0, 40),
      raw({ kind: 'ADMIT_AGENT', agentId: 'a/b', info: {} }),
      raw({ kind: 'REMOVE_AGENT', agentId: 7 }),
      raw('text'),
      raw(null),
    ];
    for (const bytes of broken) {
      const error = failure(log(encodeRecord(admission(2)), bytes));
      expect(error.code, error.message).to.equal('LOG_CORRUPT');
      expect(error.message).to.match(/^Record 1 of entry 1 of the registry cannot be read/);
    }
    const snapshot = { sequence: 1, state: raw({ agents: 3 }) };
    expect(failure({ snapshot, entries: [], last: 1 }).message).to.match(
      /^The snapshot of the registry cannot be read/,
    );
  });

  it('records that contradict each other are corrupt', () => {
    const twice = log(encodeRecord(admission(1)), encodeRecord(admission(1)));
    expect(failure(twice).message).to.match(/^Record 1 of entry 1 .* admitted already/);
  });

  it('a snapshot and what comes after it make the state', () => {
    const state = new RegistryState();
    for (const n of [1, 2, 3]) state.apply(admission(n));
    const snapshot = { sequence: 8, state: encodeSnapshot(state.contents()) };
    state.apply(admission(4));
    const entries = [{ sequence: 9, records: [encodeRecord(admission(4))] }];
    expect(readRegistry({ snapshot, entries, last: 9 }).contents()).to.deep.equal(state.contents());
  });

  it('one agent is less than a kilobyte', () => {
    expect(encodeRecord(admission(1)).length).to.be.lessThan(1000);
  });
});
