import { Basket, type Scheduler, shellTask, startScheduler } from '@mezzo/frameworks';
import type { LocalPID, Process, Runtime } from '@mezzo/process';
import { isTerminal, type TaskInfo } from '@mezzo/protocol';

/** Runs shell commands on a cluster, each until it ends of its own accord; the process it gives ends after the last one. */
export function runCommands(
  runtime: Runtime,
  cluster: string,
  commands: readonly string[],
  print: (line: string) => void,
): LocalPID<Process> {
  const waiting = [...commands];
  const running = new Map<string, string>();
  let launched = 0;
  const scheduler: Scheduler = {
    offers(driver, offers) {
      for (const offer of offers) {
        const basket = new Basket(offer);
        const tasks: TaskInfo[] = [];
        while (waiting.length > 0) {
          const resources = basket.take('cpus:0.1;mem:32');
          const command = resources && waiting.shift();
          if (command === undefined) break;
          const id = `hello-${launched++}`;
          running.set(id, command);
          tasks.push(shellTask(offer, { id, command, resources: resources ?? [] }));
        }
        driver.accept(offer, tasks, { refuseSeconds: 1 });
      }
    },
    update(driver, { taskId, state, message = '' }) {
      const command = running.get(taskId);
      if (command === undefined || !isTerminal(state)) return;
      running.delete(taskId);
      print(`${command}: ${state} ${message}`.trimEnd());
      // An agent was lost, which is not the command's fault.
      if (state === 'TASK_LOST') waiting.push(command);
      if (waiting.length === 0 && running.size === 0) driver.teardown();
    },
  };
  return startScheduler(runtime, { cluster, framework: { name: 'hello' }, scheduler });
}
