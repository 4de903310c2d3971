import { expect } from 'chai';
import fc from 'fast-check';
import { Basket } from '@mezzo/frameworks';
import { AgentID, FrameworkID, type Offer, OfferID, Resources } from '@mezzo/protocol';

function offerOf(resources: string): Offer {
  return {
    id: OfferID('o'),
    frameworkId: FrameworkID('f'),
    agentId: AgentID('a'),
    hostname: 'h',
    role: 'web',
    resources: [...Resources.parse(resources).allocate('web')],
    attributes: {},
    url: '',
  };
}

describe('Basket', () => {
  it('takes amounts until there is not enough, and then nothing', () => {
    const basket = new Basket(offerOf('cpus:1;mem:100'));
    expect(basket.take('cpus:0.4;mem:10')).to.have.length(2);
    expect(basket.take('cpus:0.4;mem:10')).to.have.length(2);
    expect(basket.take('cpus:0.4;mem:10')).to.equal(undefined);
    expect(basket.left.toString()).to.equal(Resources.parse('cpus:0.2;mem:80').allocate('web').toString());
  });

  it('takes reserved resources first and completes them with unreserved ones', () => {
    const basket = new Basket(offerOf('cpus:2;cpus(web):0.5'));
    expect(basket.take('cpus:0.7')).to.deep.equal([
      {
        name: 'cpus',
        type: 'SCALAR',
        scalar: 0.5,
        reservations: [{ type: 'STATIC', role: 'web' }],
        allocationRole: 'web',
      },
      { name: 'cpus', type: 'SCALAR', scalar: 0.2, allocationRole: 'web' },
    ]);
  });

  it('takes ranges and sets in one piece', () => {
    const basket = new Basket(offerOf('ports:[1-3, 7-9];zones:{a,b}'));
    expect(basket.take('ports:[2-2];zones:{b}')).to.have.length(2);
    expect(basket.take('ports:[2-2]')).to.equal(undefined);
    expect(basket.take('ports:[1-1, 8-9]')).to.have.length(1);
    expect(basket.take('zones:{c}')).to.equal(undefined);
  });

  it('never gives more than the offer holds, and loses nothing', () => {
    const amount = fc.integer({ min: 1, max: 3000 }).map((thousandths) => thousandths / 1000);
    fc.assert(
      fc.property(amount, amount, fc.array(amount, { maxLength: 20 }), (free, reserved, wanted) => {
        const offer = offerOf(`cpus:${free};cpus(web):${reserved}`);
        const basket = new Basket(offer);
        const taken = wanted.flatMap((cpus) => basket.take(`cpus:${cpus}`) ?? []);
        const all = Resources.of(offer.resources);
        expect(Resources.of(taken).plus(basket.left).equals(all)).to.equal(true);
      }),
    );
  });
});
