// One node of the lock protocol in an OS process of its own.
import { Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';

import { play, type Role } from './lock-protocol.ts';
import { timing } from './timing.ts';

const { NATS_URL: servers = '', NKEY_FILE: nkeySeedFile = '', NODE_NAME: name = '' } = process.env;
const role = process.argv[2] as Role;
const runtime = await Runtime.start({
  name,
  transport: nats({ servers, nkeySeedFile, reconnectWait: '50ms', pingInterval: '200ms', connectTimeout: '500ms' }),
  ...timing,
});
play(role, runtime, (kind) => void process.send?.({ kind }));
process.send?.('ready');
process.on('disconnect', () => process.exit(0));
