//! Kubernetes facts as data: merge keys, scope, name-reference fields, kind order.
