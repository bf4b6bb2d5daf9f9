/** What a server says of itself in OpenAPI, read as far as requests can be made from it. */

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

/** What is said once under components. */
interface Reference {
  readonly $ref: string;
}

interface Described {
  readonly 'x-kubernetes-action': string;
  readonly 'x-kubernetes-group-version-kind': { readonly group: string; readonly version: string; readonly kind: string };
  readonly operationId: string;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content | Reference>>;
}

export interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, Described>> & { readonly parameters?: readonly (Parameter | Reference)[] }>
  >;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly parameters: Readonly<Record<string, Parameter>>;
    readonly responses: Readonly<Record<string, Content>>;
  };
}

/** One method of one path. */
export interface Operation extends Pick<
  Described,
  'x-kubernetes-action' | 'x-kubernetes-group-version-kind' | 'operationId' | 'requestBody'
> {
  readonly path: string;
  readonly method: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, Content>>;
}

const nameIn = ({ $ref }: Reference): string => $ref.slice($ref.lastIndexOf('/') + 1);

export function operationsOf({ paths, components }: Document): readonly Operation[] {
  const parameterOf = (each: Parameter | Reference): Parameter => ('$ref' in each ? known(components.parameters, each) : each);
  const responseOf = (each: Content | Reference): Content => ('$ref' in each ? known(components.responses, each) : each);
  return Object.entries(paths).flatMap(([path, { parameters = [], ...methods }]) =>
    Object.entries(methods).map(([method, described]) => ({
      ...described,
      path,
      method: method.toUpperCase(),
      parameters: [...parameters, ...(described.parameters ?? [])].map(parameterOf),
      responses: Object.fromEntries(Object.entries(described.responses).map(([status, each]) => [status, responseOf(each)])),
    })),
  );
}

function known<T>(components: Readonly<Record<string, T>>, reference: Reference): T {
  const found = components[nameIn(reference)];
  if (found === undefined) throw new Error(`nothing is described at ${reference.$ref}`);
  return found;
}
