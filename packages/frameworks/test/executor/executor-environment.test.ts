import { expect } from 'chai';
import { DriverError, executorEnvironment } from '@mezzo/frameworks';

const least = { MESOS_FRAMEWORK_ID: 'f', MESOS_EXECUTOR_ID: 'e', MEZZO_AGENT: 'agent@node' };

function faultOf(variables: Readonly<Record<string, string | undefined>>): string {
  try {
    executorEnvironment(variables);
  } catch (error) {
    if (error instanceof DriverError && error.code === 'ENVIRONMENT_INVALID') return error.message;
    throw error;
  }
  return '';
}

describe('executorEnvironment', () => {
  it('reads what agents give, with Mesos’s defaults for what they need not', () => {
    expect(executorEnvironment(least)).to.deep.equal({
      frameworkId: 'f',
      executorId: 'e',
      agent: 'agent@node',
      checkpoint: false,
      recoveryTimeout: 900_000,
      shutdownGracePeriod: 5000,
      sandbox: undefined,
    });
    expect(
      executorEnvironment({
        ...least,
        MEZZO_AGENT: 'agent@node#7.3',
        MESOS_CHECKPOINT: '1',
        MESOS_RECOVERY_TIMEOUT: '1mins',
        MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '10secs',
        MESOS_SANDBOX: '/sandbox',
      }),
    ).to.deep.include({
      // Whoever holds the address by then.
      agent: 'agent@node',
      checkpoint: true,
      recoveryTimeout: 60_000,
      shutdownGracePeriod: 10_000,
      sandbox: '/sandbox',
    });
  });

  it('names everything that is missing or wrong', () => {
    expect(faultOf({})).to.match(
      /MESOS_FRAMEWORK_ID is not set; MESOS_EXECUTOR_ID is not set; MEZZO_AGENT is not set.*started by agents/,
    );
    const wrong = {
      MESOS_FRAMEWORK_ID: 'a/b',
      MESOS_EXECUTOR_ID: '',
      MEZZO_AGENT: 'nowhere',
      MESOS_CHECKPOINT: 'yes',
      MESOS_RECOVERY_TIMEOUT: 'soon',
      MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '5 parsecs',
    };
    for (const part of ['a/b', 'MESOS_EXECUTOR_ID is not set', 'nowhere', "'yes'", "'soon'", 'parsecs'])
      expect(faultOf(wrong)).to.include(part);
    for (const [name, text] of Object.entries(wrong)) expect(faultOf({ ...least, [name]: text })).to.include(name);
  });
});
