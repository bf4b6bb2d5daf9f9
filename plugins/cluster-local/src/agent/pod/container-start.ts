import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import type { Container, Immutable, Pod } from '@tappaas/sdk';
import { remove } from '../removal.js';
import { logFiles, type LogFiles } from '../log/log-files.js';
import type { Launch } from '../process/launch.js';
import { markName, markOfRun } from '../process/marked.js';
import { namespacePrefix } from '../volume/mount-namespace.js';
import { volumeContent, type ReferredObjects } from '../volume/volume-content.js';
import { writeVolume } from '../volume/volume-files.js';
import { makePlaces, mapMounts, mountsOf } from '../volume/volume-mounts.js';
import { environmentOf, expanded } from './environment.js';
import type { PodContext } from './pod-context.js';
import type { Beside } from './probe-check.js';

/** Why a container cannot start now; the start is retried later. */
export interface Obstacle {
  readonly reason: string;
  readonly message: string;
}

/** A container that is ready to launch. */
export interface Prepared {
  readonly launch: Launch;
  readonly files: LogFiles;
  readonly beside: Beside;
  readonly mark: string;
  readonly imageId: string;
}

/** What the start of a container depends on. */
export interface StartOptions {
  readonly pod: Immutable<Pod>;
  readonly container: Immutable<Container>;
  readonly podDirectory: string;
  readonly hostPorts: Readonly<Record<string, number>>;
  readonly objects: ReferredObjects;
  /** Number of the run, from 1. */
  readonly run: number;
}

/** Prepares the image, volumes, environment and command of a container. */
export async function prepareContainer(options: StartOptions, context: PodContext): Promise<Prepared | Obstacle> {
  const { pod, container, podDirectory } = options;
  if ([container.readinessProbe, container.livenessProbe, container.startupProbe].some((probe) => probe?.grpc)) {
    return { reason: 'ProbeNotSupported', message: 'gRPC probes are not asked here; use httpGet, tcpSocket or exec' };
  }
  const found = await context.images.find(container.image ?? '');
  if (!found.image) return found;
  const problem = await makeVolumes(options);
  if (problem) return problem;
  const directory = join(podDirectory, 'containers', container.name);
  const temporary = join(podDirectory, 'tmp');
  await Promise.all([directory, temporary].map((path) => mkdir(path, { recursive: true, mode: 0o700 })));
  // Node determines the module type of the image's files by this package.json at the latest, not by one above this directory.
  await writeFile(join(directory, 'package.json'), '{}\n');
  const image = found.image;
  const root = image.root === undefined ? undefined : join(directory, 'root');
  if (root !== undefined) await context.images.copy(image, root);
  const environment = environmentOf({
    pod,
    container,
    base: { ...context.base, HOME: temporary, TMPDIR: temporary },
    image: Object.fromEntries((image.config.Env ?? []).filter((entry) => !entry.startsWith('PATH=')).map(pair)),
    services: context.serviceVariables(pod.metadata.namespace ?? ''),
    hostPorts: options.hostPorts,
    configMaps: options.objects.configMaps,
    secrets: options.objects.secrets,
    capacity: context.capacity,
  });
  if (environment.missing !== undefined) return { reason: 'CreateContainerConfigError', message: `${environment.missing} does not exist` };
  const workingDirectory = container.workingDir ?? (image.config.WorkingDir || '/');
  const place = {
    workingDirectory,
    volumesDirectory: join(podDirectory, 'volumes'),
    variables: environment.variables,
    ...(root === undefined ? {} : { root }),
  };
  const mark = markOfRun(pod.metadata.uid, container.name, options.run);
  const env: Readonly<Record<string, string>> = { ...environment.variables, [markName]: mark };
  const command = commandOf(container, image.config).map((word) => expanded(word, env));
  if (command.length === 0)
    return { reason: 'CreateContainerConfigError', message: `neither container ${container.name} nor its image names a command` };
  const wrapped = await wrap(container, command, place, directory, context);
  if ('reason' in wrapped) return wrapped;
  const program =
    wrapped.isInside && isAbsolute(command[0] ?? '')
      ? command[0]
      : await findProgram(command[0] ?? '', env['PATH'] ?? '', wrapped.cwd, root);
  if (program === undefined)
    return { reason: 'CreateContainerError', message: `program "${command[0]}" is neither in PATH nor in the image` };
  const files = logFiles(join(podDirectory, 'containers', container.name), options.run);
  await Promise.all([files.exit, files.stdout, files.stderr, files.position].map(remove));
  const argv = [...wrapped.prefix, program, ...command.slice(1)];
  return {
    launch: { argv, cwd: wrapped.cwd, env, stdoutFile: files.stdout, stderrFile: files.stderr, exitFile: files.exit },
    files,
    beside: { prefix: wrapped.prefix, cwd: wrapped.cwd, env },
    mark,
    imageId: image.imageId,
  };
}

const pair = (entry: string): readonly [string, string] => {
  const end = entry.indexOf('=');
  return end < 0 ? [entry, ''] : [entry.slice(0, end), entry.slice(end + 1)];
};

/** The container's command replaces the image's entry point and arguments; its args replace only the image's arguments. */
function commandOf(
  { command, args }: Immutable<Container>,
  image: { readonly Entrypoint?: readonly string[] | null; readonly Cmd?: readonly string[] | null },
): readonly string[] {
  if (command?.length) return [...command, ...(args ?? [])];
  return [...(image.Entrypoint ?? []), ...(args ?? image.Cmd ?? [])];
}

/** Writes the volumes that contain files, and creates the empty ones. */
export async function makeVolumes({
  pod,
  podDirectory,
  objects,
}: Pick<StartOptions, 'pod' | 'podDirectory' | 'objects'>): Promise<Obstacle | undefined> {
  for (const volume of pod.spec?.volumes ?? []) {
    const content = volumeContent(volume, pod, objects);
    const directory = join(podDirectory, 'volumes', volume.name);
    if (content.is === 'unsupported') return { reason: 'VolumeNotSupported', message: content.message };
    if (content.is === 'missing') return { reason: 'CreateContainerConfigError', message: content.message };
    if (content.is === 'directory') await mkdir(directory, { recursive: true, mode: 0o777 });
    else await writeVolume(directory, content.files, content.version);
  }
  return undefined;
}

interface Wrapped {
  readonly prefix: readonly string[];
  readonly cwd: string;
  /** Whether the command runs in a mount namespace, where the image's files are at their own absolute paths. */
  readonly isInside: boolean;
}

type Place = Parameters<typeof mountsOf>[1];

/** Decides where the command runs: directly in the image's copy, or in a mount namespace with the mounts at their absolute paths. */
async function wrap(
  container: Immutable<Container>,
  command: readonly string[],
  place: Place,
  directory: string,
  context: PodContext,
): Promise<Wrapped | Obstacle> {
  const cwd = place.root === undefined ? workingDirectoryOf(place, directory) : resolve(join(place.root, place.workingDirectory));
  await mkdir(cwd, { recursive: true });
  const direct: Wrapped = { prefix: [], cwd, isInside: false };
  const isNamed =
    place.root !== undefined && place.workingDirectory !== '/' && command.some((word) => word.startsWith(`${place.workingDirectory}/`));
  const isMounted = (container.volumeMounts ?? []).length > 0;
  if (!isMounted && !isNamed) return direct;
  const obstacle = await context.namespaceObstacle();
  if (!isMounted && obstacle !== undefined) return direct;
  const mounts = await mountsOf(container, place);
  const outside = await mapMounts(mounts, place);
  if (obstacle !== undefined) {
    if (outside.length === 0) return direct;
    return {
      reason: 'MountPathNeedsNamespace',
      message: `${outside.join(', ')} can only be shown in a mount namespace, and ${obstacle}; mount below the working directory instead`,
    };
  }
  await makePlaces(mounts);
  const stage = join(directory, 'stage');
  const inner = place.root === undefined ? cwd : place.workingDirectory;
  return { prefix: await namespacePrefix(mounts, stage, inner), cwd, isInside: true };
}

/** Without an image, an absolute working directory is one of the host; otherwise the container gets its own folder. */
const workingDirectoryOf = ({ workingDirectory }: Place, directory: string): string =>
  isAbsolute(workingDirectory) && workingDirectory !== '/' ? workingDirectory : join(directory, 'work');

/** Finds the program as a shell would; an absolute path prefers the image's file, if it exists. */
async function findProgram(name: string, path: string, cwd: string, root: string | undefined): Promise<string | undefined> {
  const folders = name.includes('/') ? [] : path.split(delimiter).filter(isAbsolute);
  const candidates = name.includes('/')
    ? [...(root !== undefined && isAbsolute(name) ? [join(root, name)] : []), resolve(cwd, name)]
    : folders.map((folder) => join(folder, name));
  for (const candidate of candidates) {
    const isThere = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  return undefined;
}
