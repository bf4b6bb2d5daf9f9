/** A directory or file that a container sees at an absolute path. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly isFile: boolean;
}

/** The view of the host's file system that planning needs. */
export interface HostView {
  /** The entries of a directory, with the targets of symbolic links; undefined if it does not exist. */
  list(path: string): ReadonlyMap<string, { readonly isDirectory: boolean; readonly linkTarget?: string }> | undefined;
}

/** One step of the mount script: a verb and its arguments. */
export type MountStep =
  | readonly ['dir', path: string]
  | readonly ['bind', source: string, path: string]
  | readonly ['file', source: string, path: string]
  | readonly ['link', target: string, path: string]
  | readonly ['ro', path: string];

interface Branch {
  mount?: Mount;
  readonly children: Map<string, Branch>;
}

/** Mount point for the host's own folders when some of their entries are replaced. */
const hostFolder = '/.host';

/**
 * Plans a root directory that looks like the host's, with the mounts in place.
 *
 * Nothing can be created in the host's own folders, so a folder without an entry for a mount is recreated: its other entries become links
 * into a bind mount of the original. Everything else is bind-mounted unchanged. The mount point of a mount below another one is created in
 * the outer mount's source.
 */
export function planMounts(mounts: readonly Mount[], host: HostView): readonly MountStep[] {
  const root: Branch = { children: new Map() };
  for (const mount of mounts.toSorted((a, b) => (a.target < b.target ? -1 : 1))) {
    let branch = root;
    for (const part of mount.target.split('/').filter((name) => name !== '')) {
      const next: Branch = branch.children.get(part) ?? { children: new Map() };
      branch.children.set(part, next);
      branch = next;
    }
    branch.mount = mount;
  }
  const steps: MountStep[] = [];
  const names = host.list('/') ?? new Map();
  for (const [name, { isDirectory, linkTarget }] of names) {
    if (root.children.has(name)) continue;
    if (linkTarget !== undefined) steps.push(['link', linkTarget, `/${name}`]);
    else steps.push([isDirectory ? 'bind' : 'file', `/${name}`, `/${name}`]);
  }
  let copies = 0;
  const grow = (path: string, branch: Branch, isOnHost: boolean): void => {
    if (branch.mount) {
      const { source, readOnly, isFile } = branch.mount;
      steps.push([isFile ? 'file' : 'bind', source, path]);
      for (const [name, child] of branch.children) grow(`${path}/${name}`, child, false);
      if (readOnly) steps.push(['ro', path]);
      return;
    }
    const present = isOnHost ? host.list(path) : undefined;
    const lacks = [...branch.children.keys()].some((name) => present?.get(name)?.isDirectory !== true);
    if (!lacks) steps.push(['bind', path, path]);
    else {
      steps.push(['dir', path]);
      if (present) {
        copies += 1;
        steps.push(['bind', path, `${hostFolder}/${copies}`]);
        for (const name of present.keys())
          if (!branch.children.has(name)) steps.push(['link', `${hostFolder}/${copies}/${name}`, `${path}/${name}`]);
      }
    }
    for (const [name, child] of branch.children) grow(`${path}/${name}`, child, present !== undefined);
  };
  for (const [name, child] of root.children) grow(`/${name}`, child, names.has(name));
  return steps;
}
