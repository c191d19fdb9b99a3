//! The fields of a kustomization, as data: every name that kustomization.yaml takes, with the shape of its value.
//!
//! Longer than most files because it is a table.

use super::decode::Shape::{self, Any, AnyMap, Bool, Bools, Fields, Int, List, Text, Texts};

const TEXT_LIST: Shape = List(&Text);

const METADATA: Shape = Fields(&[("name", Text), ("namespace", Text), ("labels", Texts), ("annotations", Texts)]);

/// One field specification.
pub(crate) const FIELD_SPEC: Shape =
    Fields(&[("group", Text), ("version", Text), ("kind", Text), ("path", Text), ("create", Bool)]);

const LABEL: Shape = Fields(&[
    ("pairs", Texts),
    ("includeSelectors", Bool),
    ("includeTemplates", Bool),
    ("fields", List(&FIELD_SPEC)),
]);

/// A selection of objects.
pub(crate) const SELECTOR: Shape = Fields(&[
    ("group", Text),
    ("version", Text),
    ("kind", Text),
    ("name", Text),
    ("namespace", Text),
    ("annotationSelector", Text),
    ("labelSelector", Text),
]);

/// One entry of `patches` and `patchesJson6902`.
pub(crate) const PATCH: Shape = Fields(&[("path", Text), ("patch", Text), ("target", SELECTOR), ("options", Bools)]);

/// One entry of `images`.
pub(crate) const IMAGE: Shape =
    Fields(&[("name", Text), ("newName", Text), ("tagSuffix", Text), ("newTag", Text), ("digest", Text)]);

/// One entry of `replicas`.
pub(crate) const REPLICA: Shape = Fields(&[("name", Text), ("count", Int)]);

const FIELD_OPTIONS: Shape = Fields(&[("delimiter", Text), ("index", Int), ("encoding", Text), ("create", Bool)]);

/// One entry of `replacements`.
pub(crate) const REPLACEMENT: Shape = Fields(&[
    (
        "source",
        Fields(&[
            ("group", Text),
            ("version", Text),
            ("kind", Text),
            ("name", Text),
            ("namespace", Text),
            ("fieldPath", Text),
            ("options", FIELD_OPTIONS),
        ]),
    ),
    (
        "targets",
        List(&Fields(&[
            ("select", SELECTOR),
            ("reject", List(&SELECTOR)),
            ("fieldPaths", TEXT_LIST),
            ("options", FIELD_OPTIONS),
        ])),
    ),
    ("sourceValue", Text),
    ("path", Text),
]);

/// One entry of `vars`.
pub(crate) const VAR: Shape = Fields(&[
    ("name", Text),
    (
        "objref",
        Fields(&[
            ("apiVersion", Text),
            ("group", Text),
            ("version", Text),
            ("kind", Text),
            ("name", Text),
            ("namespace", Text),
        ]),
    ),
    ("fieldref", Fields(&[("fieldPath", Text)])),
]);

const SORT_OPTIONS: Shape = Fields(&[
    ("order", Text),
    ("legacySortOptions", Fields(&[("orderFirst", TEXT_LIST), ("orderLast", TEXT_LIST)])),
]);

const GENERATOR_OPTIONS: Shape =
    Fields(&[("labels", Texts), ("annotations", Texts), ("disableNameSuffixHash", Bool), ("immutable", Bool)]);

const CONFIG_MAP: Shape = Fields(&[
    ("namespace", Text),
    ("name", Text),
    ("behavior", Text),
    ("literals", TEXT_LIST),
    ("files", TEXT_LIST),
    ("envs", TEXT_LIST),
    ("env", Text),
    ("options", GENERATOR_OPTIONS),
]);

const SECRET: Shape = Fields(&[
    ("namespace", Text),
    ("name", Text),
    ("behavior", Text),
    ("literals", TEXT_LIST),
    ("files", TEXT_LIST),
    ("envs", TEXT_LIST),
    ("env", Text),
    ("options", GENERATOR_OPTIONS),
    ("type", Text),
]);

const HELM_GLOBALS: Shape = Fields(&[("chartHome", Text), ("configHome", Text)]);

const HELM_CHART: Shape = Fields(&[
    ("name", Text),
    ("version", Text),
    ("repo", Text),
    ("releaseName", Text),
    ("namespace", Text),
    ("additionalValuesFiles", TEXT_LIST),
    ("valuesFile", Text),
    ("valuesInline", AnyMap),
    ("valuesMerge", Text),
    ("includeCRDs", Bool),
    ("skipHooks", Bool),
    ("apiVersions", TEXT_LIST),
    ("kubeVersion", Text),
    ("nameTemplate", Text),
    ("skipTests", Bool),
    ("debug", Bool),
    ("devel", Bool),
]);

const OLD_HELM_CHART: Shape = Fields(&[
    ("chartName", Text),
    ("chartVersion", Text),
    ("chartRepoUrl", Text),
    ("chartHome", Text),
    ("chartRepoName", Text),
    ("helmBin", Text),
    ("helmHome", Text),
    ("values", Text),
    ("valuesLocal", AnyMap),
    ("valuesMerge", Text),
    ("releaseName", Text),
    ("releaseNamespace", Text),
    ("extraArgs", TEXT_LIST),
]);

/// A whole kustomization.
pub(crate) const KUSTOMIZATION: Shape = Fields(&[
    ("apiVersion", Text),
    ("kind", Text),
    ("metadata", METADATA),
    ("openapi", Texts),
    ("namePrefix", Text),
    ("nameSuffix", Text),
    ("namespace", Text),
    ("commonLabels", Texts),
    ("labels", List(&LABEL)),
    ("commonAnnotations", Texts),
    ("patchesStrategicMerge", TEXT_LIST),
    ("patchesJson6902", List(&PATCH)),
    ("patches", List(&PATCH)),
    ("images", List(&IMAGE)),
    ("imageTags", List(&IMAGE)),
    ("replacements", List(&REPLACEMENT)),
    ("replicas", List(&REPLICA)),
    ("vars", List(&VAR)),
    ("sortOptions", SORT_OPTIONS),
    ("resources", TEXT_LIST),
    ("components", TEXT_LIST),
    ("crds", TEXT_LIST),
    ("bases", TEXT_LIST),
    ("configMapGenerator", List(&CONFIG_MAP)),
    ("secretGenerator", List(&SECRET)),
    ("helmGlobals", HELM_GLOBALS),
    ("helmCharts", List(&HELM_CHART)),
    ("helmChartInflationGenerator", List(&OLD_HELM_CHART)),
    ("generatorOptions", GENERATOR_OPTIONS),
    ("configurations", TEXT_LIST),
    ("generators", TEXT_LIST),
    ("transformers", TEXT_LIST),
    ("validators", TEXT_LIST),
    ("buildMetadata", TEXT_LIST),
]);

/// A file under `configurations`.
pub(crate) const CONFIGURATION: Shape = Fields(&[
    ("namePrefix", List(&FIELD_SPEC)),
    ("nameSuffix", List(&FIELD_SPEC)),
    ("namespace", List(&FIELD_SPEC)),
    ("commonLabels", List(&FIELD_SPEC)),
    ("labels", List(&FIELD_SPEC)),
    ("templateLabels", List(&FIELD_SPEC)),
    ("commonAnnotations", List(&FIELD_SPEC)),
    (
        "nameReference",
        List(&Fields(&[("group", Text), ("version", Text), ("kind", Text), ("fieldSpecs", List(&FIELD_SPEC))])),
    ),
    ("varReference", List(&FIELD_SPEC)),
    ("images", List(&FIELD_SPEC)),
    ("replicas", List(&FIELD_SPEC)),
]);

/// The configuration of any builtin plugin: the fields of all of them, since no two use one name for two shapes.
pub(crate) const PLUGIN: Shape = Fields(&[
    ("apiVersion", Text),
    ("kind", Text),
    ("metadata", METADATA),
    ("fieldSpecs", List(&FIELD_SPEC)),
    ("unsetOnly", Bool),
    ("setRoleBindingSubjects", Text),
    ("prefix", Text),
    ("suffix", Text),
    ("labels", Texts),
    ("annotations", Texts),
    ("imageTag", IMAGE),
    ("replica", REPLICA),
    ("value", Text),
    ("targetFilePath", Text),
    ("targets", List(&Fields(&[("selector", SELECTOR), ("fieldPath", Text), ("filePathPosition", Int)]))),
    ("path", Text),
    ("patch", Text),
    ("jsonOp", Text),
    ("target", SELECTOR),
    ("options", Any),
    ("paths", TEXT_LIST),
    ("patches", Text),
    ("replacements", List(&REPLACEMENT)),
    ("namespace", Text),
    ("name", Text),
    ("behavior", Text),
    ("literals", TEXT_LIST),
    ("files", TEXT_LIST),
    ("envs", TEXT_LIST),
    ("env", Text),
    ("type", Text),
    ("chartHome", Text),
    ("configHome", Text),
    ("version", Text),
    ("repo", Text),
    ("releaseName", Text),
    ("additionalValuesFiles", TEXT_LIST),
    ("valuesFile", Text),
    ("valuesInline", AnyMap),
    ("valuesMerge", Text),
    ("includeCRDs", Bool),
    ("skipHooks", Bool),
    ("apiVersions", TEXT_LIST),
    ("kubeVersion", Text),
    ("nameTemplate", Text),
    ("skipTests", Bool),
    ("debug", Bool),
    ("devel", Bool),
    ("cloud", Text),
    ("kubernetesService", Fields(&[("name", Text), ("namespace", Text)])),
    ("serviceAccount", Fields(&[("name", Text), ("projectId", Text)])),
]);
