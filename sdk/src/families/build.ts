import type { Context } from '../context.js';
import type { Strings } from '../values.js';

/** What is to be built. */
export interface BuildRequest {
  /** Directory with the source; read only, and nothing in it is trusted. */
  readonly sourceDirectory: string;
  /** OCI image layout that takes the image. */
  readonly imagesDirectory: string;
  readonly application: { readonly namespace: string; readonly name: string };
  readonly parameters: Strings;
}

/** What came of it. */
export interface BuildResult {
  /** `sha256:…` of the image manifest in the layout. */
  readonly imageDigest: string;
  /** How the builder found out what to run, for people: `package.json "start"`. Absent: the image names no command, so each process must. */
  readonly startedBy?: string;
  readonly cached: boolean;
}

/** A build context: output lines go to the Build's log. */
export interface BuildContext extends Context {
  output(line: string): void;
  /** Aborts when nobody wants the image any more: end every process and file of the build. `signal` does not know of it. */
  readonly cancelled: AbortSignal;
}

/** Turns source into an image in an OCI image layout; content-addressed: the same source gives the same digest. */
export interface Builder {
  readonly description: string;
  /** @throws TAP_BUILD_FAILED with what the author of the source can mend. */
  build(request: BuildRequest, context: BuildContext): Promise<BuildResult>;
}

/** Recognises what `tappaas deploy` is given and turns it into Application specs. Pure: runs where the files are. */
export interface InputType {
  readonly description: string;
  /** File names by which it is recognised. */
  readonly fileNames: readonly string[];
  /** @throws TAP_INPUT_UNSUPPORTED naming every unsupported part. */
  read(files: Readonly<Record<string, string>>): Promise<readonly { readonly name: string; readonly spec: unknown }[]>;
}
