#!/usr/bin/env python3
"""Writes src/schema/kubernetes.rs: where lists of Kubernetes 1.21 objects merge by key.

    pip download --no-deps kubernetes-validate==1.21.0 && tar xzf kubernetes-validate-1.21.0.tar.gz
    tools/schema_table.py kubernetes-validate-1.21.0 > src/schema/kubernetes.rs

In: the definitions of Kubernetes 1.21 that the PyPI package `kubernetes-validate` 1.21.0 (Apache-2.0) carries, with
their `x-kubernetes-*` extensions. Out: a graph of the places that lead to a list with a patch strategy, equal places
folded into one. kyaml's embedded schema (1.21.2) is of a server without alpha groups, so those are left out.
"""
import json
import pathlib
import sys

REF = '#/definitions/'
FREE_FORM = 'io.k8s.apimachinery.pkg.runtime.RawExtension'


def load(package):
    path = next(pathlib.Path(package).glob('**/v1.21.0-local/_definitions.json'))
    definitions = json.loads(path.read_text())['definitions']
    alpha = lambda name: '.v1alpha1.' in name or name.endswith('.EphemeralContainers')
    return {name: schema for name, schema in definitions.items() if not alpha(name)}


def target(schema):
    ref = schema.get('$ref')
    return ref.rsplit('/', 1)[-1] if ref else None


def merge_of(schema):
    """The merge keys of a list, `[]` for a list of plain values, None for what is replaced whole."""
    strategies = schema.get('x-kubernetes-patch-strategy', '').split(',')
    if 'merge' not in strategies or schema.get('type') != 'array':
        return None
    if 'x-kubernetes-list-map-keys' in schema:
        return schema['x-kubernetes-list-map-keys']
    key = schema.get('x-kubernetes-patch-merge-key')
    return [key] if key else []


class Graph:
    def __init__(self, definitions):
        self.definitions = definitions
        self.leading = self.leading_definitions()
        self.nodes = ['OPAQUE']
        self.index = {'OPAQUE': 0}
        self.of_definition = {}

    def leading_definitions(self):
        """The definitions from which a merging list, or a free-form object, can be reached."""
        leads = {FREE_FORM}
        while True:
            more = {name for name, schema in self.definitions.items() if name not in leads and self.leads(schema, leads)}
            if not more:
                return leads
            leads |= more

    def leads(self, schema, leads):
        if merge_of(schema) is not None or target(schema) in leads:
            return True
        below = list(schema.get('properties', {}).values())
        below += [schema[key] for key in ('items', 'additionalProperties') if isinstance(schema.get(key), dict)]
        return any(self.leads(part, leads) for part in below)

    def node(self, schema):
        """The index of the node for a schema, or None where nothing below it matters."""
        name = target(schema)
        if name == FREE_FORM:
            return 0
        if name:
            if name not in self.leading:
                return None
            if name not in self.of_definition:
                self.of_definition[name] = self.make(self.definitions[name])
            return self.of_definition[name]
        if not self.leads(schema, self.leading):
            return None
        return self.make(schema)

    def make(self, schema):
        fields = sorted((name, self.node(part)) for name, part in schema.get('properties', {}).items()
                        if self.node(part) is not None)
        element = self.node(schema['items']) if 'items' in schema else None
        element = 0 if element is None and schema.get('type') == 'array' else element
        extra = schema.get('additionalProperties')
        values = self.node(extra) if isinstance(extra, dict) else None
        merge = merge_of(schema)
        key = json.dumps([fields, element, values, merge])
        if key not in self.index:
            self.index[key] = len(self.nodes)
            self.nodes.append((fields, element, values, merge))
        return self.index[key]


def text_list(values):
    return '&[' + ', '.join(json.dumps(value) for value in values) + ']'


def print_node(node):
    if node == 'OPAQUE':
        print('    Node { fields: &[], element: NONE, values: NONE, merge: None },')
        return
    fields, element, values, merge = node
    number = lambda index: 'NONE' if index is None else str(index)
    keys = 'None' if merge is None else f'Some({text_list(merge)})'
    pairs = '&[' + ', '.join(f'({json.dumps(name)}, {index})' for name, index in fields) + ']'
    print(f'    Node {{ fields: {pairs}, element: {number(element)}, values: {number(values)}, merge: {keys} }},')


def main():
    definitions = load(sys.argv[1])
    graph = Graph(definitions)
    roots = []
    for name, schema in definitions.items():
        for kind in schema.get('x-kubernetes-group-version-kind', []):
            index = graph.node({'$ref': REF + name})
            if index is not None and kind['kind'] != 'WatchEvent':
                version = f"{kind['group']}/{kind['version']}" if kind['group'] else kind['version']
                roots.append((kind['kind'], version, index))
    print('//! Where lists of Kubernetes 1.21 objects merge by key: a graph from kinds over fields to merge keys.')
    print('//!')
    print('//! Written by `tools/schema_table.py` from the definitions in the PyPI package `kubernetes-validate` 1.21.0, less the alpha')
    print("//! groups; that is what kyaml's embedded schema (1.21.2) holds. Longer than a file should be because it is one table.")
    print('\nuse super::builtin::Node;\n')
    print('/// No node: nothing is known there.\npub(super) const NONE: u16 = u16::MAX;\n')
    print('/// Kind, `apiVersion` and node, sorted.\n#[rustfmt::skip]')
    print('pub(super) const ROOTS: &[(&str, &str, u16)] = &[')
    for kind, version, index in sorted(roots):
        print(f'    ({json.dumps(kind)}, {json.dumps(version)}, {index}),')
    print('];\n')
    print('/// The nodes; the first is an object of any shape. Fields are sorted.\n#[rustfmt::skip]')
    print('pub(super) const NODES: &[Node] = &[')
    for node in graph.nodes:
        print_node(node)
    print('];')


if __name__ == '__main__':
    main()
