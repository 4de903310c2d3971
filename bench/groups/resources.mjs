import { side } from '../subprocess.mjs';

const both = ['add', 'subtract'];

/** What each piece of work measures. */
const works = {
  scalars: [...both, 'apart.add', 'apart.subtract'],
  ranges: ['10', '100', '1000'].flatMap((count) => both.map((one) => `${count}.${one}`)),
  reservations: both,
  volumes: both,
  shared: both,
  contains: [
    'contains.scalars',
    'contains.same',
    'contains.less',
    'contains.ranges.10',
    'contains.ranges.1000',
    'contains.ranges.1000.odd',
    'contains.reservations.10',
    'contains.reservations.100',
    'contains.volumes.100',
  ],
  filters: [
    'reserved',
    'reservedTo',
    'unreserved',
    'revocable',
    'nonRevocable',
    'shared',
    'nonShared',
    'persistentVolumes',
    'allocatableTo',
    'scalarsOnly',
  ],
  allocate: ['allocate', 'unallocate', 'of'],
  parse: ['names', 'agent'],
};

/** The algebra alone. */
export const resources = {
  name: 'resources',
  runs: Object.entries(works).map(([work, figures]) => ({
    ours: () => side('resources.mjs', [work]),
    cases: figures.map((figure) => ({
      name: figure.startsWith(work) ? `resources.${figure}` : `resources.${work}.${figure}`,
      figure,
      unit: 'ns each',
      lowerIsBetter: true,
    })),
  })),
};
