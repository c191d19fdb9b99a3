//! Charts: loading, values, dependencies, capabilities, hooks; chart and values to manifests.
