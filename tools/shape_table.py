#!/usr/bin/env python3
"""Writes src/schema/shapes.bin: the shapes of the built-in kinds of Kubernetes 1.20 and 1.25 to 1.37.

    pip download --no-deps kubernetes-validate==1.37.0 kubernetes-validate==1.20.0
    unzip -q kubernetes_validate-1.37.0-*.whl && tar xzf kubernetes-validate-1.20.0.tar.gz
    tools/shape_table.py . > src/schema/shapes.bin

In: the definitions that the PyPI package `kubernetes-validate` (Apache-2.0) carries. Out: a zlib stream of lines. The first
is JSON: names of definitions, and for each version which body each name has and which kinds there are. Each line after it
is one body, equal bodies of all versions folded into one. Descriptions are left out. The package has no enums but those of
`apiVersion` and `kind`, which the kinds say already.

A body is JSON with short keys: `t` type (s i n b o a, Q quantity, I integer or string, T time, X anything), `f` format, `q`
required, `p` properties, `m` items, `v` values of a map, `r` another definition by number, `k` keys of a list's items,
`u` a list of unique values.
"""
import json
import pathlib
import sys
import zlib

VERSIONS = ['1.20'] + [f'1.{minor}' for minor in range(25, 38)]
TYPES = {'string': 's', 'integer': 'i', 'number': 'n', 'boolean': 'b', 'object': 'o', 'array': 'a'}
SPECIAL = {
    'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {'t': 'I'},
    'io.k8s.apimachinery.pkg.api.resource.Quantity': {'t': 'Q'},
    'io.k8s.apimachinery.pkg.apis.meta.v1.Time': {'t': 'T'},
    'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': {'t': 'T'},
    'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': {'t': 'X'},
    'io.k8s.apimachinery.pkg.runtime.RawExtension': {'t': 'X'},
}
# The published documents have no paths, which alone tell the scope: these are the kinds outside of namespaces.
CLUSTER = set('''
APIService CSIDriver CSINode CertificateSigningRequest ClusterRole ClusterRoleBinding ClusterTrustBundle ComponentStatus
CustomResourceDefinition DeviceClass DeviceTaintRule FlowSchema IPAddress IngressClass LeaseCandidateClass
MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration Namespace Node PersistentVolume
PodSecurityPolicy PriorityClass PriorityLevelConfiguration ResourceClass ResourceSlice ResourcePoolStatusRequest RuntimeClass
SelfSubjectAccessReview SelfSubjectReview SelfSubjectRulesReview ServiceCIDR StorageClass StorageVersion
StorageVersionMigration SubjectAccessReview TokenReview ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
ValidatingWebhookConfiguration VolumeAttachment VolumeAttributesClass
'''.split())
# Kinds of the machinery that nobody applies.
NO_OBJECTS = {'WatchEvent', 'DeleteOptions', 'Status', 'APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions', 'Scale'}


def definitions(folder, version):
    path = next(pathlib.Path(folder).glob(f'**/v{version}.0-local/_definitions.json'))
    document = json.loads(path.read_text())
    return document.get('definitions') or document['$defs']


class Table:
    def __init__(self):
        self.names, self.bodies = {}, {}

    def name(self, name):
        return self.names.setdefault(name, len(self.names))

    def shape(self, schema, name=''):
        if name in SPECIAL:
            return SPECIAL[name]
        out = {}
        if '$ref' in schema:
            out['r'] = self.name(schema['$ref'].rsplit('/', 1)[-1])
            return out
        kind = schema.get('type')
        kind = next((k for k in kind if k != 'null'), None) if isinstance(kind, list) else kind
        if kind is None:
            return {'t': 'X'}
        out['t'] = TYPES[kind]
        if 'format' in schema:
            out['f'] = schema['format']
        if schema.get('required'):
            out['q'] = sorted(schema['required'])
        if schema.get('properties'):
            out['p'] = {key: self.shape(part) for key, part in sorted(schema['properties'].items())}
        if isinstance(schema.get('items'), dict):
            out['m'] = self.shape(schema['items'])
        if isinstance(schema.get('additionalProperties'), dict):
            out['v'] = self.shape(schema['additionalProperties'])
        if schema.get('x-kubernetes-list-type') == 'map':
            out['k'] = schema.get('x-kubernetes-list-map-keys', [])
        if schema.get('x-kubernetes-list-type') == 'set':
            out['u'] = 1
        return out

    def version(self, found):
        rows, kinds = [], []
        for name, schema in sorted(found.items()):
            body = json.dumps(self.shape(schema, name), separators=(',', ':'))
            rows.append([self.name(name), self.bodies.setdefault(body, len(self.bodies))])
            for row in schema.get('x-kubernetes-group-version-kind', []):
                if row['kind'] not in NO_OBJECTS and not row['kind'].endswith('List'):
                    group = f"{row['group']}/" if row['group'] else ''
                    kinds.append([row['kind'], group + row['version'], self.name(name), int(row['kind'] not in CLUSTER)])
        return {'shapes': sorted(rows), 'kinds': sorted(kinds)}


def main():
    table = Table()
    versions = {version: table.version(definitions(sys.argv[1], version)) for version in VERSIONS}
    # what changed since the version before says less than the whole
    before, rows = {}, []
    for version, facts in versions.items():
        now = dict(facts['shapes'])
        changed = [[name, body] for name, body in facts['shapes'] if before.get(name) != body]
        gone = [name for name in before if name not in now]
        rows.append({'version': version, 'shapes': changed, 'gone': sorted(gone), 'kinds': facts['kinds']})
        before = now
    head = json.dumps({'names': list(table.names), 'versions': rows}, separators=(',', ':'))
    text = '\n'.join([head, *table.bodies]) + '\n'
    print(f'{len(table.names)} names, {len(table.bodies)} bodies, {len(text)} bytes', file=sys.stderr)
    sys.stdout.buffer.write(zlib.compress(text.encode(), 9))


if __name__ == '__main__':
    main()
