import { expect } from 'chai';
import {
  AgentID,
  conversionsOf,
  FrameworkID,
  type Offer,
  OfferID,
  type Resource,
  ResourceConversionError,
  Resources,
} from '@mezzo/protocol';
import {
  Basket,
  createVolume,
  destroyVolume,
  growVolume,
  launch,
  reserve,
  shellTask,
  shrinkVolume,
  unreserve,
} from '@mezzo/frameworks';

function offerOf(resources: Iterable<Resource>, role = 'web'): Offer {
  return {
    id: OfferID('o'),
    frameworkId: FrameworkID('f'),
    agentId: AgentID('a'),
    hostname: 'h',
    role,
    resources: [...Resources.of(resources).allocate(role)],
    attributes: {},
    url: '',
  };
}
const text = (resources: Iterable<Resource>): string => String(Resources.of(resources).unallocate());
const take = (basket: Basket, wanted: string): Resource[] => {
  const taken = basket.take(wanted, { from: 'unreserved' });
  if (taken === undefined) throw new Error(`no ${wanted} left`);
  return taken;
};
const where = { persistenceId: 'v', containerPath: 'data' };

describe('operations', () => {
  it('reserve for the role of the offer, with the principal, labels and id that are given', () => {
    const offer = offerOf(Resources.parse('cpus:2;mem:100'));
    const basket = new Basket(offer);
    const { resources, ...rest } = reserve(offer, take(basket, 'cpus:1'), {
      principal: 'p',
      labels: [{ key: 'k' }],
      id: 'op',
    });
    expect(rest).to.deep.equal({ type: 'RESERVE', id: 'op' });
    const reservation = { type: 'DYNAMIC', role: 'web', principal: 'p', labels: [{ key: 'k' }] };
    expect(resources).to.deep.equal([
      { name: 'cpus', type: 'SCALAR', scalar: 1, reservations: [reservation], allocationRole: 'web' },
    ]);
    expect(reserve(offer, take(basket, 'cpus:1'), { role: 'web/ads' }).resources[0]?.reservations?.[0]?.role).to.equal(
      'web/ads',
    );
  });

  it('refuse to reserve for everybody, and what is reserved already', () => {
    const everybody = offerOf(Resources.parse('cpus:2'), '*');
    expect(() => reserve(everybody, everybody.resources)).to.throw(RangeError, /cpus.*'\*'.*everybody/);
    const reserved = offerOf(Resources.parse('cpus(web):2'));
    expect(() => reserve(reserved, reserved.resources)).to.throw(ResourceConversionError);
  });

  it('make a volume of reserved disk, resize it and take it all back', () => {
    const offer = offerOf(Resources.parse('cpus:1;disk:100'));
    const basket = new Basket(offer);
    const reserved = reserve(offer, take(basket, 'disk:64'));
    const created = createVolume(reserved.resources, { ...where, principal: 'p', id: 'op' });
    expect(created.id).to.equal('op');
    const [volume] = created.volumes;
    if (volume === undefined) throw new Error('no volume');
    expect(volume.disk).to.deep.equal({
      persistence: { id: 'v', principal: 'p' },
      volume: { containerPath: 'data', mode: 'RW' },
    });
    const [addition] = reserve(offer, take(basket, 'disk:16')).resources;
    if (addition === undefined) throw new Error('no addition');
    // The algebra is the one that masters check operations by.
    const converted = [
      reserved,
      created,
      reserve(offer, [{ ...addition, reservations: [] }]),
      growVolume(volume, addition),
      shrinkVolume({ ...volume, type: 'SCALAR', scalar: 80 }, 30),
      destroyVolume({ ...volume, type: 'SCALAR', scalar: 50 }),
      unreserve([{ ...addition, type: 'SCALAR', scalar: 80 }]),
    ]
      .flatMap(conversionsOf)
      .reduce((all, conversion) => all.apply(conversion), Resources.of(offer.resources));
    expect(converted.equals(Resources.of(offer.resources))).to.equal(true);
  });

  it('make a volume of one amount of disk only', () => {
    const offer = offerOf(Resources.parse('cpus:1;disk:100'));
    const { resources } = reserve(offer, take(new Basket(offer), 'cpus:1;disk:64'));
    expect(() => createVolume(resources, where)).to.throw(RangeError, /'v'.*cpus.*expected one amount of disk/);
    expect(() => createVolume(resources.toReversed(), where)).to.throw(RangeError);
    expect(() => createVolume([], where)).to.throw(RangeError);
    const [volume] = createVolume(
      resources.filter(({ name }) => name === 'disk'),
      { ...where, shared: true },
    ).volumes;
    expect(volume?.shared).to.equal(true);
  });

  it('launch tasks', () => {
    const task = shellTask(offerOf([]), { id: 't', command: 'true', resources: [] });
    expect(launch([task])).to.deep.equal({ type: 'LAUNCH', tasks: [task] });
  });
});

describe('Basket with volumes and reservations', () => {
  const reserved = Resources.parse('disk:64').pushReservation({ type: 'DYNAMIC', role: 'web' });
  const [volume] = createVolume(reserved, where).volumes;
  const all = [...(volume === undefined ? [] : [volume]), ...Resources.parse('cpus:1;cpus(web):1;disk:10')];

  it('takes a volume by its id, and never a part of it', () => {
    const basket = new Basket(offerOf(all));
    expect(basket.take('disk:11')).to.equal(undefined);
    expect(text(basket.take('disk:10') ?? [])).to.equal('disk:10');
    expect(basket.takeVolume('w')).to.equal(undefined);
    expect(basket.takeVolume('v')).to.deep.equal({ ...volume, allocationRole: 'web' });
    expect(basket.takeVolume('v')).to.equal(undefined);
    expect(basket.left.scalar('disk')).to.equal(0);
  });

  it('takes from what is reserved or not only, if it is told so', () => {
    const basket = new Basket(offerOf(all));
    expect(basket.take('cpus:2', { from: 'reserved' })).to.equal(undefined);
    expect(basket.take('cpus:2', { from: 'unreserved' })).to.equal(undefined);
    expect(text(basket.take('cpus:1', { from: 'unreserved' }) ?? [])).to.equal('cpus:1');
    expect(text(basket.take('cpus:1', { from: 'reserved' }) ?? [])).to.equal('cpus(web):1');
  });
});
