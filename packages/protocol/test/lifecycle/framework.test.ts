import { expect } from 'chai';
import { frameworkLifecycle, frameworkMachine } from '../../src/lifecycle/index.ts';
import { agreesWithXstate, reachesAllStates, tell } from './story.ts';

describe('framework at the master', () => {
  it('begins unknown, with nothing to do', () => {
    expect(frameworkLifecycle.initial).to.equal('unknown');
    expect(frameworkLifecycle.initialEffects).to.deep.equal([]);
  });

  tell(frameworkLifecycle, {
    'is added by its first subscription': [
      ['unknown', 'SUBSCRIBE', 'connected.active', 'addFramework attachConnection sendSubscribed'],
    ],

    'is recovered from an agent that runs it, and takes over when it subscribes': [
      ['unknown', 'RECOVER', 'recovered', 'addFramework'],
      ['recovered', 'SUBSCRIBE', 'connected.active', 'attachConnection activate sendSubscribed announceUpdate'],
    ],

    'fails over to a new connection: the old one is told, offers are gone, it stays active': [
      [
        'connected.active',
        'SUBSCRIBE',
        'connected.active',
        'supersedeConnection discardOffers attachConnection sendSubscribed announceUpdate',
      ],
      [
        'connected.inactive',
        'SUBSCRIBE',
        'connected.active',
        'supersedeConnection attachConnection activate sendSubscribed announceUpdate',
      ],
    ],

    'gets no offers while inactive': [
      ['connected.active', 'DEACTIVATE', 'connected.inactive', 'deactivate rescindOffers'],
    ],

    'gives its offers back when it disconnects, and may come back until the failover timer ends': [
      [
        'connected.active',
        'DISCONNECT',
        'disconnected',
        'detachConnection deactivate rescindOffers startFailoverTimer',
      ],
      ['connected.inactive', 'DISCONNECT', 'disconnected', 'detachConnection startFailoverTimer'],
      [
        'disconnected',
        'SUBSCRIBE',
        'connected.active',
        'stopFailoverTimer attachConnection activate sendSubscribed announceUpdate',
      ],
      ['disconnected', 'FAILOVER_TIMEOUT', 'completed', 'stopFailoverTimer removeFramework'],
    ],

    'can be torn down from anywhere': [
      ['connected.active', 'TEARDOWN', 'completed', 'deactivate discardOffers removeFramework detachConnection'],
      ['connected.inactive', 'TEARDOWN', 'completed', 'removeFramework detachConnection'],
      ['disconnected', 'TEARDOWN', 'completed', 'stopFailoverTimer removeFramework'],
      ['recovered', 'TEARDOWN', 'completed', 'removeFramework'],
    ],
  });

  it('is refused for ever once completed', () => {
    expect(frameworkLifecycle.isFinal('completed')).to.equal(true);
    expect(frameworkLifecycle.next('completed', 'SUBSCRIBE')).to.equal(undefined);
  });

  it('has no failover timer when recovered', () => {
    expect(frameworkLifecycle.next('recovered', 'FAILOVER_TIMEOUT')).to.equal(undefined);
  });

  it('ignores a failover timer that comes late', () => {
    expect(frameworkLifecycle.next('connected.active', 'FAILOVER_TIMEOUT')).to.equal(undefined);
    expect(frameworkLifecycle.next('connected.inactive', 'FAILOVER_TIMEOUT')).to.equal(undefined);
  });

  reachesAllStates(frameworkLifecycle);
  agreesWithXstate(frameworkMachine, frameworkLifecycle);
});
