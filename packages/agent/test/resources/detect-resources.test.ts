import { Future, type Hardware, nodeHardware } from '@mezzo/process';
import { Resources } from '@mezzo/protocol';
import { expect } from 'chai';
import { detectResources } from '../../src/resources/detect-resources.ts';

const gigabyte = 1024 ** 3;

function machine(memory: number, disk: number): Hardware {
  return { ...nodeHardware(), cpus: 8, memory, disk: () => Future.ready(disk) };
}

describe('resource detection', () => {
  it('keeps 1 GB of memory and 5 GB of disk for the machine itself', () => {
    const text = detectResources(machine(16 * gigabyte, 100 * gigabyte), '', '/').get();
    expect(text).to.equal('cpus:8;mem:15360;disk:97280;ports:[31000-32000]');
  });

  it('keeps half of what is little', () => {
    const text = detectResources(machine(1.5 * gigabyte, 9 * gigabyte), '', '/').get();
    expect(text).to.include('mem:768;disk:4608');
  });

  it('adds only what is not named, and 0 is a name', () => {
    const text = detectResources(machine(16 * gigabyte, 100 * gigabyte), 'cpus(ads):2;mem:0; ', '/').get();
    expect(text).to.equal('cpus(ads):2;mem:0;disk:97280;ports:[31000-32000]');
  });

  it('completes JSON too', () => {
    const given = '[{"name":"mem","type":"SCALAR","scalar":{"value":64},"role":"ads"}]';
    const text = detectResources(machine(16 * gigabyte, 100 * gigabyte), given, '/').get();
    expect(String(Resources.parse(text))).to.equal('mem(ads):64;cpus:8;disk:97280;ports:[31000-32000]');
  });

  it('fails for text that is no resources', () => {
    expect(() => detectResources(machine(0, 0), 'cpus=4', '/')).to.throw('Cannot parse resources');
    // What only operations make: RES-04.
    expect(() =>
      detectResources(machine(0, 0), '[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"revocable":{}}]', '/'),
    ).to.throw('no revocable');
  });

  it('finds something on this machine', async () => {
    const found = Resources.parse(await detectResources(nodeHardware(), '', '/'));
    for (const name of ['cpus', 'mem', 'disk']) expect(found.scalar(name), name).to.be.greaterThan(0);
  });
});
