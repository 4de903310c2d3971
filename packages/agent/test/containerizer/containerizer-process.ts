// A containerizer in an OS process of its own: `containerizer-process.ts WORK_DIRECTORY {"id":"shell line",…}`. It runs until
// it is killed.

import { dispatch, Runtime } from '@mezzo/process';
import { ContainerID } from '@mezzo/protocol';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PosixContainerizer } from '../../src/containerizer/posix-containerizer.ts';
import { WorkDirectory } from '../../src/work-directory.ts';

const [workDirectory = '', lines = '{}'] = process.argv.slice(2);
const runtime = await Runtime.start();
const folders = new WorkDirectory(workDirectory);
const containerizer = runtime.spawn(new PosixContainerizer({ workDirectory: folders, killOnStop: true }));
for (const [id, value] of Object.entries(JSON.parse(lines) as Record<string, string>)) {
  const sandbox = join(workDirectory, 'sandboxes', id);
  await mkdir(sandbox, { recursive: true });
  const command = { value, shell: true, arguments: [], environment: {} };
  const environment = { PATH: '/usr/bin:/bin' };
  await dispatch(containerizer, (p) => p.launch({ containerId: ContainerID(id), sandbox, command, environment }));
}
setInterval(() => {}, 1000);
