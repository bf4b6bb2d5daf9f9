import { GraphQLID, GraphQLInterfaceType, GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString } from 'graphql';
import type { GraphqlContext } from '../context.js';
import { globalId } from '../global-id.js';
import type { ObjectBody } from '../object-reader.js';
import { firstArgument, firstOf } from './connections.js';
import { pageCost } from './cost-hints.js';
import type { ExposedKind } from './exposed-kinds.js';
import type { Fields, OutputTypes } from './output-types.js';
import { pluginFields } from './plugin-fields.js';
import { referenceFields } from './references.js';
import { relationsOf } from './relations.js';
import { workloadFields } from './workload-fields.js';
import type { SchemaParts, ValueTypes } from './schema-parts.js';

const idField = {
  type: new GraphQLNonNull(GraphQLID),
  description: 'Opaque id of the object, stable while it exists; `node` finds the object by it.',
  resolve: (object: unknown) => globalId(object as ObjectBody),
};

/** Makes the types of all kinds. Their fields are resolved lazily, because types refer to each other. */
export class ObjectTypes {
  /** Relay's interface of objects with a global id. */
  readonly node: GraphQLInterfaceType;
  readonly resource: GraphQLInterfaceType;
  readonly #parts: SchemaParts;
  readonly #byKind = new Map<string, GraphQLObjectType>();

  constructor(parts: SchemaParts, types: ValueTypes) {
    this.#parts = parts;
    const typeNames = new Map(parts.kinds.map(({ served, typeName }) => [`${served.group}/${served.kind}`, typeName]));
    const resolveType = (object: unknown): string | undefined => typeNames.get(groupKind(object as ObjectBody));
    this.node = new GraphQLInterfaceType({
      name: 'Node',
      description: 'Any object with a global id.',
      fields: { id: { type: idField.type, description: idField.description } },
      resolveType,
    });
    const metadata = metadataType(parts.kinds, types.outputs);
    const common: Fields = {
      id: idField,
      apiVersion: { type: new GraphQLNonNull(GraphQLString), description: 'Group and version that the object is written in.' },
      kind: { type: new GraphQLNonNull(GraphQLString), description: 'Kind of the object.' },
      name: {
        type: new GraphQLNonNull(GraphQLString),
        description: 'Name, unique in the namespace.',
        resolve: (object) => (object as ObjectBody).metadata.name,
      },
      namespace: {
        type: GraphQLString,
        description: 'Namespace; null for kinds without namespaces.',
        resolve: (object) => (object as ObjectBody).metadata.namespace,
      },
      metadata: { type: new GraphQLNonNull(metadata), description: 'Metadata of every object: labels, annotations, versions and times.' },
    };
    this.resource = new GraphQLInterfaceType({
      name: 'Resource',
      description: 'An object of any kind.',
      interfaces: [this.node],
      fields: Object.fromEntries(
        Object.entries(common).map(([name, { type, description }]) => [name, { type, description: description ?? '' }]),
      ),
      resolveType,
    });
    for (const kind of parts.kinds) this.#byKind.set(keyOf(kind), this.#make(kind, common, types));
  }

  of(kind: ExposedKind): GraphQLObjectType {
    const type = this.#byKind.get(keyOf(kind));
    if (type === undefined) throw new RangeError(`the schema has no type for ${kind.typeName}`);
    return type;
  }

  all(): readonly GraphQLObjectType[] {
    return [...this.#byKind.values()];
  }

  #make(kind: ExposedKind, common: Fields, types: ValueTypes): GraphQLObjectType {
    const { typeName, served, schema, components } = kind;
    return new GraphQLObjectType<unknown, GraphqlContext>({
      name: typeName,
      description: schema.description ?? served.description,
      interfaces: [this.node, this.resource],
      fields: () => ({
        ...pluginFields(kind, this.#parts, types),
        ...workloadFields(kind, this.#parts.kinds),
        ...this.#relations(kind),
        ...referenceFields(kind, this.#parts.kinds, (target) => this.of(target), this.resource),
        ...withoutCommon(types.outputs.fieldsOf(schema, components, typeName), common),
        ...common,
      }),
    });
  }

  #relations(kind: ExposedKind): Fields {
    const found = relationsOf(kind, this.#parts.kinds).map(({ name, description, to, field }) => {
      const type = new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(this.of(to))));
      const resolve = async (
        object: unknown,
        { first }: Record<string, number>,
        { reader }: GraphqlContext,
      ): Promise<readonly ObjectBody[]> => {
        const parent = object as ObjectBody;
        const relation = { kind: to.served, field };
        const isAboutCluster = parent.metadata.namespace === undefined && to.served.group === '' && to.served.kind === 'Event';
        const all = isAboutCluster ? await reader.eventsAbout(kind.served, relation, parent) : await reader.related(relation, parent);
        return firstOf(all, first ?? 0);
      };
      return [name, { type, description, args: { first: firstArgument }, extensions: pageCost, resolve }] as const;
    });
    return Object.fromEntries(found);
  }
}

function keyOf({ served }: ExposedKind): string {
  return `${served.group}/${served.kind}`;
}

function groupKind({ apiVersion, kind }: ObjectBody): string {
  const slash = apiVersion.indexOf('/');
  return `${slash < 0 ? '' : apiVersion.slice(0, slash)}/${kind}`;
}

function withoutCommon(fields: Fields, common: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !(name in common)));
}

/** Makes the type of Kubernetes' ObjectMeta, which all kinds share. */
function metadataType(kinds: readonly ExposedKind[], outputs: OutputTypes): GraphQLObjectType {
  for (const { schema, components } of kinds) {
    const metadata = schema.properties?.['metadata'];
    const type = metadata === undefined ? undefined : outputs.typeOf(metadata, components, 'ObjectMeta');
    if (type instanceof GraphQLObjectType) return type;
  }
  throw new RangeError('no kind says what its metadata is');
}
