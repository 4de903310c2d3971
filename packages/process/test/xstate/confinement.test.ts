import { expect } from 'chai';
import { type AnyActorRef, createActor, createMachine } from 'xstate';
import { Confinement, type ConfinementHost } from '../../src/xstate/confinement.ts';

const host: ConfinementHost = {
  inTurn: () => true,
  later: (act) => act(),
  now: () => 0,
  delay: () => ({ cancel: () => true }),
};

describe('Confinement', () => {
  const actor = (): AnyActorRef => createActor(createMachine({}));

  for (const [what, spoil] of [
    ['way of events', (one: AnyActorRef) => Reflect.set(one.system, '_relay', undefined)],
    ['naming of children', (one: AnyActorRef) => Reflect.set(one.system, '_bookId', undefined)],
    ['scope of actions', (one: AnyActorRef) => Reflect.set(one, '_actorScope', undefined)],
  ] as const) {
    it(`refuses an xstate whose ${what} is another, and says which versions will do`, () => {
      const other = actor();
      spoil(other);
      expect(() => new Confinement(host, 0).adopt(other))
        .to.throw(/from 5\.33 on below 6/)
        .with.property('code', 'MACHINE_UNSUPPORTED');
    });
  }

  it('adopts the actors of the installed xstate', () => {
    expect(() => new Confinement(host, 0).adopt(actor())).not.to.throw();
  });
});
