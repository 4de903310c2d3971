import { Process } from '../process.ts';
import { jsonOrScript } from './jsonp.ts';

/** `/system/stats.json` and the gauges `system/…`: load, cpus and memory of the machine. */
export class SystemProcess extends Process {
  /** Names of the gauges that are shown. */
  readonly #gauges: string[] = [];

  constructor() {
    super('system');
  }

  protected override initialize(): void {
    const { hardware } = this.runtime.platform;
    const gauge = (name: string, help: string, read: () => number): void =>
      void this.#gauges.push(this.runtime.metrics.pullGauge(`system/${name}`, read, { help }).name);
    gauge('load_1min', 'Load average of the last minute', () => hardware.load().oneMinute);
    gauge('load_5min', 'Load average of the last 5 minutes', () => hardware.load().fiveMinutes);
    gauge('load_15min', 'Load average of the last 15 minutes', () => hardware.load().fifteenMinutes);
    gauge('cpus_total', 'Cpus of the machine', () => hardware.cpus);
    gauge('mem_total_bytes', 'Memory of the machine', () => hardware.memory);
    gauge('mem_free_bytes', 'Memory that programs could take', () => hardware.freeMemory());
    this.route(
      '/stats.json',
      (request) => {
        const { oneMinute, fiveMinutes, fifteenMinutes } = hardware.load();
        return jsonOrScript(request, {
          avg_load_1min: oneMinute,
          avg_load_5min: fiveMinutes,
          avg_load_15min: fifteenMinutes,
          cpus_total: hardware.cpus,
          mem_total_bytes: hardware.memory,
          mem_free_bytes: hardware.freeMemory(),
        });
      },
      { help: 'Load, cpus and memory of the machine as JSON; `?jsonp=name` calls a function with it.' },
    );
  }

  protected override finalize(): void {
    for (const name of this.#gauges) this.runtime.metrics.remove(name);
  }
}
