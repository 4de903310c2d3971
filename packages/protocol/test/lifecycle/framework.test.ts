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
      ['unknown', 'SUBSCRIBE', 'connected', 'addFramework attachConnection sendSubscribed'],
    ],

    'is recovered from an agent that runs it, and takes over when it subscribes': [
      ['unknown', 'RECOVER', 'recovered', 'addFramework'],
      ['recovered', 'SUBSCRIBE', 'connected', 'attachConnection activate sendSubscribed announceUpdate'],
    ],

    'fails over to a new connection: the old one is told, offers are gone, it stays active': [
      [
        'connected',
        'SUBSCRIBE',
        'connected',
        'supersedeConnection discardOffers attachConnection sendSubscribed announceUpdate',
      ],
    ],

    'gives its offers back when it disconnects, and may come back until the failover timer ends': [
      ['connected', 'DISCONNECT', 'disconnected', 'detachConnection deactivate rescindOffers startFailoverTimer'],
      [
        'disconnected',
        'SUBSCRIBE',
        'connected',
        'stopFailoverTimer attachConnection activate sendSubscribed announceUpdate',
      ],
      ['disconnected', 'FAILOVER_TIMEOUT', 'completed', 'stopFailoverTimer removeFramework'],
    ],

    'can be torn down also before it came back': [
      ['recovered', 'TEARDOWN', 'completed', 'removeFramework'],
      ['disconnected', 'TEARDOWN', 'completed', 'stopFailoverTimer removeFramework'],
    ],

    'can be torn down while connected': [
      ['connected', 'TEARDOWN', 'completed', 'deactivate discardOffers removeFramework detachConnection'],
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
    expect(frameworkLifecycle.next('connected', 'FAILOVER_TIMEOUT')).to.equal(undefined);
  });

  reachesAllStates(frameworkLifecycle);
  agreesWithXstate(frameworkMachine, frameworkLifecycle);
});
