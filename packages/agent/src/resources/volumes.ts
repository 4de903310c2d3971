import { type Files, Future } from '@mezzo/process';
import { type Resource, ResourceConversionError, reservationRole, type Resources } from '@mezzo/protocol';
import { inOrder } from '../recovery/in-order.ts';
import { isMissing } from '../recovery/recovery-error.ts';
import type { WorkDirectory } from '../work-directory.ts';

/** Where a persistent volume is, and where a task sees it. */
export interface VolumeMount {
  /** Absolute. */
  readonly hostPath: string;
  /** Relative to the sandbox. */
  readonly containerPath: string;
  readonly mode: 'RW' | 'RO';
}

/**
 * The folder of a persistent volume: `volumes/roles/<role>/<id>` in the work directory or in the root of a PATH disk, or a
 * MOUNT disk's root itself. A "/" in the role is a space in the path. Undefined for what is no volume.
 *
 * @throws {ResourceConversionError} for an id or a disk that no folder can be made for
 */
export function volumePath(folders: WorkDirectory, resource: Resource): string | undefined {
  const { persistence, source } = resource.disk ?? {};
  if (persistence === undefined) return undefined;
  const { id } = persistence;
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (id === '.' || id === '..' || /[/\u0000-\u001f\u007f]/.test(id) || id.length > 255)
    throw new ResourceConversionError(
      `Persistent volume ${JSON.stringify(id)} cannot be a folder: expected up to 255 characters without '/' or control characters, and not '.' or '..'`,
    );
  const role = reservationRole(resource).replaceAll('/', ' ');
  if (source === undefined) return `${folders.root}/volumes/roles/${role}/${id}`;
  const { type, root = '' } = source;
  const isUnsafe = root === '' || root.includes('\0') || root.split('/').includes('..');
  if (isUnsafe || (type !== 'PATH' && type !== 'MOUNT'))
    throw new ResourceConversionError(
      `Persistent volume '${id}' is on a disk of type ${type} with root ${JSON.stringify(root)}: expected PATH or MOUNT, and a root without '..'`,
    );
  // As in Mesos, a root may be relative to the work directory.
  const folder = (root.startsWith('/') ? root : `${folders.root}/${root}`).replace(/(?<=.)\/+$/, '');
  return type === 'MOUNT' ? folder : `${folder}/volumes/roles/${role}/${id}`;
}

/** Where tasks with these resources see volumes: those of them that say so. Throws as `volumePath`. */
export function volumeMounts(folders: WorkDirectory, resources: Resources): readonly VolumeMount[] {
  return [...resources].flatMap((resource) => {
    const hostPath = volumePath(folders, resource);
    const { volume } = resource.disk ?? {};
    if (hostPath === undefined || volume === undefined) return [];
    return [{ hostPath, containerPath: volume.containerPath, mode: volume.mode }];
  });
}

/** Makes the folders of volumes that there are, and removes those of volumes that there are no more, with what is in them. */
export function syncVolumes(files: Files, folders: WorkDirectory, before: Resources, now: Resources): Future<void> {
  const [gone, present] = [volumesByPath(folders, before), volumesByPath(folders, now)];
  for (const path of present.keys()) gone.delete(path);
  return inOrder(gone, ([path, isMount]) => (isMount ? empty(files, path) : files.remove(path)))
    .andThen(() => inOrder(present.keys(), (path) => files.createFolder(path)))
    .map(() => undefined);
}

/** Whether the volume is a whole mounted disk, by path. */
function volumesByPath(folders: WorkDirectory, resources: Resources): Map<string, boolean> {
  const paths = new Map<string, boolean>();
  for (const resource of resources.persistentVolumes()) {
    const path = volumePath(folders, resource);
    if (path !== undefined) paths.set(path, resource.disk?.source?.type === 'MOUNT');
  }
  return paths;
}

/** The root of a mounted disk stays. */
function empty(files: Files, folder: string): Future<unknown> {
  return files
    .list(folder)
    .repair((outcome) => (isMissing(outcome.failure()) ? [] : Future.failed(outcome.failure())))
    .andThen((names) => inOrder(names, (name) => files.remove(`${folder}/${name}`)));
}
